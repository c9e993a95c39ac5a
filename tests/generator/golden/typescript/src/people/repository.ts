/** The SQL of people. Each statement names the tenant, and row-level security names it again. */
import type { Row, Tx } from "../core/db.js";
import { forbidden, notFound, versionConflict } from "../core/errors.js";
import { MAX_EXPORTED } from "../core/export.js";
import { newId } from "../core/ids.js";
import { MAX_INCLUDED, type Relation } from "../core/include.js";
import { afterCursor, filters, limitOf, orderBy, page, type Page } from "../core/paging.js";
import { selectList, Statement } from "../core/sql.js";
import { SORT_KEYS, type Person, type PersonCreate, type PersonUpdate, type PersonQuery } from "./schemas.js";

/** What the API calls a field, and its column. */
export const COLUMNS = {
  id: "id",
  email: "email",
  created_at: "created_at",
  updated_at: "updated_at",
  version: "version",
};

/** One page of the people that the caller may read, in the order that the query asks for. */
export async function listPeople(tx: Tx, query: PersonQuery): Promise<Page<Person>> {
  const statement = listed(tx, query);
  let total: number | null = null;
  if (query.count === "exact") {
    total = Number(await tx.value(`select count(*) from person where ${statement.conditions}`, statement.values));
  }
  afterCursor(statement, query, COLUMNS, SORT_KEYS);
  const rows = await tx.all<Person>(
    `
    select ${selectList(COLUMNS)}
    from person
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${statement.bind(limitOf(query))} offset ${statement.bind(query.offset ?? 0)}
    `,
    statement.values,
  );
  return page(query, rows, total);
}

/** All of the people of a list, some at a time. */
export function exportPeople(tx: Tx, query: PersonQuery): AsyncIterable<Row[]> {
  const statement = listed(tx, query);
  return tx.parts(
    "export_people",
    `
    declare export_people no scroll cursor for
    select ${selectList(COLUMNS)}
    from person
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${MAX_EXPORTED}
    `,
    statement.values,
  );
}

/** The person, if the caller may read it. */
export async function getPerson(tx: Tx, id: string): Promise<Person> {
  const statement = reachable(tx, "person:read");
  statement.where(`id = ${statement.bind(id)}`);
  const row = await tx.one<Person>(
    `
    select ${selectList(COLUMNS)}
    from person
    where ${statement.conditions}
    `,
    statement.values,
  );
  if (row === undefined) throw notFound();
  return row;
}

/** A new person, if the caller may make such a one. */
export async function createPerson(tx: Tx, body: PersonCreate): Promise<Person> {
  const row = await tx.one<Person>(
    `
    insert into person (
        tenant_id,
        id,
        email
    )
    values ($1, $2, $3)
    returning ${selectList(COLUMNS)}
    `,
    [tx.caller.requireTenant(), newId(), body.email],
  );
  if (row === undefined) throw forbidden();
  return row;
}

/** The person after the change, unless it has changed since the caller saw it. */
export async function updatePerson(
  tx: Tx,
  id: string,
  patch: PersonUpdate,
  versions: readonly number[] | null,
): Promise<Person> {
  const statement = reachable(tx, "person:update");
  statement.where(`id = ${statement.bind(id)}`);
  statement.version(versions);
  const assignments = statement.assignments(COLUMNS, patch);
  const row = await tx.one<Person>(
    `
    update person
    set ${assignments}updated_at = now(),
        version = version + 1
    where ${statement.conditions}
    returning ${selectList(COLUMNS)}
    `,
    statement.values,
  );
  if (row === undefined) throw await refusal(tx, id, versions);
  return row;
}

/** Delete the person for good. */
export async function deletePerson(tx: Tx, id: string, versions: readonly number[] | null): Promise<void> {
  const statement = reachable(tx, "person:delete");
  statement.where(`id = ${statement.bind(id)}`);
  statement.version(versions);
  const row = await tx.one(
    `
    delete from person
    where ${statement.conditions}
    returning id
    `,
    statement.values,
  );
  if (row === undefined) throw await refusal(tx, id, versions);
}

/** The people that the relation leads to and that the caller may read, each with its key. */
export async function relatedPeople(tx: Tx, relation: Relation, keys: readonly unknown[]): Promise<Row[]> {
  const statement = reachable(tx, "person:read");
  statement.where(`${relation.column} = any(${statement.bind(keys)})`);
  return tx.all(
    `
    select ${relation.column} as "_key", ${selectList(COLUMNS)}
    from person
    where ${statement.conditions}
    order by id
    limit ${MAX_INCLUDED + 1}
    `,
    statement.values,
  );
}

/** The rows that a list is about. */
function listed(tx: Tx, query: PersonQuery): Statement {
  const statement = reachable(tx, "person:read");
  statement.filter(COLUMNS, filters(query));
  return statement;
}

/** The rows of the caller's tenant on which it has the permission. */
function reachable(tx: Tx, permission: string): Statement {
  const statement = new Statement();
  statement.where(`tenant_id = ${statement.bind(tx.caller.requireTenant())}`);
  statement.allow(tx.caller, permission);
  return statement;
}

/** Why nothing was changed: the row is not there, has changed, or is not the caller's to change. */
async function refusal(tx: Tx, id: string, versions: readonly number[] | null): Promise<Error> {
  const current = await getPerson(tx, id);
  if (versions !== null && !versions.includes(current.version)) return versionConflict(current.version);
  return forbidden();
}
