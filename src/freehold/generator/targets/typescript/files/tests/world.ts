/** Callers with every kind of token, and rows as a test needs them: the service as it is seen from outside. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

import { newId } from "../src/core/ids.js";
import { issue } from "../src/token.js";
import { named, roleWith, sample, TENANT, USER, writable, type Condition, type Grant, type Resource } from "./resources.js";
import { app, SECRET, sql } from "./service.js";

export type Row = Record<string, unknown>;
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface Promised {
  readonly $ref?: string;
  readonly content?: object;
}

interface Operation {
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, Promised>>;
}

export const OPENAPI = JSON.parse(readFileSync(new URL("../openapi.json", import.meta.url), "utf8")) as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, { required?: string[]; properties?: object }>>;
    readonly responses: Readonly<Record<string, Promised>>;
  };
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addFormat("date-time", /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
ajv.addFormat("date", /^\d{4}-\d{2}-\d{2}$/);
ajv.addFormat("uuid", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
ajv.addFormat("int32", true);
ajv.addFormat("int64", true);
ajv.addSchema(OPENAPI, "openapi.json");

/** What the service answered. */
export class Answer {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly text: string,
  ) {}

  get row(): Row {
    return JSON.parse(this.text) as Row;
  }

  get list(): { data: Row[]; page: { limit: number; has_more: boolean; next_cursor: string | null; total?: number } } {
    return JSON.parse(this.text) as Answer["list"];
  }

  get ids(): unknown[] {
    return this.list.data.map((row) => row["id"]);
  }

  get problem(): { code: string; errors: { pointer?: string; parameter?: string; code: string }[] } {
    return JSON.parse(this.text) as Answer["problem"];
  }
}

export interface Options {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly payload?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Somebody with a token. Every answer is held against openapi.json. */
export class Caller {
  constructor(
    readonly role: string,
    readonly tenant = "",
    readonly user = "",
  ) {}

  async request(method: Method, path: string, { query, body, payload, headers }: Options = {}): Promise<Answer> {
    const token = this.role === "public" ? undefined : await issue(SECRET, this.role, this.tenant, this.user);
    const response = await app.server.inject({
      method,
      url: query === undefined ? path : `${path}?${new URLSearchParams(query).toString()}`,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(payload === undefined && body === undefined ? {} : { payload: payload ?? body }),
    });
    const headersSent = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    const answer = new Answer(response.statusCode, Object.fromEntries(headersSent) as Record<string, string>, response.body);
    holdAgainstContract(method, path, answer);
    return answer;
  }

  get(path: string, query?: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.request("GET", path, { headers, ...(query === undefined ? {} : { query }) });
  }

  post(path: string, body?: object): Promise<Answer> {
    return this.request("POST", path, body === undefined ? {} : { body });
  }

  patch(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.request("PATCH", path, { body, headers });
  }

