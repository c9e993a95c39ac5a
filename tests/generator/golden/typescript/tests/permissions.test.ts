/** Every role, resource, action and kind of row: the answer is the one that src/permissions.ts gives. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EVERY_ROLE,
  grantsOf,
  hidden,
  PERMISSIONS,
  reachesEveryRow,
  RESOURCES,
  roleWith,
  rolesOf,
  sample,
  without,
  type Resource,
} from "./resources.js";
import {
  able,
  bodyOf,
  Caller,
  newRow,
  newTenant,
  pathTo,
  reaches,
  rowOf,
  satisfying,
  userFor,
  type Row,
} from "./world.js";

const METHODS = { read: "GET", update: "PATCH", delete: "DELETE" } as const;

type Action = keyof typeof METHODS;

function actionsOn(resource: Resource): Action[] {
  return resource.read_only ? ["read"] : ["read", "update", "delete"];
}

async function attempt(caller: Caller, resource: Resource, action: Action, row: { id: unknown }): Promise<number> {
  const options = action === "update" ? { body: {} } : {};
  return (await caller.request(METHODS[action], pathTo(resource, row), options)).status;
}

/** What the caller gets for a row that is not in its reach. */
function refusals(role: string, resource: Resource, action: Action): number[] {
  if (grantsOf(role, `${resource.name}:${action}`).length === 0) return [role === "public" ? 401 : 403];
  return reachesEveryRow(role, `${resource.name}:read`) ? [403] : [403, 404];
}

for (const resource of RESOURCES) {
  const { name, path } = resource;

  for (const role of EVERY_ROLE.filter((each) => each !== "public" || resource.tenant === "none")) {
    test(`${role} reaches each ${name} that it should, and no other`, async () => {
      const tenant = await newTenant();
      const user = await userFor(resource, tenant);
      const caller = new Caller(role, tenant, user);

      for (const action of actionsOn(resource)) {
        const grants = grantsOf(role, `${name}:${action}`);
        const row = await rowOf(resource, tenant);
        const status = await attempt(caller, resource, action, row);
        if (grants.some((grant) => reaches(resource, grant, row, tenant, user))) {
          assert.ok([200, 204].includes(status), `${action}: ${status}`);
        } else if (resource.tenant !== "self") {
          assert.ok(refusals(role, resource, action).includes(status), `${action}: ${status}`);
        }
        for (const grant of grants.filter((each) => each.length > 0 && resource.tenant === "scoped")) {
          const values = satisfying(resource, grant, tenant, user);
          if (values === undefined) continue;
          const own = await newRow(resource, tenant, values);
          assert.ok([200, 204].includes(await attempt(caller, resource, action, own)), action);
        }
      }
    });

    test(`${role} creates the ${name} that it may`, { skip: resource.read_only }, async () => {
      const tenant = await newTenant();
      const user = await userFor(resource, tenant);
      const grants = grantsOf(role, `${name}:create`);
      const values = grants
        .map((grant) => satisfying(resource, grant, tenant, user))
        .find((each) => each !== undefined);
      const body: Row = { ...(await bodyOf(resource, tenant, role)), ...values };
      const answer = await new Caller(role, tenant, user).post(path, body);

      const expected = grants.length > 0 ? 201 : role === "public" ? 401 : 403;
      assert.equal(answer.status, expected, answer.text);
    });
  }

  if (resource.soft_delete) {
    test(`a deleted ${name} is only shown to those who could have deleted it`, async () => {
      const tenant = await newTenant();
      const user = await userFor(resource, tenant);
      const row = await newRow(resource, tenant, { deleted_at: "2026-01-01T00:00:00.000Z" });
      const isReached = (role: string, permission: string) =>
        grantsOf(role, permission).some((grant) => reaches(resource, grant, row, tenant, user));

      for (const role of EVERY_ROLE.filter((each) => each !== "public")) {
        const mayAsk = [`${name}:read`, `${name}:read_deleted`].every((each) => grantsOf(role, each).length > 0);
        const isShown = isReached(role, `${name}:read`) && isReached(role, `${name}:read_deleted`);
        for (const deleted of ["include", "only"]) {
          const answer = await new Caller(role, tenant, user).get(path, { deleted });
          if (mayAsk) assert.equal(answer.ids.includes(row.id), isShown, role);
          else assert.equal(answer.status, 403, role);
        }
      }
    });
  }

  if (Object.keys(resource.readable_by).length > 0) {
    test(`the hidden fields of a ${name} are not shown`, async () => {
      for (const role of EVERY_ROLE.filter((each) => reachesEveryRow(each, `${name}:read`))) {
        const tenant = await newTenant();
        const row = await rowOf(resource, tenant);
        const shown = (await new Caller(role, tenant).get(pathTo(resource, row))).row;
        const secret = hidden(resource, role);
        for (const field of Object.keys(resource.readable_by)) {
          assert.equal(field in shown, !secret.includes(field), `${role} ${field}`);
        }
      }
    });
  }

  if (Object.keys(resource.writable_by).length > 0) {
    test(`a field of a ${name} that the role may not set is refused by name`, without(`${name}:update`), async () => {
      const role = roleWith(`${name}:update`) ?? "";
      const tenant = await newTenant();
      const row = await rowOf(resource, tenant);

      for (const [field, value] of Object.entries(sample(resource))) {
        const writers = resource.writable_by[field];
        if (writers?.some((each) => rolesOf(role).has(each)) ?? true) continue;
        const refused = await able(`${name}:update`, tenant).patch(pathTo(resource, row), { [field]: value });
        const [error] = refused.problem.errors;
        assert.deepEqual([refused.status, refused.problem.code, error?.pointer], [403, "forbidden_field", `/${field}`]);
      }
    });
  }
}

test("every permission is about a resource", () => {
  const known = RESOURCES.map((resource) => resource.name);
  for (const permission of Object.values(PERMISSIONS).flatMap((table) => Object.keys(table))) {
    assert.ok(known.includes(permission.split(":", 1)[0] ?? ""), permission);
  }
});
