/** Lists as CSV, for spreadsheets: read part by part, and without cells that a spreadsheet would run. */
import { Readable } from "node:stream";

import type { FastifyReply, FastifyRequest } from "fastify";

import type { Caller } from "./access.js";
import type { Database, Row, Tx } from "./db.js";
import { invalidParameter } from "./errors.js";
import type { ListQuery } from "./paging.js";

export const MAX_EXPORTED = 100_000;

const FORMULA = /^[=+\-@\t\r]/;
const NOT_WITH_CSV = ["limit", "cursor", "offset", "count", "include"] as const;

/** Whether CSV is the first media type of Accept that a list can be. Pages and relations are refused then. */
export function wantsCsv(request: FastifyRequest, query: ListQuery): boolean {
  const accepted = (request.headers.accept ?? "").toLowerCase().split(",");
  const known = accepted.map((each) => each.split(";", 1)[0]?.trim() ?? "");
  if (known.find((each) => ["application/json", "text/csv", "*/*"].includes(each)) !== "text/csv") return false;
  for (const name of NOT_WITH_CSV) {
    if (query[name] !== undefined) throw invalidParameter(name, "not with text/csv, which holds every row");
  }
  return true;
}

/** What a CSV is made of: its columns in their order, and those that people write. */
export interface Sheet {
  readonly name: string;
  readonly columns: readonly string[];
  readonly texts: ReadonlySet<string>;
}

/** The rows as they are read. What fails before the first of them is an ordinary refusal. */
export async function answerCsv(
  reply: FastifyReply,
  sheet: Sheet,
  caller: Caller,
  hidden: ReadonlySet<string>,
  db: Database,
  exported: (tx: Tx) => AsyncIterable<Row[]>,
): Promise<FastifyReply> {
  const columns = sheet.columns.filter((name) => !hidden.has(name));
  const parts = db.read(caller, exported);
  const first = await parts.next();

  async function* lines(): AsyncGenerator<string> {
    yield line(columns);
    if (first.done === true) return;
    yield first.value.map((row) => line(cells(row, columns, sheet.texts))).join("");
    for await (const rows of parts) yield rows.map((row) => line(cells(row, columns, sheet.texts))).join("");
  }

  return reply
    .type("text/csv; charset=utf-8")
    .headers({
      "Cache-Control": "private, no-cache",
      "Content-Disposition": `attachment; filename="${sheet.name}.csv"`,
    })
    .send(Readable.from(lines()));
}

function cells(row: Row, columns: readonly string[], texts: ReadonlySet<string>): string[] {
  return columns.map((name) => {
    const value = row[name];
    if (value === null || value === undefined) return "";
    if (typeof value !== "string") return JSON.stringify(value);
    return texts.has(name) && FORMULA.test(value) ? `'${value}` : value;
  });
}

function line(values: readonly string[]): string {
  return `${values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join()}\r\n`;
}
