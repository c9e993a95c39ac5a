/** What belongs to a row: shown with it, linked to it, and only to those who may see both; and lists as CSV. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { hidden, mayWrite, named, RESOURCES, roleWith, roleWithAll, SCOPED, without } from "./resources.js";
import { able, Caller, newRow, newTenant, pathTo, unknownId } from "./world.js";

for (const resource of SCOPED) {
  const { name, path } = resource;

  for (const [relation, { target, many, guard, body }] of Object.entries(resource.relations)) {
    test(`${name}: ${relation} is shown with a row, if the caller may see it`, without(`${name}:read`, `${target}:read`), async () => {
      const tenant = await newTenant();
      const row = await newRow(resource, tenant);
      const reader = able(`${name}:read`, tenant);
      const answer = await reader.get(pathTo(resource, row), { include: relation });
      const listed = await reader.get(path, { include: relation, "id.in": String(row.id) });
      if (hidden(named(guard[0]), reader.role).includes(guard[1])) {
        assert.equal(answer.status, 400);
        return;
      }

      if (answer.status === 403) return; // the role sees no row of the other resource
      assert.equal(answer.status, 200, answer.text);
      assert.equal(Array.isArray(answer.row[relation]), many);
      assert.deepEqual(listed.list.data[0]?.[relation], answer.row[relation]);
      assert.ok(!("etag" in answer.headers));
    });

    const role = roleWithAll(`${name}:read`, `${name}:update`, `${target}:read`);
    if (body === "" || role === undefined || !mayWrite(resource, body, role)) continue;
    test(`${name}: ${relation} are linked and unlinked, and never with what is not there`, async () => {
      const tenant = await newTenant();
      const writer = new Caller(role, tenant);
      const row = await newRow(resource, tenant);
      const other = await newRow(named(target), tenant);
      const foreign = await newRow(named(target), await newTenant());
      const at = (each: { id: unknown }) => `${pathTo(resource, row)}/${relation.replaceAll("_", "-")}/${String(each.id)}`;
      const linked = await writer.request("PUT", at(other));
      const again = await writer.request("PUT", at(other));
      const shown = await writer.get(pathTo(resource, row), { include: relation });
      const refused = await writer.patch(pathTo(resource, row), { [body]: [unknownId(named(target))] });
      const unlinked = await writer.delete(at(other));

      assert.deepEqual([linked.status, again.status, unlinked.status], [204, 204, 204], linked.text);
      assert.deepEqual((shown.row[relation] as { id: unknown }[]).map((each) => each.id), [other.id]);
      assert.deepEqual([refused.status, refused.problem.errors[0]?.pointer], [422, `/${body}/0`]);
      if (named(target).tenant === "scoped") assert.equal((await writer.request("PUT", at(foreign))).status, 404);
    });
  }

  test(`${name}: a list is also a CSV of every row`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const ids = [(await newRow(resource, tenant)).id, (await newRow(resource, tenant)).id];
    const reader = able(`${name}:read`, tenant);
    const answer = await reader.get(path, {}, { accept: "text/csv" });
    const refused = await reader.get(path, { limit: "1" }, { accept: "text/csv" });

    assert.equal(answer.headers["content-type"], "text/csv; charset=utf-8");
    assert.ok(answer.text.startsWith("id,"), answer.text);
    for (const id of ids) assert.ok(answer.text.includes(`${String(id)},`));
    for (const field of hidden(resource, reader.role)) assert.ok(!answer.text.split("\r\n", 1)[0]?.split(",").includes(field));
    assert.deepEqual([refused.status, refused.problem.errors[0]?.parameter], [400, "limit"]);
  });
}

test("a relation that there is none of is refused", async () => {
  const resource = RESOURCES.find((each) => roleWith(`${each.name}:read`) !== undefined);
  assert.ok(resource);
  const refused = await able(`${resource.name}:read`, await newTenant()).get(resource.path, { include: "constructor" });

  assert.deepEqual([refused.status, refused.problem.errors[0]?.parameter], [400, "include"]);
});
