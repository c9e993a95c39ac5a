/** `api-key issue|list|revoke`: the API keys of servers, as the owner of the tables. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";

import pg from "pg";

import { digest } from "./core/api-keys.js";
import { options, quoted } from "./core/db.js";
import { isStarted } from "./core/started.js";
import { asTenantId, PERMISSIONS, ROLES } from "./permissions.js";

const USAGE =
  "usage: api-key issue --name <what for> --role <role> [--role ...] [--tenant <id>] [--scope entity:action ...] [--days <n>]\n" +
  "       api-key list\n" +
  "       api-key revoke <id>";
const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789";
const MIXED = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const MOST_LISTED = 1000;

/** A new key and its id. */
export function newKey(environment: string): { key: string; id: string } {
  const id = random(LOWER, 10);
  return { key: `ak_${environment === "production" ? "prod" : "dev"}_${id}_${random(MIXED, 32)}`, id };
}

function random(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join("");
}

async function main(words: string[]): Promise<string> {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: {
      name: { type: "string", default: "" },
      role: { type: "string", multiple: true, default: [] },
      tenant: { type: "string", default: "" },
      scope: { type: "string", multiple: true, default: [] },
      days: { type: "string", default: "0" },
    },
  });
  const [command, id, ...rest] = positionals;
  if (command === "issue" && id === undefined) return connected((client) => issue(client, values));
  if (command === "list" && id === undefined) return connected(list);
  if (command === "revoke" && id !== undefined && rest.length === 0) return connected((client) => revoke(client, id));
  throw new Refusal(USAGE);
}

class Refusal extends Error {}

interface Wanted {
  readonly name: string;
  readonly role: readonly string[];
  readonly tenant: string;
  readonly scope: readonly string[];
  readonly days: string;
}

function check(wanted: Wanted): void {
  const roles: readonly string[] = [...ROLES, "service"];
  const scopes = new Set(Object.values(PERMISSIONS).flatMap((table) => Object.keys(table)));
  const refusals = {
    "--name should have 1 to 200 printable characters": !/^[^\p{C}\p{Zl}\p{Zp}]{1,200}$/u.test(wanted.name),
    [`--role should be one of: ${roles.join(", ")}`]:
      wanted.role.length === 0 || !wanted.role.every((role) => roles.includes(role)),
    "--tenant should be the id of a tenant": wanted.tenant !== "" && asTenantId(wanted.tenant) === null,
    [`--scope should be one of: ${[...scopes].sort().join(", ")}`]: !wanted.scope.every((scope) => scopes.has(scope)),
    "--days should be a number up to 3650": !/^\d{1,4}$/.test(wanted.days) || Number(wanted.days) > 3650,
  };
  const [refusal] = Object.entries(refusals).find(([, holds]) => holds) ?? [];
  if (refusal !== undefined) throw new Refusal(refusal);
}

/** The first of the values that says something. */
function told(...values: (string | undefined)[]): string | undefined {
  return values.find((each) => each !== undefined && each !== "");
}

async function connected(work: (client: pg.Client) => Promise<string>): Promise<string> {
  const { MIGRATE_DATABASE_URL, DATABASE_URL, DATABASE_SCHEMA, MIGRATE_ROLE } = process.env;
  const url = told(MIGRATE_DATABASE_URL, DATABASE_URL);
  const role = told(MIGRATE_ROLE);
  if (url === undefined) throw new Refusal("MIGRATE_DATABASE_URL is missing: a login that may act as app_owner.");
  const settings = {
    search_path: quoted(told(DATABASE_SCHEMA) ?? "public"),
    ...(role === undefined ? {} : { role }),
  };
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
    options: options(settings),
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function issue(client: pg.Client, wanted: Wanted): Promise<string> {
  check(wanted);
  const { key, id } = newKey(process.env["ENVIRONMENT"] ?? "");
  await client.query(
    `
    insert into api_key (id, hash, name, tenant, roles, scopes, expires_at)
    values ($1, $2, $3, nullif($4, ''), $5, $6, now() + nullif($7::integer, 0) * interval '1 day')
    `,
    [id, digest(key), wanted.name, wanted.tenant, wanted.role, wanted.scope, Number(wanted.days)],
  );
  return key;
}

async function list(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ line: string }>(
    `
    select concat_ws(E'\\t', id, name, coalesce(tenant, 'no tenant'), array_to_string(roles, ' '),
                     coalesce(nullif(array_to_string(scopes, ' '), ''), 'all scopes'),
                     coalesce('until ' || expires_at, 'for ever'),
                     coalesce('revoked ' || revoked_at, 'good'),
                     coalesce('used ' || last_used_at, 'never used')) as line
    from api_key
    order by created_at desc, id
    limit $1
    `,
    [MOST_LISTED],
  );
  return rows.map((row) => row.line).join("\n");
}

async function revoke(client: pg.Client, id: string): Promise<string> {
  const { rowCount } = await client.query(
    "update api_key set revoked_at = now() where id = $1 and revoked_at is null",
    [id],
  );
  if (rowCount !== 1) throw new Refusal(`There is no key ${id} that is not revoked already.`);
  return `revoked ${id}`;
}

if (isStarted(import.meta.filename)) {
  try {
    console.log(await main(process.argv.slice(2)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}
