/** Lists: what every list accepts, in which order rows come, and where the next page begins. */
import { createHash } from "node:crypto";

import { Type, type TProperties, type TSchema } from "typebox";

import type { Caller } from "./access.js";
import type { Row } from "./db.js";
import { invalidParameter, Problem } from "./errors.js";
import { Text } from "./fields.js";
import type { Columns, Statement } from "./sql.js";
import { checker } from "./validation.js";

const LIMIT = 25;
const PAGING: ReadonlySet<string> = new Set([
  "limit",
  "cursor",
  "offset",
  "count",
  "sort",
  "deleted",
  "include",
  "q",
]);

/** The parameters that every list has. */
export interface ListQuery {
  readonly limit?: number;
  readonly cursor?: string;
  readonly offset?: number;
  readonly count?: "none" | "exact";
  readonly sort?: readonly string[];
  readonly deleted?: "exclude" | "include" | "only";
  readonly include?: readonly string[];
  readonly q?: string;
}

/** What a request for one row can ask for beside it. */
export const includeQuery = Type.Object(
  { include: Type.Optional(Type.Array(Text, { maxItems: 5 })) },
  { additionalProperties: false },
);

/** The query of one list: what every list has, and the filters of an entity, none of which has to be there. */
export function listQuery<T extends TProperties>(parameters: T) {
  return Type.Object(
    {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
      cursor: Type.Optional(Type.String({ maxLength: 2000 })),
      offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
      count: Type.Optional(Type.Unsafe<"none" | "exact">({ type: "string", enum: ["none", "exact"] })),
      ...includeQuery.properties,
      ...Type.Partial(Type.Object(parameters)).properties,
    },
    { additionalProperties: false },
  );
}

/** The order of a list by some of the keys. */
export function sortBy<T extends SortKeys>(keys: T) {
  const sorts = Object.keys(keys).flatMap((name) => [name, `-${name}`]);
  return Type.Array(Type.Unsafe<(keyof T & string) | `-${keyof T & string}`>({ type: "string", enum: sorts }), { maxItems: 3 });
}

/** One page of rows of a schema. */
export function pageOf<T extends TSchema>(row: T) {
  return Type.Object({
    data: Type.Array(row),
    page: Type.Object({
      limit: Type.Integer(),
      has_more: Type.Boolean(),
      next_cursor: Type.Unsafe<string | null>({ type: ["string", "null"] }),
      total: Type.Optional(Type.Integer()),
    }),
  });
}

/** A column to sort by: whether a value from a cursor is one of its values, and whether they can be null. */
export interface SortKey {
  readonly check: (value: unknown) => boolean;
  readonly nullable: boolean;
}

export type SortKeys = Readonly<Record<string, SortKey>>;

export function sortKey(schema: TSchema, { nullable = false } = {}): SortKey {
  return { check: checker(schema), nullable };
}

/** Some rows of a list. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly limit: number;
  readonly nextCursor: string | null;
  readonly total: number | null;
}

type Order = readonly (readonly [name: string, descends: boolean])[];

/** Refuse what contradicts itself, and fields that the caller may not see. */
export function checkList(caller: Caller, entity: string, query: ListQuery, searched: readonly string[] = []): void {
  if (query.cursor !== undefined && query.offset !== undefined) {
    throw invalidParameter("offset", "not together with cursor");
  }
  const hidden = caller.hidden(entity);
  for (const [parameter] of filters(query)) {
    if (hidden.has(parameter.split(".", 1)[0] ?? "")) {
      throw invalidParameter(parameter, "your role may not filter by it");
    }
  }
  if (query.q !== undefined && searched.some((name) => hidden.has(name))) {
    throw invalidParameter("q", "your role may not search here");
  }
  for (const [name] of order(query)) {
    if (hidden.has(name)) throw invalidParameter("sort", `your role may not sort by ${name}`);
  }
}

/** The filters that were sent, by parameter name. */
export function filters(query: ListQuery): [parameter: string, value: unknown][] {
  return Object.entries(query).filter(([name]) => !PAGING.has(name));
}

