/** API keys: what one reaches, what it is limited to, and each way in which it is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { newKey } from "../src/api-key.js";
import { digest } from "../src/core/api-keys.js";
import { RESOURCES, roleWith, without } from "./resources.js";
import { sql } from "./service.js";
import { able, Caller, newRow, newTenant, pathTo } from "./world.js";

const nobody = new Caller("public");

async function issue(tenant: string, role: string, scopes: string[] = [], days: number | null = null) {
  const { key, id } = newKey("development");
  await sql(
    `insert into api_key (id, hash, name, tenant, roles, scopes, expires_at)
     values ($1, $2, 'a test', $3, $4, $5, now() + $6::integer * interval '1 day')`,
    id,
    digest(key),
    tenant,
    [role],
    scopes,
    days,
  );
  return { key, id };
}

for (const resource of RESOURCES.filter((each) => each.tenant === "scoped").slice(0, 2)) {
  const { name } = resource;

  test(`${name}: a key reaches the rows of its tenant until it is revoked`, without(`${name}:read`), async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const { key, id } = await issue(ours, roleWith(`${name}:read`) ?? "");
    const known = pathTo(resource, await newRow(resource, ours));
    const foreign = pathTo(resource, await newRow(resource, theirs));
    const headers = { "x-api-key": key };

    assert.equal((await nobody.get(known, {}, headers)).status, 200);
    assert.equal((await nobody.get(foreign, {}, headers)).status, 404);
    const [used] = await sql("select last_used_at from api_key where id = $1", id);
    assert.notEqual(used?.["last_used_at"], null);
    await sql("update api_key set revoked_at = now() where id = $1", id);
    assert.equal((await nobody.get(known, {}, headers)).status, 401);
  });

  test(`${name}: a key is limited to its scopes`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const role = roleWith(`${name}:read`) ?? "";
    const allowed = await issue(tenant, role, [`${name}:read`]);
    const limited = await issue(tenant, role, ["nothing:read"]);

    assert.equal((await nobody.get(resource.path, {}, { "x-api-key": allowed.key })).status, 200);
    assert.equal((await nobody.get(resource.path, {}, { "x-api-key": limited.key })).status, 403);
  });

  test(`${name}: a key that is wrong or expired, or not alone, is refused`, without(`${name}:read`), async () => {
    const tenant = await newTenant();
    const role = roleWith(`${name}:read`) ?? "";
    const { key } = await issue(tenant, role);
    const expired = await issue(tenant, role, [], -1);

    for (const wrong of [expired.key, `${key}a`, key.replace("ak_dev", "ak_prod"), newKey("development").key, "x"]) {
      assert.equal((await nobody.get(resource.path, {}, { "x-api-key": wrong })).status, 401, wrong);
    }
    const both = await able(`${name}:read`, tenant).get(resource.path, {}, { "x-api-key": key, authorization: "Bearer x" });
    assert.deepEqual([both.status, both.problem.code], [400, "ambiguous_credentials"]);
  });
}
