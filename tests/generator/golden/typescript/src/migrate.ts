/**
 * `node dist/migrate.js up|down|status|drift|baseline|roles|seed`: plain SQL files, applied in order, each once.
 *
 * The files and the table `schema_migrations` are those of dbmate, which can take over at any time.
 */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import pg from "pg";

import { options, quoted } from "./core/db.js";
import { isStarted } from "./core/started.js";

const DATABASE = fileURLToPath(new URL("../db/", import.meta.url));
const LOCK = "7310591846021355009";
/** What only the service has: no other maker of its tables has made it. */
const OWN = ["_create_idempotency_keys.sql", "_create_api_keys.sql", "_to_its_members.sql"];
const LOCK_TRIES = 240;
const TRIES = 5;

// The service writes the audit log through its triggers and reads what was migrated; it rewrites neither, and issues no
// API keys.
const KEEP_HISTORY = `
do $$
declare
    holder text;
begin
    for holder in select rolname from pg_roles where rolname in ('app_api', 'app_admin') loop
        execute format('revoke insert, update, delete on schema_migrations from %I', holder);
        if to_regclass('audit_log') is not null then
            execute format('revoke update, delete on audit_log from %I', holder);
        end if;
        if to_regclass('api_key') is not null then
            execute format('revoke insert, update, delete on api_key from %I', holder);
            execute format('grant update (last_used_at) on api_key to %I', holder);
        end if;
        if to_regprocedure('freehold_services.session(text, text, bytea, text)') is not null then
            execute format('grant usage on schema freehold_services to %I', holder);
            execute format('grant execute on function freehold_services.session to %I', holder);
        end if;
    end loop;
end
$$
`;

/** The migrations cannot go on; the message says why and what to do. */
export class MigrationError extends Error {}

interface Migration {
  readonly version: string;
  readonly name: string;
  readonly text: string;
}

/** The migrations of a folder, in order. */
export function migrations(folder = join(DATABASE, "migrations")): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name) => ({
    version: name.split("_", 1)[0] ?? "",
    name,
    text: readFileSync(join(folder, name), "utf8"),
  }));
}

export function versions(): string[] {
  return migrations().map((migration) => migration.version);
}

/** The SQL of one direction, and whether it runs in a transaction. */
export function block(migration: Migration, direction: "up" | "down"): { sql: string; transactional: boolean } {
  for (const part of migration.text.split(/^-- migrate:/m).slice(1)) {
    const [head = "", ...lines] = part.split("\n");
    if (head.startsWith(direction)) {
      return { sql: lines.join("\n").trim(), transactional: !head.includes("transaction:false") };
    }
  }
  throw new MigrationError(`${migration.name} has no block \`-- migrate:${direction}\`.`);
}

function checksum(migration: Migration): string {
  return createHash("sha256").update(migration.text).digest("hex");
}

/** Run the work on a connection that holds the lock: polled, since a waiting one would deadlock CREATE INDEX CONCURRENTLY. */
export async function session<T>(
  url: string,
  schema: string,
  role: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const settings = { search_path: quoted(schema), ...(role === "" ? {} : { role }) };
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, options: options(settings) });
  await client.connect();
  try {
    await lock(client);
    await client.query(
      "create table if not exists schema_migrations (version varchar(128) primary key);" +
        "alter table schema_migrations add column if not exists checksum text;" +
        "alter table schema_migrations add column if not exists applied_at timestamptz(3) default now()",
    );
    return await work(client);
  } finally {
    await client.end();
  }
}

async function lock(client: pg.Client): Promise<void> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt += 1) {
    const { rows } = await client.query<{ held: boolean }>("select pg_try_advisory_lock($1) as held", [LOCK]);
    if (rows[0]?.held === true) return;
    await sleep(500);
  }
  throw new MigrationError("Another migration has been running for two minutes; try again when it is done.");
}

/** Version and checksum of what is applied; dbmate knows no checksums. */
export async function applied(client: pg.Client): Promise<Map<string, string | null>> {
  const { rows } = await client.query<{ version: string; checksum: string | null }>(
    "select version, checksum from schema_migrations order by version",
  );
  return new Map(rows.map((row) => [row.version, row.checksum]));
}

/** Apply what is missing. A migration that was edited after it was applied stops everything. */
export async function up(client: pg.Client, files = migrations()): Promise<void> {
  const done = await applied(client);
  for (const migration of files) {
    const known = done.get(migration.version);
    if (known === undefined) {
      const record = "insert into schema_migrations values ($1, $2)";
      await run(client, migration, "up", record, [migration.version, checksum(migration)]);
      console.log(`applied ${migration.name}`);
    } else if (known !== null && known !== checksum(migration)) {
      throw new MigrationError(
        `${migration.name} was edited after it was applied. Restore it, and add a new migration.`,
      );
    }
  }
  await client.query(KEEP_HISTORY);
}