/** The sort keys and whether each descends; `id` makes the order total. */
function order(query: ListQuery): Order {
  const keys = (query.sort ?? []).map((key) => [key.replace(/^-/, ""), key.startsWith("-")] as const);
  return keys.some(([name]) => name === "id") ? keys : [...keys, ["id", keys.at(-1)?.[1] ?? false]];
}

export function orderBy(query: ListQuery, columns: Columns, sortKeys: SortKeys): string {
  return order(query)
    .map(([name, descends]) => {
      const nulls = sortKeys[name]?.nullable === true ? " nulls last" : "";
      return `${columns[name] ?? ""}${descends ? " desc" : ""}${nulls}`;
    })
    .join(", ");
}

/** Only the rows that come after the cursor's row. */
export function afterCursor(statement: Statement, query: ListQuery, columns: Columns, sortKeys: SortKeys): void {
  if (query.cursor === undefined) return;
  const keys = order(query).map(([name, descends]) => {
    return { column: columns[name] ?? "", descends, nullable: sortKeys[name]?.nullable === true };
  });
  const values = readCursor(query.cursor, query, sortKeys);
  if (keys.every((key) => key.descends === keys[0]?.descends && !key.nullable)) {
    const bound = values.map((value) => statement.bind(value));
    statement.where(`(${keys.map((key) => key.column).join(", ")}) ${keys[0]?.descends === true ? "<" : ">"} (${bound.join(", ")})`);
    return;
  }
  const ways: string[] = [];
  const equal: string[] = [];
  for (const [at, { column, descends, nullable }] of keys.entries()) {
    const value = values[at];
    if (value === null) {
      equal.push(`${column} is null`); // nulls come last, so that nothing comes after them
      continue;
    }
    const bound = statement.bind(value);
    const beyond = `${column} ${descends ? "<" : ">"} ${bound}`;
    ways.push([...equal, nullable ? `(${beyond} or ${column} is null)` : beyond].join(" and "));
    equal.push(`${column} = ${bound}`);
  }
  statement.where(`(${ways.join(" or ")})`);
}

/** How many rows to read: one more than are shown tells whether there is a next page. */
export function limitOf(query: ListQuery): number {
  return (query.limit ?? LIMIT) + 1;
}

/** Rows that were read with `limitOf` as a page. */
export function page<T extends Row>(query: ListQuery, rows: readonly T[], total: number | null): Page<T> {
  const limit = query.limit ?? LIMIT;
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? writeCursor(query, last) : null;
  return { data, limit, nextCursor, total };
}

/** Tells two sets of filters apart: a cursor is only good for the list it came from. */
function fingerprint(query: ListQuery): string {
  const sorted = filters(query).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([query.deleted ?? "exclude", query.q ?? null, ...sorted]);
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function sortText(query: ListQuery): string {
  return order(query)
    .map(([name, descends]) => (descends ? "-" : "") + name)
    .join(",");
}

function writeCursor(query: ListQuery, row: Row): string {
  const cursor = { v: 1, s: sortText(query), k: order(query).map(([name]) => row[name]), f: fingerprint(query) };
  return Buffer.from(JSON.stringify(cursor)).toString("base64url");
}

/** The cursor's values. They are only ever bound as parameters, so a forged one shows nothing new. */
function readCursor(text: string, query: ListQuery, sortKeys: SortKeys): unknown[] {
  const cursor = decoded(text);
  const keys = order(query);
  const isOurs =
    cursor?.["v"] === 1 && Array.isArray(cursor["k"]) && typeof cursor["s"] === "string" && typeof cursor["f"] === "string";
  if (!isOurs) throw invalidParameter("cursor", "not one that this list gave you");
  if (cursor["s"] !== sortText(query) || cursor["f"] !== fingerprint(query)) {
    throw new Problem(400, "cursor_mismatch", "The cursor belongs to another sort or filter.");
  }
  const values = cursor["k"] as unknown[];
  const fits = keys.every(([name], at) => {
    const key = sortKeys[name];
    return values[at] === null ? key?.nullable === true : key?.check(values[at]) === true;
  });
  if (values.length !== keys.length || !fits) throw invalidParameter("cursor", "not one that this list gave you");
  return values;
}

function decoded(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
