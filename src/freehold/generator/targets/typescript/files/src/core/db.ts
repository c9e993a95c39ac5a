/** The database: one pool, and one transaction per request that carries the caller's tenant. */
import pg from "pg";

import { TENANT_TABLES } from "../constraints.js";
import type { TenantId } from "../permissions.js";
import type { Settings } from "../settings.js";
import type { Caller } from "./access.js";
import { types } from "./codecs.js";
import { DatabaseUnreachable } from "./errors.js";

export type Row = Record<string, unknown>;

/** Runs a statement, and may look at how it goes. */
export type Watch = <T>(sql: string, run: () => Promise<T>) => Promise<T>;

const TRIES = 4;
const NAMED_STATEMENTS = 256;

/** One transaction on behalf of one caller. There is no other way to the tables. */
export class Tx {
  readonly #query: (sql: string, values: readonly unknown[]) => Promise<unknown[]>;

  constructor(
    query: (sql: string, values: readonly unknown[]) => Promise<unknown[]>,
    readonly caller: Caller,
    readonly tenantId: TenantId | null,
  ) {
    this.#query = query;
  }

  async one<T = Row>(sql: string, values: readonly unknown[] = []): Promise<T | undefined> {
    const [row] = await this.#query(sql, values);
    return row as T | undefined;
  }

  async all<T = Row>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#query(sql, values)) as T[];
  }

  /** The first column of the first row. */
  async value(sql: string, values: readonly unknown[] = []): Promise<unknown> {
    return (await this.ids(sql, values))[0];
  }

  /** The first column of every row. */
  async ids(sql: string, values: readonly unknown[] = []): Promise<unknown[]> {
    return (await this.all(sql, values)).map((row) => Object.values(row)[0]);
  }

  async execute(sql: string, values: readonly unknown[] = []): Promise<void> {
    await this.#query(sql, values);
  }

  /** The rows of the cursor that a statement declares, some at a time. */
  async *parts<T = Row>(cursor: string, declare: string, values: readonly unknown[]): AsyncGenerator<T[]> {
    await this.#query(declare, values);
    for (;;) {
      const rows = await this.all<T>(`fetch 500 from ${cursor}`);
      if (rows.length === 0) return;
      yield rows;
    }
  }

  /** The caller's id as it is written into created_by and updated_by. */
  get actor(): string | number | null {
    return this.caller.actor;
  }
}

/** The connection pool of this process. */
export class Database {
  readonly #pool: pg.Pool;
  readonly #names: StatementNames | undefined;
  readonly #watch: Watch;

  constructor(settings: Settings, watch: Watch = (_sql, run) => run()) {
    this.#watch = watch;
    this.#pool = new pg.Pool({
      connectionString: settings.databaseUrl,
      max: settings.databasePoolSize,
      connectionTimeoutMillis: 5_000,
      query_timeout: 20_000,
      application_name: settings.service,
      options: options(connectionSettings(settings)),
      types,
    });
    this.#pool.on("error", () => {
      // An idle connection broke. The pool has dropped it already, and the next request opens another.
    });
    this.#names = settings.pgbouncer ? undefined : new StatementNames();
  }

  /** Connect, and refuse to serve with a role that row-level security does not hold. */
  async open(): Promise<void> {
    await this.#connected(refuseUnsafeRole);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  get poolSize(): { idle: number; used: number } {
    return { idle: this.#pool.idleCount, used: this.#pool.totalCount - this.#pool.idleCount };
  }

  /**
   * A transaction in the caller's tenant. It is committed before this returns, so before you answer. It is run again
   * when PostgreSQL chose it as the victim of a deadlock or a write conflict.
   */
  async tx<T>(caller: Caller, work: (tx: Tx) => Promise<T>, tenantId = caller.tenantId): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#connected((client) => this.#transaction(client, caller, tenantId, work));
      } catch (error) {
        if (attempt === TRIES || !isVictim(error)) throw error;
      }
    }
  }

  async #transaction<T>(
    client: pg.PoolClient,
    caller: Caller,
    tenantId: TenantId | null,
    work: (tx: Tx) => Promise<T>,
  ): Promise<T> {
    const tx = await this.#begin(client, caller, tenantId);
    try {
      const result = await work(tx);
      await this.#watch("commit", () => client.query("commit"));
      return result;
    } catch (error) {
      if (!isBroken(error)) await this.#watch("rollback", () => client.query("rollback"));
      throw error;
    }
  }

  async #begin(client: pg.PoolClient, caller: Caller, tenantId: TenantId | null): Promise<Tx> {
    const query = async (text: string, values: readonly unknown[]): Promise<unknown[]> => {
      const name = this.#names?.of(text);
      const query = { text, values: [...values], ...(name === undefined ? {} : { name }) };
      return (await this.#watch(text, () => client.query<Row>(query))).rows;
    };
    // One round trip: the simple protocol takes two statements.
    const begin =
      "begin; select " +
      `set_config('app.tenant_id', ${literal(tenantId)}, true), ` +
      `set_config('app.actor_id', ${literal(caller.actor)}, true), ` +
      `set_config('app.request_id', ${literal(caller.requestId)}, true)`;
    await this.#watch(begin, () => client.query(begin));
    return new Tx(query, caller, tenantId);
  }

  /** What is read in a transaction, as it is read. The transaction ends with it, or when nobody reads on. */
  async *read<T>(caller: Caller, work: (tx: Tx) => AsyncIterable<T>): AsyncGenerator<T> {
    const client = await this.#connect();
    let error: unknown;
    try {
      yield* work(await this.#begin(client, caller, caller.tenantId));
    } catch (thrown) {
      error = thrown;
      throw thrown;
    } finally {
      if (!isBroken(error)) await client.query("rollback");
      client.release(isBroken(error));
    }
  }

  async ping(): Promise<void> {
    await this.#connected((client) => client.query("select 1"));
  }

  async appliedMigrations(): Promise<Set<string>> {
    return this.#connected(async (client) => {
      const table = await client.query<{ found: boolean }>("select to_regclass('schema_migrations') is not null as found");
      if (table.rows[0]?.found !== true) return new Set();
      const applied = await client.query<{ version: string }>("select version from schema_migrations");
      return new Set(applied.rows.map((row) => row.version));
    });
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (error instanceof pg.DatabaseError) throw error;
      throw new DatabaseUnreachable("no connection could be had", { cause: error });
    }
  }

  /** Run the work on a connection of its own. One that may not be in order is not given back to the pool. */
  async #connected<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      const broken = isBroken(error);
      client.release(broken);
      throw broken ? new DatabaseUnreachable("the connection was lost", { cause: error }) : error;
    }
  }
}

