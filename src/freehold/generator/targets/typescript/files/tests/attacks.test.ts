/** Every way to write and to read, tried on rows of another tenant and on rows that the caller may not read. */
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EVERY_ROLE,
  grantsOf,
  hidden,
  mayWrite,
  named,
  reachesEveryRow,
  RESOURCES,
  roleWithAll,
  SCOPED,
  without,
  type Relation,
  type Resource,
} from "./resources.js";
import { newId } from "../src/core/ids.js";
import { sql } from "./service.js";
import { able, bodyOf, Caller, newRow, newTenant, pathTo, reaches, rowOf, satisfying, unknownId, userFor, type Row } from "./world.js";

type Known = Row & { id: unknown };

async function stored(resource: Resource, ...ids: unknown[]): Promise<unknown> {
  const column = resource.columns["id"] ?? "id";
  return sql(`select to_jsonb(t.*) as row from ${resource.table} t where ${column}::text = any($1) order by 1`, ids.map(String));
}

/** A row of the resource, and another one that the relation leads to. */
async function related(resource: Resource, relation: Relation, tenant: string): Promise<[here: Known, there: Known]> {
  const target = named(relation.target);
  if (relation.key !== "id") {
    const there = await rowOf(target, tenant);
    return [await newRow(resource, tenant, { [relation.key]: there.id }), there];
  }
  const here = await rowOf(resource, tenant);
  if (relation.link === "") return [here, await newRow(target, tenant, { [relation.guard[1]]: here.id })];
  const there = await rowOf(target, tenant);
  const values: [string, unknown][] = [
    [relation.link_here, here.id],
    [relation.link_there, there.id],
  ];
  if (relation.link_tenant !== "") values.push([relation.link_tenant, tenant]);
  const names = values.map(([name]) => name).join(", ");
  await sql(
    `insert into ${relation.link} (${names}) select ${names} from jsonb_populate_record(null::${relation.link}, $1::jsonb)`,
    JSON.stringify(Object.fromEntries(values.map(([name, value]) => [name.replaceAll('"', ""), value]))),
  );
  return [here, there];
}

function idsOf(shown: unknown): unknown[] {
  return [shown ?? []].flat().map((row) => (row as Row)["id"]);
}

/** Values of a row that the role may not read; undefined when no row is surely such a one. */
function hiding(resource: Resource, role: string): Row | undefined {
  const found: Row = {};
  for (const grant of grantsOf(role, `${resource.name}:read`)) {
    const flag = grant.find((each) => !("link" in each) && each.values.length === 1 && typeof each.values[0] === "boolean");
    if (flag !== undefined && !("link" in flag)) {
      const name = Object.keys(resource.columns).find((each) => resource.columns[each] === flag.column) ?? flag.column;
      found[name] = flag.values[0] !== true;
    } else if (!grant.some((each) => "link" in each || each.me)) return undefined;
  }
  return found;
}

