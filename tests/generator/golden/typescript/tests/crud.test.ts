/** Create, read, change and delete, with everything that has to be refused on the way. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { hidden, named, RESOURCES, without, writable } from "./resources.js";
import { able, bodyOf, newRow, newTenant, pathTo, rowOf, unknownId } from "./world.js";

for (const resource of RESOURCES) {
  const { name, path } = resource;

  test(`${name}: what is created can be read back`, without(`${name}:create`, `${name}:read`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const body = await bodyOf(resource, tenant, writer.role);
    const created = await writer.post(path, body);

    assert.equal(created.status, 201, created.text);
    const shown = created.row;
    for (const [field, value] of Object.entries(body)) assert.deepEqual(shown[field] ?? value, value);
    assert.equal(created.headers["location"], `${path}/${String(shown["id"])}`);
    assert.ok(created.headers["x-request-id"]);
    if (resource.versioned) assert.equal(created.headers["etag"], '"1"');
    const reader = able(`${name}:read`, resource.tenant === "self" ? String(shown["id"]) : tenant);
    const read = await reader.get(created.headers["location"]);
    assert.equal(read.status, 200);
    if ([writer, reader].every((caller) => hidden(resource, caller.role).length === 0))
      assert.deepEqual(read.row, shown);
  });

  test(`${name}: a change shows and counts as a version`, without(`${name}:update`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:update`, tenant);
    const row = await rowOf(resource, tenant);
    const [[field, value] = ["", undefined]] = Object.entries(writable(resource, writer.role));
    const changed = await writer.patch(pathTo(resource, row), field === "" ? {} : { [field]: value });

    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.row[field] ?? value, value);
    if (resource.versioned) {
      assert.equal(changed.row["version"], 2);
      assert.equal(changed.headers["etag"], '"2"');
    }
  });

  test(`${name}: what is deleted is gone`, without(`${name}:delete`, `${name}:read`), async () => {
    const tenant = await newTenant();
    const eraser = able(`${name}:delete`, tenant);
    const reader = able(`${name}:read`, tenant);
    const row = await rowOf(resource, tenant);
    const gone = await eraser.delete(pathTo(resource, row));

    assert.equal(gone.status, 204, gone.text);
    assert.equal((await reader.get(pathTo(resource, row))).status, 404);
    assert.ok(!(await reader.get(path)).ids.includes(row.id));
    assert.equal((await eraser.delete(pathTo(resource, row))).status, 404);
  });

  test(`${name}: a body with an unknown key is refused`, without(`${name}:create`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const body = await bodyOf(resource, tenant, writer.role);

    for (const key of ["tenant_id", "id", "version", "created_at", "__proto__", "constructor", "no such/key"]) {
      const payload = JSON.stringify(body).replace(
        /^\{/,
        `{${JSON.stringify(key)}:"x"${Object.keys(body).length > 0 ? "," : ""}`,
      );
      const refused = await writer.request("POST", path, { payload, headers: { "content-type": "application/json" } });
      assert.equal(refused.status, 422, refused.text);
      const [error] = refused.problem.errors;
      assert.deepEqual([error?.pointer, error?.code], [`/${key.replace("/", "~1")}`, "unknown_field"]);
    }
  });

  test(`${name}: each required field is asked for`, without(`${name}:create`), async () => {
    const refused = await able(`${name}:create`, await newTenant()).post(path, {});

    assert.ok([201, 422].includes(refused.status));
    const asked = refused.status === 201 ? [] : refused.problem.errors.map((error) => error.pointer);
    for (const field of resource.required) assert.ok(asked.includes(`/${field}`), field);
  });

  test(`${name}: values of the wrong type are refused`, without(`${name}:create`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const body = await bodyOf(resource, tenant, writer.role);

    for (const [field, value] of Object.entries(body)) {
      const isContainer = typeof value === "object" && value !== null;
      const containers = isContainer ? [] : [{ $ne: null }, [["a"]]];
      const numbers = typeof value === "number" && !Number.isInteger(value) ? [] : [2 ** 70];
      for (const wrong of [...containers, "\0", ...numbers, typeof value === "boolean" ? "yes" : true]) {
        const refused = await writer.post(path, { ...body, [field]: wrong });
        assert.equal(refused.status, 422, `${field} ${JSON.stringify(wrong)}: ${refused.text}`);
        assert.match(refused.problem.errors[0]?.pointer ?? "", new RegExp(`^/${field}`));
      }
    }
  });

  test(`${name}: syntax is refused before content`, without(`${name}:create`), async () => {
    const writer = able(`${name}:create`, await newTenant());
    const send = (payload: string, type = "application/json") =>
      writer.request("POST", path, { payload, headers: { "content-type": type } });
    const broken = await send('{"name": ');
    const deep = await send(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    const form = await send("name=x", "application/x-www-form-urlencoded");
    const large = await send(`"${"x".repeat(2_000_000)}"`);

    assert.deepEqual([broken.status, broken.problem.code], [400, "malformed_json"]);
    assert.deepEqual([deep.status, deep.problem.code], [400, "malformed_json"]);
    assert.deepEqual([form.status, form.problem.code], [415, "unsupported_media_type"]);
    assert.deepEqual([large.status, large.problem.code], [413, "content_too_large"]);
  });

  test(`${name}: ids that are not there are not found`, without(`${name}:read`), async () => {
    const reader = able(`${name}:read`, await newTenant());
    const absent = await reader.get(pathTo(resource, { id: unknownId(resource) }));
    const bad = { uuid: "x", serial: "99999999999999999999", text: "%00" }[resource.id_kind];
    const refused = await reader.get(`${path}/${bad}`);

    assert.equal(absent.status, 404);
    assert.deepEqual([refused.status, refused.problem.errors[0]?.parameter], [400, "id"]);
  });

  test(`${name}: a reference to nothing is refused`, without(`${name}:create`), async () => {
    const tenant = await newTenant();
    const writer = able(`${name}:create`, tenant);
    const body = await bodyOf(resource, tenant, writer.role);

    for (const [field, target] of Object.entries(resource.references)) {
      const refused = await writer.post(path, { ...body, [field]: unknownId(named(target)) });
      const [error] = refused.status === 201 ? [] : refused.problem.errors;
      assert.deepEqual([refused.status, error?.code, error?.pointer], [422, "unknown_reference", `/${field}`]);
    }
  });

  if (resource.soft_delete) {
    test(`${name}: what was deleted softly can be restored`, without(`${name}:delete`, `${name}:read`), async () => {
      const tenant = await newTenant();
      const eraser = able(`${name}:delete`, tenant);
      const row = await newRow(resource, tenant);
      assert.equal((await eraser.delete(pathTo(resource, row))).status, 204);
      const listed = await eraser.get(path, { deleted: "only", "id.in": String(row.id) });
      const restored = await eraser.post(`${pathTo(resource, row)}/restore`);

      assert.deepEqual(listed.ids, [row.id]);
      assert.equal(restored.status, 200, restored.text);
      assert.equal(restored.row["deleted_at"], null);
      assert.equal((await eraser.get(pathTo(resource, row))).status, 200);
      assert.equal((await eraser.post(`${pathTo(resource, row)}/restore`)).status, 404);
    });
  }
}
