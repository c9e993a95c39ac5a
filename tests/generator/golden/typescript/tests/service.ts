/** A real PostgreSQL and the real application, for the tests of one file. */
import { readFileSync } from "node:fs";
import { after } from "node:test";

import pg from "pg";

import { createApp } from "../src/app.js";
import { newId } from "../src/core/ids.js";
import * as migrate from "../src/migrate.js";
import { load } from "../src/settings.js";
import { SCARCE_KEYS } from "./resources.js";

export const ADMIN_URL = process.env["TEST_DATABASE_URL"] ?? "postgresql://postgres:postgres@127.0.0.1:5432/postgres";
export const SECRET = `only-for-tests-${"0123456789".repeat(3)}`;

// The tests read what failed, and nothing else.
console.log = () => undefined;

/** An empty database, which is gone after the tests. */
export async function emptyDatabase(): Promise<string> {
  const name = `test_${newId().replaceAll("-", "")}`;
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  await asAdministrator(ADMIN_URL, `create database ${name}`);
  after(() => asAdministrator(ADMIN_URL, `drop database ${name} with (force)`));
  return url.href;
}

/** An empty database that has the roles of the service. */
export async function preparedDatabase(): Promise<string> {
  const url = await emptyDatabase();
  await asAdministrator(url, readFileSync(new URL("../db/roles.sql", import.meta.url), "utf8"));
  return url;
}

async function asAdministrator(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function migratedDatabase(): Promise<string> {
  const url = await preparedDatabase();
  await migrate.session(url, "public", "app_owner", migrate.up);
  for (const statement of SCARCE_KEYS) await asAdministrator(url, statement);
  return url;
}

// Hooks run in the order in which they were made: the service has to let go of the database first.
let close: () => Promise<unknown> = () => Promise.resolve();
after(() => close());

export const databaseUrl = await migratedDatabase();
export const settings = load({
  DATABASE_URL: databaseUrl,
  DATABASE_ROLE: "app_api",
  AUTH_PROVIDER: "dev",
  AUTH_DEV_SECRET: SECRET,
  LOG_LEVEL: "error",
});
export const app = await createApp(settings);
await app.db.open();

/** The administrator's way to the database, past the service. */
const administrator = new pg.Client({ connectionString: databaseUrl });
await administrator.connect();
close = () => Promise.all([app.server.close(), administrator.end()]);

export async function sql(statement: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  return (await administrator.query<Record<string, unknown>>(statement, values)).rows;
}