for (const resource of SCOPED.filter((each) => !each.read_only)) {
  const { name, path } = resource;
  const [create, read, update, erase] = ["create", "read", "update", "delete"].map((action) => `${name}:${action}`) as [
    string,
    string,
    string,
    string,
  ];
  const upserter = roleWithAll(create, update);

  test(`${name}: a row of another tenant in a batch stops it`, without(update, erase), async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const [own, foreign] = [(await newRow(resource, ours)).id, (await newRow(resource, theirs)).id];
    const before = await stored(resource, own, foreign);
    const changed = await able(update, ours).post(`${path}/batch-update`, { items: [{ id: own }, { id: foreign }] });
    const deleted = await able(erase, ours).post(`${path}/batch-delete`, { ids: [own, foreign] });

    assert.deepEqual([changed.status, changed.problem.errors[0]?.pointer], [404, "/items/1"]);
    assert.equal(deleted.status, 404);
    assert.deepEqual(await stored(resource, own, foreign), before);
  });

  const isKnown = resource.natural_key !== "" && upserter !== undefined;
  test(`${name}: a natural key of another tenant is another row`, { skip: !isKnown || resource.natural_key_global }, async () => {
    const key = resource.natural_key;
    const [theirs = "", ours = ""] = [await newTenant(), await newTenant()].toSorted(); // theirs comes first in every index
    const foreign = await newRow(resource, theirs);
    const before = await stored(resource, foreign.id);
    const writer = new Caller(upserter ?? "", ours);
    const body = { ...(await bodyOf(resource, ours, writer.role)), [key]: foreign[key] };
    const send = () => writer.post(`${path}/batch`, { items: [body], on_conflict: "update" });
    const [made, again] = [await send(), await send()];

    assert.deepEqual([made.status, again.status], [201, 201], made.text + again.text);
    assert.deepEqual(made.ids, again.ids);
    assert.notEqual(made.ids[0], foreign.id);
    assert.deepEqual(await stored(resource, foreign.id), before);
  });

  test(`${name}: a global natural key of another tenant is taken`, { skip: !isKnown || !resource.natural_key_global }, async () => {
    const key = resource.natural_key;
    const [theirs, ours] = [await newTenant(), await newTenant()];
    const foreign = await newRow(resource, theirs);
    const before = await stored(resource, foreign.id);
    const writer = new Caller(upserter ?? "", ours);
    const body = { ...(await bodyOf(resource, ours, writer.role)), [key]: foreign[key] };

    for (const on_conflict of ["error", "ignore", "update"]) {
      const refused = await writer.post(`${path}/batch`, { items: [body], on_conflict });
      assert.deepEqual([refused.status, refused.problem.code], [409, "unique_violation"], refused.text);
      assert.equal(refused.problem.errors[0]?.pointer, `/items/0/${key}`);
    }
    assert.deepEqual(await stored(resource, foreign.id), before);
  });

  test(`${name}: an idempotency key belongs to its caller`, without(create), async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const headers = { "idempotency-key": newId() };
    const writers = [able(create, ours), able(create, theirs), able(create, ours, await userFor(resource, ours))];
    const made = new Set<unknown>();
    for (const writer of writers) {
      const answer = await writer.request("POST", path, { body: await bodyOf(resource, writer.tenant, writer.role), headers });
      assert.equal(answer.status, 201, answer.text);
      assert.ok(!("idempotency-replayed" in answer.headers));
      made.add(answer.row["id"]);
    }

    assert.equal(made.size, 3);
  });

  test(`${name}: a reference into another tenant is one to nothing on every way`, { skip: upserter === undefined }, async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const writer = new Caller(upserter ?? "", ours);
    const own = await newRow(resource, ours);
    const before = await stored(resource, own.id);

    for (const [field, target] of Object.entries(resource.references)) {
      if (named(target).tenant !== "scoped" || !mayWrite(resource, field, writer.role)) continue;
      const foreign = (await newRow(named(target), theirs)).id;
      const body = { ...(await bodyOf(resource, ours, writer.role)), [field]: foreign };
      const refusals = {
        patch: await writer.patch(pathTo(resource, own), { [field]: foreign }),
        batch: await writer.post(`${path}/batch`, { items: [body] }),
        "batch-update": await writer.post(`${path}/batch-update`, { items: [{ id: own.id, [field]: foreign }] }),
      };
      for (const [way, refused] of Object.entries(refusals)) {
        const pointer = way === "patch" ? `/${field}` : `/items/0/${field}`;
        assert.deepEqual([refused.status, refused.problem.code], [422, "unknown_reference"], refused.text);
        assert.equal(refused.problem.errors[0]?.pointer, pointer);
      }
    }
    assert.deepEqual(await stored(resource, own.id), before);
  });

  for (const [relation, { target, body, link, link_here }] of Object.entries(resource.relations)) {
    const editor = roleWithAll(read, create, update, `${target}:read`);
    if (body === "" || editor === undefined || !mayWrite(resource, body, editor)) continue;
    test(`${name}: links to ${relation} stay within the tenant`, async () => {
      const [ours, theirs] = [await newTenant(), await newTenant()];
      const caller = new Caller(editor, ours);
      const [own, foreign] = [await newRow(resource, ours), await newRow(resource, theirs)];
      const [other, foreignOther] = [await newRow(named(target), ours), await newRow(named(target), theirs)];
      const pairs: [Known, Known][] = [
        [foreign, other],
        [foreign, foreignOther],
      ];
      if (named(target).tenant === "scoped") {
        pairs.push([own, foreignOther]);
        const sent = { ...(await bodyOf(resource, ours, editor)), [body]: [other.id, foreignOther.id] };
        const refused = await caller.post(path, sent);
        assert.deepEqual([refused.status, refused.problem.code], [422, "unknown_reference"]);
        assert.equal(refused.problem.errors[0]?.pointer, `/${body}/1`);
      }
      for (const [row, end] of pairs) {
        for (const method of ["PUT", "DELETE"] as const) {
          const at = `${pathTo(resource, row)}/${relation.replaceAll("_", "-")}/${String(end.id)}`;
          assert.equal((await caller.request(method, at)).status, 404, at);
        }
      }
      const linked = await sql(`select 1 from ${link} where ${link_here}::text = any($1)`, [String(own.id), String(foreign.id)]);
      assert.deepEqual(linked, []);
    });
  }

  for (const role of EVERY_ROLE.filter((each) => each !== "public" && grantsOf(each, create).length > 0)) {
    for (const [field, targetName] of Object.entries(resource.references)) {
      const target = named(targetName);
      const values = hiding(target, role);
      if (target.tenant === "self" || values === undefined || !mayWrite(resource, field, role)) continue;
      test(`${name}: ${role} refers with ${field} to a row that it may not read as to none`, async () => {
        const tenant = await newTenant();
        const user = await userFor(resource, tenant);
        const allowed = grantsOf(role, create).map((grant) => satisfying(resource, grant, tenant, user));
        const refer = async (id: unknown) => {
          const body = { ...(await bodyOf(resource, tenant, role)), ...allowed.find((each) => each !== undefined), [field]: id };
          return new Caller(role, tenant, user).post(path, body);
        };
        const refused = await refer((await newRow(target, tenant, values)).id);
        const unknown = await refer(unknownId(target));

        assert.deepEqual([refused.status, refused.problem.code], [422, "unknown_reference"], refused.text);
        assert.deepEqual(refused.problem.errors, unknown.problem.errors);
      });
    }
  }
}