/** Undo the last migration. */
export async function down(client: pg.Client): Promise<void> {
  const version = [...(await applied(client)).keys()].at(-1);
  if (version === undefined) throw new MigrationError("Nothing is applied.");
  const migration = migrations().find((each) => each.version === version);
  if (migration === undefined) {
    throw new MigrationError(`The last migration, ${version}, is not among the files of this version of the service.`);
  }
  await run(client, migration, "down", "delete from schema_migrations where version = $1", [version]);
  console.log(`undid ${migration.name}`);
}

async function run(
  client: pg.Client,
  migration: Migration,
  direction: "up" | "down",
  record: string,
  values: string[],
): Promise<void> {
  const { sql, transactional } = block(migration, direction);
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (transactional) {
        await inTransaction(client, async () => {
          await client.query(sql);
          await client.query(record, values);
        });
      } else {
        await dropInvalidIndex(client, sql);
        await client.query(sql);
        await client.query(record, values);
      }
      return;
    } catch (error) {
      const isLocked = error instanceof pg.DatabaseError && error.code === "55P03";
      if (!isLocked || attempt === TRIES) throw error;
      await sleep(1000 + Math.random() * 1000);
    }
  }
}

async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query("begin");
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

/** A failed concurrent build leaves an invalid index behind, which `if not exists` would take for good. */
async function dropInvalidIndex(client: pg.Client, sql: string): Promise<void> {
  const [, index] = /create (?:unique )?index concurrently (?:if not exists )?([^\s(]+)/i.exec(sql) ?? [];
  if (index === undefined) return;
  const invalid = "select from pg_index where indexrelid = to_regclass($1) and not indisvalid";
  const found = await client.query(invalid, [index]);
  if (found.rows.length > 0) await client.query(`drop index concurrently ${index}`);
}

export async function status(client: pg.Client): Promise<void> {
  const done = await applied(client);
  const files = migrations();
  for (const { version, name } of files) console.log(`${done.has(version) ? "applied" : "pending"}  ${name}`);
  const known = new Set(files.map((file) => file.version));
  for (const version of done.keys()) {
    if (!known.has(version)) console.log(`unknown  ${version} (applied by a newer version of the service)`);
  }
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly filled: boolean;
  readonly guarded: boolean;
}

const COLUMNS = `
    select c.relname || '.' || a.attname as name,
           format_type(a.atttypid, a.atttypmod) as type,
           a.attnotnull as required,
           a.atthasdef or a.attidentity <> '' or a.attgenerated <> '' as filled,
           c.relrowsecurity as guarded
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = (select oid from pg_namespace where nspname = $1)
      and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    order by 1
`;

/** Mark every migration as applied on a database that has these tables already, after comparing them. */
export async function baseline(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ schema: string }>("select current_schema() as schema");
  const schema = rows[0]?.schema ?? "";
  for (const migration of migrations()) {
    if (OWN.some((own) => migration.name.endsWith(own))) await client.query(block(migration, "up").sql);
  }
  const actual = await columnsOf(client, schema);
  const faults = differences(await wantedColumns(client), actual);
  if (faults.length > 0) {
    throw new MigrationError(
      `The tables are not the ones of this service:\n${faults.map((fault) => `  ${fault}\n`).join("")}`,
    );
  }
  for (const migration of migrations()) {
    await client.query("insert into schema_migrations values ($1, $2) on conflict do nothing", [
      migration.version,
      checksum(migration),
    ]);
    console.log(`marked ${migration.name}`);
  }
  await grant(client, schema);
}

async function columnsOf(client: pg.Client, schema: string): Promise<Map<string, Column>> {
  const { rows } = await client.query<Column>(COLUMNS, [schema]);
  return new Map(rows.map((row) => [row.name, row]));
}

/** The columns that the migrations make: in a schema of their own, which is rolled back. */
async function wantedColumns(client: pg.Client): Promise<Map<string, Column>> {
  return madeAnew(client, migrations(), (scratch) => columnsOf(client, scratch));
}

