/** Migrations: forwards, backwards, twice at once, and onto tables that are there already. */
import assert from "node:assert/strict";
import { test } from "node:test";

import pg from "pg";

import * as migrate from "../src/migrate.js";
import { RESOURCES } from "./resources.js";
import { preparedDatabase } from "./service.js";

async function tables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ tablename: string }>(
    "select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' order by 1",
  );
  return rows.map((row) => row.tablename);
}

test("every migration can be undone and done again", async () => {
  const url = await preparedDatabase();
  await migrate.session(url, "public", "app_owner", async (client) => {
    await migrate.up(client);
    const first = await tables(client);
    for (let count = migrate.versions().length; count > 0; count -= 1) await migrate.down(client);
    const between = await tables(client);
    await migrate.up(client);

    assert.ok(first.length > 0);
    assert.deepEqual(between, []);
    assert.deepEqual(await tables(client), first);
  });
});

test("ten replicas that start at once do not collide", async () => {
  const url = await preparedDatabase();
  const up = () => migrate.session(url, "public", "app_owner", (client) => migrate.up(client));
  await Promise.all(Array.from({ length: 10 }, up));
  const applied = await migrate.session(url, "public", "app_owner", migrate.applied);

  assert.deepEqual([...applied.keys()], migrate.versions());
});

test("an edited migration is refused", async () => {
  const url = await preparedDatabase();
  const edited = migrate.migrations().map((migration) => ({ ...migration, text: `${migration.text}\n-- edited\n` }));
  await migrate.session(url, "public", "app_owner", async (client) => {
    await migrate.up(client);
    await assert.rejects(migrate.up(client, edited), /edited after it was applied/);
  });
});

test("a migration that fails leaves nothing behind", async () => {
  const url = await preparedDatabase();
  const broken = {
    version: "1",
    name: "1_broken.sql",
    text: "-- migrate:up\ncreate table half();\nselect 1/0;\n-- migrate:down\n",
  };
  await migrate.session(url, "public", "app_owner", async (client) => {
    await assert.rejects(migrate.up(client, [broken]), /division by zero/);

    assert.deepEqual(await tables(client), []);
    assert.equal((await migrate.applied(client)).size, 0);
  });
});

test("baseline takes the right tables and refuses others", async () => {
  const url = await preparedDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("create schema elsewhere; set search_path = elsewhere");
  for (const migration of migrate.migrations()) await client.query(migrate.block(migration, "up").sql);
  await client.end();
  const [resource] = RESOURCES.slice(-1);
  const column = resource?.columns["id"] ?? "";

  await migrate.session(url, "elsewhere", "", async (session) => {
    await migrate.baseline(session);
    assert.deepEqual([...(await migrate.applied(session)).keys()], migrate.versions());
    await migrate.up(session);
    await session.query(
      `delete from schema_migrations; alter table ${resource?.table ?? ""} drop column ${column} cascade`,
    );
    await assert.rejects(migrate.baseline(session), /is missing/);
    assert.equal((await migrate.applied(session)).size, 0);
  });
});
