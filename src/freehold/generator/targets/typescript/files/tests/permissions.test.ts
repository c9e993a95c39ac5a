/** Every role, resource, action and kind of row: the answer is the one that src/permissions.ts gives. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EVERY_ROLE,
  grantsOf,
  hidden,
  mayWrite,
  named,
  PERMISSIONS,
  reachesEveryRow,
  RESOURCES,
  roleWithAll,
  sample,
  type Grant,
  type Resource,
} from "./resources.js";
import {
  bodyOf,
  Caller,
  newRow,
  newTenant,
  pathTo,
  reaches,
  rowOf,
  satisfying,
  unknownId,
  userFor,
  type Answer,
  type Method,
  type Row,
} from "./world.js";

const METHODS = { read: "GET", update: "PATCH", delete: "DELETE", restore: "POST" } as const;
const DELETED = { deleted_at: "2026-01-01T00:00:00.000Z" };

type Action = keyof typeof METHODS;

function actionsOn(resource: Resource): Action[] {
  if (resource.read_only) return ["read"];
  const canBeRestored = resource.soft_delete && resource.tenant !== "self";
  return ["read", "update", "delete", ...(canBeRestored ? (["restore"] as const) : [])];
}

async function attempt(caller: Caller, resource: Resource, action: Action, row: { id: unknown }): Promise<number> {
  const options = action === "update" ? { body: {} } : {};
  const path = `${pathTo(resource, row)}${action === "restore" ? "/restore" : ""}`;
  return (await caller.request(METHODS[action], path, options)).status;
}

/** What the caller gets for a row that is not in its reach. */
function refusals(role: string, resource: Resource, action: Action): number[] {
  if (grantsOf(role, `${resource.name}:${action}`).length === 0) return [role === "public" ? 401 : 403];
  return reachesEveryRow(role, `${resource.name}:read`) && action !== "restore" ? [403] : [403, 404];
}

/** A way to rows of a resource: what is sent, and all that the caller has to be allowed. */
interface Way {
  readonly method: Method;
  readonly path: string;
  readonly permissions: readonly string[];
  readonly sent?: (body: Row, id: unknown) => object;
}

/** Every way to rows of the resource. In a path, what is in braces is a row that is not there. */
function waysTo(resource: Resource): Way[] {
  const { name, relations, natural_key, read_only, soft_delete, tenant } = resource;
  const may = (action: string) => [`${name}:${action}`];
  const isInBatches = !read_only && tenant !== "self";
  const when = (applies: boolean, ...ways: Way[]) => (applies ? ways : []);
  return [
    { method: "GET", path: "", permissions: may("read") },
    { method: "GET", path: "/{id}", permissions: may("read") },
    ...when(
      soft_delete,
      { method: "GET", path: "?deleted=only", permissions: [...may("read"), ...may("read_deleted")] },
      { method: "POST", path: "/{id}/restore", permissions: may("restore") },
    ),
    ...when(
      !read_only,
      { method: "POST", path: "", permissions: may("create"), sent: (body) => body },
      { method: "PATCH", path: "/{id}", permissions: may("update"), sent: () => ({}) },
      { method: "DELETE", path: "/{id}", permissions: may("delete") },
    ),
    ...when(
      isInBatches,
      { method: "POST", path: "/batch", permissions: may("create"), sent: (body) => ({ items: [body] }) },
      { method: "POST", path: "/batch-update", permissions: may("update"), sent: (_, id) => ({ items: [{ id }] }) },
      { method: "POST", path: "/batch-delete", permissions: may("delete"), sent: (_, id) => ({ ids: [id] }) },
    ),
    ...when(isInBatches && natural_key !== "", {
      method: "POST",
      path: "/batch",
      permissions: [...may("create"), ...may("update")],
      sent: (body) => ({ items: [body], on_conflict: "update" }),
    }),
    ...Object.entries(relations).flatMap(([relation, { body, target }]) => {
      const path = `/{id}/${relation.replaceAll("_", "-")}/{${target}}`;
      const permissions = [...may("update"), `${target}:read`];
      return when(body !== "", { method: "PUT", path, permissions }, { method: "DELETE", path, permissions });
    }),
  ];
}