/** Work on what the migrations make, in a schema of its own that is searched meanwhile, and rolled back. */
async function madeAnew<T>(
  client: pg.Client,
  made: readonly Migration[],
  work: (scratch: string) => Promise<T>,
): Promise<T> {
  const scratch = `scratch_${randomBytes(4).toString("hex")}`;
  await client.query("begin");
  try {
    await client.query(`create schema ${scratch}; set local search_path = ${scratch}`);
    for (const migration of made) {
      await client.query(block(migration, "up").sql.replaceAll(/\s+concurrently\s+/gi, " "));
    }
    return await work(scratch);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === "42501") {
      throw new MigrationError(
        `${error.message}. Run \`roles\` again as the administrator: it lets app_owner make a schema.`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await client.query("rollback");
  }
}

/** An object that is not as the applied migrations make it. */
export interface Drift {
  readonly object: string;
  readonly drift: "missing" | "extra" | "differs";
  readonly fact?: string;
  readonly is?: string | null;
  readonly should_be?: string | null;
}

/** What is there, compared with what the applied migrations make. */
export async function drift(client: pg.Client): Promise<Drift[]> {
  const done = await applied(client);
  const files = migrations();
  for (const [version, then] of done) {
    const known = files.find((file) => file.version === version);
    if (known === undefined) {
      throw new MigrationError(`${version} was applied by a newer version of the service: ask that one.`);
    }
    if (then !== null && then !== checksum(known)) {
      throw new MigrationError(`${known.name} was edited after it was applied. Restore it.`);
    }
  }
  const actual = await factsOf(client);
  const made = files.filter((file) => done.has(file.version));
  return drifts(await madeAnew(client, made, () => factsOf(client)), actual);
}

type Facts = ReadonlyMap<string, ReadonlyMap<string, string>>;

async function factsOf(client: pg.Client): Promise<Facts> {
  const query = readFileSync(join(DATABASE, "catalog.sql"), "utf8");
  const { rows } = await client.query<{ name: string; fact: string; value: string }>(query);
  const found = new Map<string, Map<string, string>>();
  for (const { name, fact, value } of rows) {
    found.set(name, (found.get(name) ?? new Map<string, string>()).set(fact, value));
  }
  return found;
}

/** Each object that is missing or extra, without what belongs to it, and each fact that differs. */
function drifts(wanted: Facts, actual: Facts): Drift[] {
  const found: Drift[] = [];
  for (const object of sorted(wanted, actual)) {
    const table = `table ${object.slice(object.indexOf(" ") + 1).split(".", 1)[0] ?? ""}`;
    const should = wanted.get(object);
    const is = actual.get(object);
    if (should !== undefined && is !== undefined) {
      for (const fact of sorted(should, is)) {
        const [value, other] = [is.get(fact) ?? null, should.get(fact) ?? null];
        if (value !== other) found.push({ object, drift: "differs", fact, is: value, should_be: other });
      }
    } else {
      const [there, elsewhere] = is === undefined ? [wanted, actual] : [actual, wanted];
      const isToldAlready = object !== table && there.has(table) && !elsewhere.has(table);
      if (!isToldAlready) found.push({ object, drift: is === undefined ? "missing" : "extra" });
    }
  }
  return found;
}

function sorted(...maps: readonly ReadonlyMap<string, unknown>[]): string[] {
  return [...new Set(maps.flatMap((map) => [...map.keys()]))].sort();
}

async function tellDrift(client: pg.Client, asJson = false): Promise<void> {
  const found = await drift(client);
  if (asJson) {
    console.log(JSON.stringify({ drift: found }));
  } else if (found.length === 0) {
    console.log("The database is what its applied migrations say.");
  } else {
    for (const each of found) console.log(toldDrift(each));
  }
  if (found.length > 0) process.exitCode = 2;
}

function toldDrift(each: Drift): string {
  const line = `${each.drift.padEnd(7)}  ${each.object}`;
  if (each.drift !== "differs") return line;
  const [is, shouldBe] = [each.is, each.should_be].map((value) => (value === "" ? "empty" : (value ?? "not there")));
  return `${line}: ${each.fact ?? ""} is ${is ?? ""}, and should be ${shouldBe ?? ""}`;
}

/** What db/roles.sql arranges for tables that the migrations make, for tables that were there before. */
async function grant(client: pg.Client, schema: string): Promise<void> {
  const roles = await client.query("select from pg_roles where rolname = 'app_api'");
  if (roles.rows.length === 0) {
    console.log("there is no role app_api yet: make it, and run this again");
    return;
  }
  const { rows } = await client.query<{ database: string; allowed: boolean }>(
    "select quote_ident(current_database()) as database," +
      " has_database_privilege('app_api', current_database(), 'connect') as allowed",
  );
  if (rows[0]?.allowed === false) await client.query(`grant connect on database ${rows[0].database} to app_api`);
  const namespace = quoted(schema);
  await client.query(
    `grant usage on schema ${namespace} to app_api;` +
      `grant select, insert, update, delete on all tables in schema ${namespace} to app_api;` +
      `alter default privileges in schema ${namespace} grant select, insert, update, delete on tables to app_api`,
  );
  await client.query(KEEP_HISTORY);
  console.log(`app_api may use the tables of ${schema}`);
}

/** What keeps the service from working on the actual tables. Further columns may be there if they fill in. */
function differences(wanted: ReadonlyMap<string, Column>, actual: ReadonlyMap<string, Column>): string[] {
  const faults: string[] = [];
  for (const [name, column] of wanted) {
    const found = actual.get(name);
    if (found === undefined) faults.push(`${name} is missing`);
    else if (found.type !== column.type) faults.push(`${name} is ${found.type}, and should be ${column.type}`);
    else if (found.required !== column.required)
      faults.push(`${name} should ${column.required ? "not " : ""}be nullable`);
    else if (column.guarded && !found.guarded) faults.push(`${name}: row-level security is not enabled on its table`);
  }
  const tables = new Set([...wanted.keys()].map(tableOf));
  for (const [name, column] of actual) {
    const isNew = tables.has(tableOf(name)) && !wanted.has(name);
    if (isNew && column.required && !column.filled)
      faults.push(`${name} is required, and the service does not know it`);
  }
  return faults;
}

function tableOf(column: string): string {
  return column.split(".", 1)[0] ?? "";
}

const COMMANDS = { up, down, status, drift: tellDrift, baseline };

async function asAdministrator(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const url = process.env["ADMIN_DATABASE_URL"] ?? "";
  if (url === "") {
    throw new MigrationError(
      "ADMIN_DATABASE_URL is missing: a login that may create roles. `make` reads it from .env, a copy of .env.example.",
    );
  }
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** Run db/roles.sql as the administrator, and give app_api the password of APP_API_PASSWORD, if there is one. */
async function roles(): Promise<void> {
  const password = process.env["APP_API_PASSWORD"] ?? "";
  await asAdministrator(async (client) => {
    await client.query(readFileSync(join(DATABASE, "roles.sql"), "utf8"));
    if (password !== "") await client.query(`alter role app_api password ${client.escapeLiteral(password)}`);
  });
  console.log("the roles app_owner, app_api and app_admin are there");
}

/** Run db/seed.sql as app_admin: rows to try the service with. */
async function seed(): Promise<void> {
  if (process.env["ENVIRONMENT"] === "production") {
    throw new MigrationError("The seeds are for development, and ENVIRONMENT is production.");
  }
  await asAdministrator(async (client) => {
    await client.query("set role app_admin");
    await client.query(readFileSync(join(DATABASE, "seed.sql"), "utf8"));
  });
  console.log("the rows of db/seed.sql are there");
}

const ADMINISTRATION = { roles, seed };

/** Run one command against the database that the environment names. */
export async function main(command: string, asJson = false): Promise<void> {
  if (isOneOf(ADMINISTRATION, command)) {
    await ADMINISTRATION[command]();
    return;
  }
  if (!isOneOf(COMMANDS, command) || (asJson && command !== "drift")) {
    const commands = [...Object.keys(COMMANDS), ...Object.keys(ADMINISTRATION)];
    throw new MigrationError(`usage: node dist/migrate.js ${commands.join("|")}; drift takes --json`);
  }
  const { MIGRATE_DATABASE_URL, DATABASE_URL, DATABASE_SCHEMA, MIGRATE_ROLE } = process.env;
  const url = [MIGRATE_DATABASE_URL, DATABASE_URL].find((each) => each !== undefined && each !== "");
  if (url === undefined) {
    throw new MigrationError("MIGRATE_DATABASE_URL is missing: a login that may act as app_owner.");
  }
  const schema = DATABASE_SCHEMA === undefined || DATABASE_SCHEMA === "" ? "public" : DATABASE_SCHEMA;
  await session(url, schema, MIGRATE_ROLE ?? "", (client) =>
    asJson ? tellDrift(client, true) : COMMANDS[command](client),
  );
}

function isOneOf<T extends object>(commands: T, command: string): command is keyof T & string {
  return Object.hasOwn(commands, command);
}

if (isStarted(import.meta.filename)) {
  try {
    await main(process.argv[2] ?? "", process.argv[3] === "--json");
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