for (const resource of SCOPED) {
  const { name, path, search, words, sorts, relations } = resource;
  const read = `${name}:read`;

  test(`${name}: no way to read shows a row of another tenant`, without(read), async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const reader = able(read, ours);
    const secret = hidden(resource, reader.role);
    const values = words === "" ? {} : { [words]: "brass gate" };
    const [foreign, own] = [(await newRow(resource, theirs, values)).id, (await newRow(resource, ours, values)).id];
    const included = Object.entries(relations).filter(([, { target, guard }]) => {
      return reachesEveryRow(reader.role, `${target}:read`) && !hidden(named(guard[0]), reader.role).includes(guard[1]);
    });
    const asked: Record<string, string>[] = [
      ...sorts.filter((sort) => !secret.includes(sort.replace(/^-/, ""))).map((sort) => ({ sort })),
      ...(words === "" || search.some((each) => secret.includes(each)) ? [] : [{ q: "brass" }]),
      ...(resource.soft_delete && reachesEveryRow(reader.role, `${name}:read_deleted`) ? [{ deleted: "include" }] : []),
      ...included.map(([include]) => ({ include })),
    ];

    for (const query of asked) {
      const { ids } = await reader.get(path, { ...query, limit: "100" });
      assert.deepEqual([ids.includes(own), ids.includes(foreign)], [true, false], JSON.stringify(query));
    }
    const table = await reader.get(path, {}, { accept: "text/csv" });
    const first = table.text.split("\r\n").map((line) => line.split(",", 1)[0]);
    assert.deepEqual([first.includes(String(own)), first.includes(String(foreign))], [true, false]);
  });

  for (const [relation, way] of Object.entries(relations)) {
    test(`${name}: only the ${relation} that the caller may read are included`, async () => {
      const target = named(way.target);
      const tenant = await newTenant();
      const user = await userFor(target, tenant);
      const [here, there] = await related(resource, way, tenant);
      for (const role of EVERY_ROLE.filter((each) => each !== "public" && reachesEveryRow(each, read))) {
        const grants = grantsOf(role, `${target.name}:read`);
        if (hidden(named(way.guard[0]), role).includes(way.guard[1])) continue;
        const answer = await new Caller(role, tenant, user).get(pathTo(resource, here), { include: relation });
        if (grants.length === 0) {
          assert.equal(answer.status, 403, role);
          continue;
        }
        assert.equal(answer.status, 200, answer.text);
        const isReached = target.tenant === "self" || grants.some((grant) => reaches(target, grant, there, tenant, user));
        assert.equal(idsOf(answer.row[relation]).includes(there.id), isReached, role);
      }
    });
  }
}

const log = RESOURCES.find((each) => each.name === "audit_entry");

for (const resource of SCOPED.filter((each) => each.audited && !each.read_only)) {
  test(`${resource.name}: the log of another tenant is not there`, without("audit_entry:read"), async () => {
    assert.ok(log);
    const [ours, theirs] = [await newTenant(), await newTenant()];
    await newRow(resource, theirs);
    const found = await able("audit_entry:read", ours).get(log.path, { count: "exact" });

    assert.deepEqual([found.ids, found.list.page.total], [[], 0]);
  });
}