  delete(path: string): Promise<Answer> {
    return this.request("DELETE", path);
  }
}

/** A caller that has the permission on every row. */
export function able(permission: string, tenant: string, user = ""): Caller {
  const role = roleWith(permission);
  if (role === undefined) throw new Error(`no role has ${permission} on every row`);
  return new Caller(role, tenant, user);
}

/** The status, the media type and the body are ones that openapi.json promises. */
function holdAgainstContract(method: Method, path: string, answer: Answer): void {
  const parts = path.split("?", 1)[0]?.split("/") ?? [];
  for (const [template, operations] of Object.entries(OPENAPI.paths)) {
    const names = template.split("/");
    const operation = operations[method.toLowerCase()];
    const fits = names.length === parts.length && names.every((name, at) => name === parts[at] || name.startsWith("{"));
    if (!fits || operation === undefined) continue;
    const exact = String(answer.status);
    const status = exact in operation.responses ? exact : `${exact.slice(0, 1)}XX`;
    const promised = operation.responses[status];
    assert.ok(promised, `${method} ${template} answered ${answer.status}`);
    const media = answer.headers["content-type"]?.split(";", 1)[0] ?? "";
    const where = promised.$ref ?? `#${pointer("paths", template, method.toLowerCase(), "responses", status)}`;
    const shared = promised.$ref?.split("/").at(-1);
    const content = shared === undefined ? promised.content : OPENAPI.components.responses[shared]?.content;
    if (content === undefined) {
      assert.equal(answer.text, "");
      return;
    }
    assert.ok(media in content, `${method} ${template} answered with ${media}`);
    if (!media.endsWith("json")) return;
    const check: ValidateFunction | undefined = ajv.getSchema(`openapi.json${where}${pointer("content", media, "schema")}`);
    assert.ok(check, `${template} has no schema for ${media}`);
    assert.ok(check(JSON.parse(answer.text)), `${method} ${path}: ${ajv.errorsText(check.errors)} in ${answer.text}`);
    return;
  }
}

function pointer(...keys: string[]): string {
  return keys.map((key) => `/${encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");
}

/** A new tenant; an empty text in a service without any. */
export async function newTenant(): Promise<string> {
  return TENANT === undefined ? "" : String((await newRow(TENANT, ""))["id"]);
}

/** A new row, written past the service, and the rows that it has to refer to. Of a tenant there is one, which gets new values. */
export async function newRow(resource: Resource, tenant: string, values: Row = {}): Promise<Row & { id: unknown }> {
  const wire: Row = { ...sample(resource), ...(await references(resource, tenant, values)), ...values };
  if (resource.id_kind !== "serial") wire["id"] ??= resource.tenant === "self" && tenant !== "" ? tenant : newId();
  const columns = Object.entries(wire).map(([name, value]) => [
    resource.columns[name] ?? name,
    resource.places.includes(name) ? place(value) : value,
  ]);
  if (resource.tenant === "scoped") columns.push([resource.tenant_column, tenant]);
  const names = columns.map(([column]) => String(column));
  const keyed = Object.fromEntries(columns.map(([column, value]) => [String(column).replaceAll('"', ""), value]));
  const list = names.join(", ");
  const chosen = `select ${list} from jsonb_populate_record(null::${resource.table}, $1::jsonb)`;
  const id = resource.columns["id"] ?? "id";
  const again = resource.tenant === "self" ? `on conflict (${id}) do update set (${list}) = (${chosen})` : "";
  const [row] = await sql(
    `insert into ${resource.table} (${list}) ${chosen} ${again} returning ${id} as id`,
    JSON.stringify(keyed),
  );
  return { ...wire, id: resource.id_kind === "serial" ? Number(row?.["id"]) : row?.["id"] };
}

/** A row of the tenant to try things on; of the tenants themselves it is the caller's own. */
export async function rowOf(resource: Resource, tenant: string): Promise<Row & { id: unknown }> {
  return resource.tenant === "self" ? { id: tenant } : newRow(resource, tenant);
}

export function pathTo(resource: Resource, row: { readonly id: unknown }): string {
  return `${resource.path}/${String(row.id)}`;
}

/** The ids of new rows for the references that cannot be null. */
async function references(resource: Resource, tenant: string, given: Row): Promise<Row> {
  const found: Row = {};
  for (const name of resource.required) {
    if (!(name in given)) found[name] = (await newRow(named(resource.references[name] ?? ""), tenant)).id;
  }
  return found;
}

/** A valid body for a create by the role. */
export async function bodyOf(resource: Resource, tenant: string, role: string): Promise<Row> {
  return { ...writable(resource, role), ...(await references(resource, tenant, {})) };
}

/** The id of a user that rows of the resource can refer to. Where users are the resource, there is none yet. */
export async function userFor(resource: Resource, tenant: string): Promise<string> {
  return USER === undefined || USER === resource ? newId() : String((await newRow(USER, tenant)).id);
}

/** Values of a row that the grant reaches; undefined when that takes more than values of the row. */
export function satisfying(resource: Resource, grant: Grant, tenant: string, user: string): Row | undefined {
  const found: Row = {};
  for (const condition of grant) {
    if ("link" in condition) return undefined;
    const name = fieldOf(resource, condition.column);
    const [value] = valuesOf(condition, tenant, user);
    if ((found[name] ?? value) !== value) return undefined;
    found[name] = value;
  }
  return found;
}

/** Whether the row happens to be one that the grant reaches. */
export function reaches(resource: Resource, grant: Grant, row: Row, tenant: string, user: string): boolean {
  return grant.every((condition) => {
    if ("link" in condition) return false;
    const value = String(row[fieldOf(resource, condition.column)]);
    return valuesOf(condition, tenant, user).some((each) => String(each) === value);
  });
}

function fieldOf(resource: Resource, column: string): string {
  return Object.keys(resource.columns).find((name) => resource.columns[name] === column) ?? column;
}

/** What the column may hold for the caller. */
function valuesOf(condition: Exclude<Condition, { link: string }>, tenant: string, user: string): unknown[] {
  return [...(condition.me ? [user] : []), ...(condition.tenant ? [tenant] : []), ...condition.values];
}

/** An id that no row has. */
export function unknownId(resource: Resource): number | string {
  return resource.id_kind === "serial" ? 999_999_999 : newId();
}

/** A point, a line or the rings of a polygon, as PostgreSQL writes them. */
function place(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  if (typeof value[0] === "number") return `(${value.join()})`;
  const parts = value.map(place);
  const isLine = typeof (value[0] as unknown[])[0] === "number";
  return isLine ? `(${parts.join()})` : parts;
}