/** Names for prepared statements. A connection keeps every one that it was given, so that only so many get one. */
class StatementNames {
  readonly #names = new Map<string, string>();

  of(sql: string): string | undefined {
    const known = this.#names.get(sql);
    if (known !== undefined || this.#names.size >= NAMED_STATEMENTS) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(sql, name);
    return name;
  }
}

/** What each connection starts with. Nothing is ever set for a session later on. */
export function connectionSettings(settings: Settings): Record<string, string> {
  return {
    search_path: quoted(settings.databaseSchema),
    statement_timeout: "15000",
    idle_in_transaction_session_timeout: "30000",
    timezone: "UTC",
    datestyle: "ISO, YMD",
    bytea_output: "hex",
    standard_conforming_strings: "on",
    ...(settings.databaseRole === "" ? {} : { role: settings.databaseRole }),
  };
}

/** The settings as a connection sends them at its start. */
export function options(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(/[\\\s]/g, "\\$&")}`)
    .join(" ");
}

/** Row-level security does not bind superusers, BYPASSRLS roles and owners: never serve as one. */
async function refuseUnsafeRole(client: pg.ClientBase): Promise<void> {
  const roles = await client.query<{ rolname: string; unbound: boolean }>(
    "select rolname, rolsuper or rolbypassrls as unbound from pg_roles where rolname = current_user",
  );
  const name = roles.rows[0]?.rolname ?? "";
  if (roles.rows[0]?.unbound !== false) {
    throw new UnsafeRole(
      `The database role ${name} bypasses row-level security (superuser or BYPASSRLS). ` +
        "Let DATABASE_URL or DATABASE_ROLE name app_api, which db/roles.sql makes.",
    );
  }
  const tables = await client.query<{ relname: string; guarded: boolean; owned: boolean }>(
    `
    select relname, relrowsecurity and relforcerowsecurity as guarded,
           pg_has_role(current_user, relowner, 'usage') as owned
    from pg_class
    where relnamespace = to_regnamespace(quote_ident(current_schema()))::oid and relname = any($1)
    `,
    [TENANT_TABLES],
  );
  for (const table of tables.rows) {
    if (table.owned) {
      throw new UnsafeRole(
        `The database role ${name} owns the table ${table.relname}. Tables belong to app_owner; serve as app_api.`,
      );
    }
    if (!table.guarded) {
      throw new UnsafeRole(`Row-level security is not enabled and forced on the table ${table.relname}.`);
    }
  }
}

/** The service may not run with this database role. */
export class UnsafeRole extends Error {}

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

function literal(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return `'${text.replaceAll("\0", "").replaceAll("'", "''")}'`;
}

/** Whether PostgreSQL chose the transaction as the victim of a deadlock or a write conflict. */
export function isVictim(error: unknown): boolean {
  return error instanceof pg.DatabaseError && (error.code === "40001" || error.code === "40P01");
}

/** Whether the error came from the connection rather than from a statement: then it has no SQLSTATE, or one of class 57P. */
function isBroken(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return error.code?.startsWith("57P") ?? true;
  return error instanceof Error && /^(Query read timeout|Connection terminated|Client has encountered)|ECONN|EPIPE/.test(error.message);
}