/** A role that has all that is wanted, on some rows at least, but the permission. */
function lacking(permission: string, wanted: readonly string[]): string | undefined {
  const isRight = (role: string) => wanted.every((each) => grantsOf(role, each).length > 0 !== (each === permission));
  return EVERY_ROLE.slice(1).find(isRight);
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
        const state = action === "restore" ? DELETED : {};
        const row = resource.tenant === "self" ? { id: tenant } : await newRow(resource, tenant, state);
        const status = await attempt(caller, resource, action, row);
        if (grants.some((grant) => reaches(resource, grant, row, tenant, user))) {
          assert.ok([200, 204].includes(status), `${action}: ${status}`);
        } else if (resource.tenant !== "self") {
          assert.ok(refusals(role, resource, action).includes(status), `${action}: ${status}`);
        }
        for (const grant of grants.filter((each) => each.length > 0 && resource.tenant === "scoped")) {
          const values = satisfying(resource, grant, tenant, user);
          if (values === undefined) continue;
          const own = await newRow(resource, tenant, { ...values, ...state });
          assert.ok([200, 204].includes(await attempt(caller, resource, action, own)), action);
        }
      }
    });

    test(`${role} creates the ${name} that it may`, { skip: resource.read_only }, async () => {
      const tenant = await newTenant();
      const user = await userFor(resource, tenant);
      const grants = grantsOf(role, `${name}:create`);
      const values = grants.map((grant) => satisfying(resource, grant, tenant, user)).find((each) => each !== undefined);
      const body: Row = { ...(await bodyOf(resource, tenant, role)), ...values };
      const caller = new Caller(role, tenant, user);
      const answer = await caller.post(path, body);

      const expected = grants.length > 0 ? 201 : role === "public" ? 401 : 403;
      assert.equal(answer.status, expected, answer.text);
      const isMine = (grant: Grant, column: string) => grant.some((each) => !("link" in each) && each.me && each.column === column);
      for (const [field, column] of Object.entries(resource.columns)) {
        if (field === "id" || grants.length === 0 || !grants.every((grant) => isMine(grant, column))) continue;
        for (const way of waysTo(resource).filter(({ permissions }) => permissions.includes(`${name}:create`))) {
          const others = { ...(await bodyOf(resource, tenant, role)), [field]: await userFor(resource, tenant) };
          const refused = await caller.request(way.method, path + way.path, { body: way.sent?.(others, undefined) ?? others });
          assert.ok([403, 422].includes(refused.status), `${way.path}: ${refused.text}`);
        }
      }
    });
  }

  for (const way of waysTo(resource)) {
    for (const missing of way.permissions) {
      const role = lacking(missing, way.permissions);
      if (role === undefined) continue;
      const takes = `${way.method} ${way.path} (${way.permissions.join(", ")})`;
      test(`${name}: ${takes} without ${missing} is refused before any row is looked at`, async () => {
        const tenant = await newTenant();
        const id = unknownId(resource);
        const at = way.path.replace("{id}", String(id)).replace(/\{(\w+)\}/, (_, target: string) => String(unknownId(named(target))));
        const sent = way.sent?.(await bodyOf(resource, tenant, role), id);
        const refused = await new Caller(role, tenant).request(way.method, path + at, sent === undefined ? {} : { body: sent });

        assert.deepEqual([refused.status, refused.problem.code], [403, "forbidden"], refused.text);
      });
    }
  }

  if (resource.soft_delete) {
    test(`a deleted ${name} is only shown to those who could have deleted it`, async () => {
      const tenant = await newTenant();
      const user = await userFor(resource, tenant);
      const row = await newRow(resource, tenant, DELETED);
      const isReached = (role: string, permission: string) =>
        grantsOf(role, permission).some((grant) => reaches(resource, grant, row, tenant, user));

      for (const role of EVERY_ROLE.filter((each) => each !== "public")) {
        const mayAsk = [`${name}:read`, `${name}:read_deleted`].every((each) => grantsOf(role, each).length > 0);
        const isShown = isReached(role, `${name}:read`) && isReached(role, `${name}:read_deleted`);
        for (const deleted of ["include", "only"]) {
          const answer = await new Caller(role, tenant, user).get(path, { deleted, "id.in": String(row.id) });
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
          assert.equal(field in shown, field in resource.columns && !secret.includes(field), `${role} ${field}`);
        }
      }
    });
  }

  for (const field of Object.keys(resource.writable_by)) {
    test(`${name}: ${field} is set by nobody who may not, on any way`, async () => {
      const tenant = await newTenant();
      const id = unknownId(resource);
      const one = `${path}/${id}`;
      const target = resource.references[field];
      const value = field in resource.columns ? (sample(resource)[field] ?? null) : [];
      const change = { [field]: target === undefined ? value : unknownId(named(target)) };
      const refused = async (action: string, place: string, go: (caller: Caller, body: Row) => Promise<Answer>, ...more: string[]) => {
        const role = roleWithAll(`${name}:${action}`, ...more);
        if (role === undefined || mayWrite(resource, field, role) || (place !== "" && resource.tenant === "self")) return;
        const answer = await go(new Caller(role, tenant), { ...(await bodyOf(resource, tenant, role)), ...change });
        assert.deepEqual([answer.status, answer.problem.code], [403, "forbidden_field"], answer.text);
        assert.equal(answer.problem.errors[0]?.pointer, `${place}/${field}`);
      };

      await refused("update", "", (caller) => caller.patch(one, change));
      await refused("update", "/items/0", (caller) => caller.post(`${path}/batch-update`, { items: [{ id, ...change }] }));
      await refused("create", "", (caller, body) => caller.post(path, body));
      await refused("create", "/items/0", (caller, body) => caller.post(`${path}/batch`, { items: [body] }));
      for (const [relation, { body, target: other }] of Object.entries(resource.relations)) {
        if (body !== field) continue;
        const link = `${one}/${relation.replaceAll("_", "-")}/${unknownId(named(other))}`;
        await refused("update", "", (caller) => caller.request("PUT", link), `${other}:read`);
        await refused("update", "", (caller) => caller.delete(link), `${other}:read`);
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
