/** Many rows in one request, and one request sent twice. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { RESOURCES, roleWithAll, without, writable } from "./resources.js";
import { sql } from "./service.js";
import { able, bodyOf, Caller, newRow, newTenant, pathTo, unknownId, type Row } from "./world.js";

async function count(table: string): Promise<unknown> {
  return (await sql(`select count(*) as count from ${table}`))[0]?.["count"];
}

for (const resource of RESOURCES.filter((each) => each.tenant !== "self" && !each.read_only)) {
  const { name, path, table } = resource;

  test(`${name}: many are made, changed and deleted at once`, without(`${name}:create`, `${name}:update`, `${name}:delete`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const bodies = [await bodyOf(resource, tenant, writer.role), await bodyOf(resource, tenant, writer.role)];
    const made = await writer.post(`${path}/batch`, { items: bodies });
    assert.equal(made.status, 201, made.text);
    const ids = made.ids;
    const change = Object.fromEntries(Object.entries(writable(resource, able(`${name}:update`, tenant).role)).slice(0, 1));
    const changes = ids.map((id) => ({ id, ...(ids[0] === id ? change : {}) }));
    const changed = await able(`${name}:update`, tenant).post(`${path}/batch-update`, { items: changes });
    const deleted = await able(`${name}:delete`, tenant).post(`${path}/batch-delete`, { ids });

    assert.equal(new Set(ids).size, 2);
    assert.deepEqual([changed.status, changed.ids], [200, ids], changed.text);
    assert.deepEqual([deleted.status, deleted.text], [204, ""]);
  });

  test(`${name}: of many none is made when one is wrong, and the refusal points at it`, without(`${name}:create`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const body = await bodyOf(resource, tenant, writer.role);
    const before = await count(table);
    const refused = await writer.post(`${path}/batch`, { items: [body, { ...body, no_such_field: 1 }] });

    assert.deepEqual([refused.status, refused.problem.errors[0]?.pointer], [422, "/items/1/no_such_field"]);
    assert.equal(await count(table), before);
  });

  test(`${name}: of many none is deleted when one is not there`, without(`${name}:delete`, `${name}:read`), async () => {
    const tenant = await newTenant();
    const row = await newRow(resource, tenant);
    const ids = [row.id, unknownId(resource)];
    const refused = await able(`${name}:delete`, tenant).post(`${path}/batch-delete`, { ids });

    assert.deepEqual([refused.status, refused.problem.errors[0]?.pointer], [404, "/ids/1"]);
    assert.equal((await able(`${name}:read`, tenant).get(pathTo(resource, row))).status, 200);
  });

  test(`${name}: a create that comes twice has one effect`, without(`${name}:create`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const body = await bodyOf(resource, tenant, writer.role);
    const headers = { "idempotency-key": `key of ${name}` };
    const send = (sent: Row) => writer.request("POST", path, { body: sent, headers });
    const before = Number(await count(table));
    const [first, second] = await Promise.all([send(body), send(body)]);
    const other = await send({ ...body, ...(await bodyOf(resource, tenant, writer.role)) });

    assert.deepEqual([first.status, second.status], [201, 201], first.text);
    assert.deepEqual(second.row, first.row);
    assert.equal([first, second].filter((answer) => answer.headers["idempotency-replayed"] === "true").length, 1);
    assert.equal(Number(await count(table)), before + 1);
    assert.ok(other.status === 201 || other.problem.code === "idempotency_key_reused");
  });

  if (resource.natural_key !== "") {
    const upserter = roleWithAll(`${name}:create`, `${name}:update`, `${name}:read`);
    test(`${name}: an item that is known by its natural key is left or changed, as is asked`, { skip: upserter === undefined }, async () => {
      const tenant = await newTenant();
      const writer = new Caller(upserter ?? "", tenant);
      const body = await bodyOf(resource, tenant, writer.role);
      const send = (conflict: string) => writer.post(`${path}/batch`, { items: [body], on_conflict: conflict });
      const made = await send("update");
      const known = await send("ignore");
      const taken = await send("error");

      assert.deepEqual([made.status, known.status], [201, 201], made.text);
      assert.deepEqual(known.ids, made.ids);
      assert.deepEqual([taken.status, taken.problem.code], [409, "unique_violation"]);
    });
  }
}
