/** The SQL of projects. Each statement names the tenant, and row-level security names it again. */
import { toJson } from "../core/codecs.js";
import type { Row, Tx } from "../core/db.js";
import { forbidden, notFound, taken, versionConflict } from "../core/errors.js";
import { MAX_EXPORTED } from "../core/export.js";
import { newId } from "../core/ids.js";
import { MAX_INCLUDED, type Relation } from "../core/include.js";
import { afterCursor, filters, limitOf, orderBy, page, type Page } from "../core/paging.js";
import { omit, orNull, selectList, Statement } from "../core/sql.js";
import {
  SORT_KEYS,
  type Project,
  type ProjectCreate,
  type ProjectUpdate,
  type ProjectQuery,
  type ProjectSummary,
} from "./schemas.js";

/** What the API calls a field, and its column. */
export const COLUMNS = {
  id: "id",
  name: "name",
  code: "code",
  status: "status",
  budget: "budget",
  settings: "settings",
  owner_id: "owner_id",
  created_at: "created_at",
  updated_at: "updated_at",
  created_by: "created_by",
  updated_by: "updated_by",
  version: "version",
  deleted_at: "deleted_at",
};
export const SUMMARY = omit(COLUMNS, "settings");

/** How fields are written for the database that it would not take as they are. */
const ENCODERS = {
  settings: toJson,
};

/** One page of the projects that the caller may read, in the order that the query asks for. */
export async function listProjects(tx: Tx, query: ProjectQuery): Promise<Page<ProjectSummary>> {
  const statement = listed(tx, query);
  let total: number | null = null;
  if (query.count === "exact") {
    total = Number(await tx.value(`select count(*) from project where ${statement.conditions}`, statement.values));
  }
  afterCursor(statement, query, COLUMNS, SORT_KEYS);
  const rows = await tx.all<ProjectSummary>(
    `
    select ${selectList(SUMMARY)}
    from project
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${statement.bind(limitOf(query))} offset ${statement.bind(query.offset ?? 0)}
    `,
    statement.values,
  );
  return page(query, rows, total);
}

/** All of the projects of a list, some at a time. */
export function exportProjects(tx: Tx, query: ProjectQuery): AsyncIterable<Row[]> {
  const statement = listed(tx, query);
  return tx.parts(
    "export_projects",
    `
    declare export_projects no scroll cursor for
    select ${selectList(SUMMARY)}
    from project
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${MAX_EXPORTED}
    `,
    statement.values,
  );
}

/** The project, if the caller may read it. */
export async function getProject(tx: Tx, id: string): Promise<Project> {
  const statement = reachable(tx, "project:read");
  statement.where(`id = ${statement.bind(id)}`);
  const row = await tx.one<Project>(
    `
    select ${selectList(COLUMNS)}
    from project
    where ${statement.conditions}
    `,
    statement.values,
  );
  if (row === undefined) throw notFound();
  return row;
}

/** A new project, if the caller may make such a one. */
export async function createProject(tx: Tx, body: ProjectCreate): Promise<Project> {
  const row = await tx.one<Project>(
    `
    insert into project (
        tenant_id,
        id,
        name,
        code,
        status,
        budget,
        settings,
        owner_id,
        created_by,
        updated_by
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    returning ${selectList(COLUMNS)}
    `,
    [
      tx.caller.requireTenant(),
      newId(),
      body.name,
      body.code,
      body.status ?? "draft",
      body.budget ?? null,
      orNull(toJson, body.settings ?? null),
      body.owner_id === undefined ? tx.caller.id : body.owner_id,
      tx.actor,
      tx.actor,
    ],
  );
  if (row === undefined) throw forbidden();
  return row;
}

/** A new project, or the one with its natural key: changed, or as it is. And which of these it was. */
export async function upsertProject(
  tx: Tx,
  body: ProjectCreate,
  onConflict: "update" | "ignore",
): Promise<{ row: Project; outcome: "created" | "updated" | "known" }> {
  const row = await tx.one<Project>(
    `
    insert into project (
        tenant_id,
        id,
        name,
        code,
        status,
        budget,
        settings,
        owner_id,
        created_by,
        updated_by
    )
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    on conflict (tenant_id, code) where deleted_at is null do nothing
    returning ${selectList(COLUMNS)}
    `,
    [
      tx.caller.requireTenant(),
      newId(),
      body.name,
      body.code,
      body.status ?? "draft",
      body.budget ?? null,
      orNull(toJson, body.settings ?? null),
      body.owner_id === undefined ? tx.caller.id : body.owner_id,
      tx.actor,
      tx.actor,
    ],
  );
  if (row !== undefined) {
    return { row, outcome: "created" };
  }
  const known = await findKnown(tx, body);
  if (known === undefined) throw taken("code"); // another tenant's, or deleted meanwhile
  if (onConflict === "ignore") return { row: await getProject(tx, known.id), outcome: "known" };
  const sent = omit(body, "code");
  return { row: await updateProject(tx, known.id, sent, null), outcome: "updated" };
}

/** The project with the natural key, whoever may read it. */
async function findKnown(tx: Tx, body: ProjectCreate): Promise<{ id: string } | undefined> {
  const statement = new Statement();
  statement.where(`tenant_id = ${statement.bind(tx.caller.requireTenant())}`);
  statement.where("deleted_at is null");
  statement.where(`code = ${statement.bind(body.code)}`);
  return tx.one<{ id: string }>(`select id from project where ${statement.conditions}`, statement.values);
}

/** The project after the change, unless it has changed since the caller saw it. */
export async function updateProject(
  tx: Tx,
  id: string,
  patch: ProjectUpdate,
  versions: readonly number[] | null,
): Promise<Project> {
  const statement = reachable(tx, "project:update");
  statement.where(`id = ${statement.bind(id)}`);
  statement.version(versions);
  const assignments = statement.assignments(COLUMNS, patch, ENCODERS);
  const row = await tx.one<Project>(
    `
    update project
    set ${assignments}updated_at = now(),
        updated_by = nullif(current_setting('app.actor_id', true), ''),
        version = version + 1
    where ${statement.conditions}
    returning ${selectList(COLUMNS)}
    `,
    statement.values,
  );
  if (row === undefined) throw await refusal(tx, id, versions);
  return row;
}

/** Mark the project as deleted. */
export async function deleteProject(tx: Tx, id: string, versions: readonly number[] | null): Promise<void> {
  const statement = reachable(tx, "project:delete");
  statement.where(`id = ${statement.bind(id)}`);
  statement.version(versions);
  const row = await tx.one(
    `
    update project
    set deleted_at = now(), updated_at = now(),
        updated_by = nullif(current_setting('app.actor_id', true), ''),
        version = version + 1
    where ${statement.conditions}
    returning id
    `,
    statement.values,
  );
  if (row === undefined) throw await refusal(tx, id, versions);
}

/** The projects that the relation leads to and that the caller may read, each with its key. */
export async function relatedProjects(tx: Tx, relation: Relation, keys: readonly unknown[]): Promise<Row[]> {
  const statement = reachable(tx, "project:read", relation.deleted);
  statement.where(`${relation.column} = any(${statement.bind(keys)})`);
  return tx.all(
    `
    select ${relation.column} as "_key", ${selectList(SUMMARY)}
    from project
    where ${statement.conditions}
    order by id
    limit ${MAX_INCLUDED + 1}
    `,
    statement.values,
  );
}

/** The project as it was. */
export async function restoreProject(tx: Tx, id: string): Promise<Project> {
  const statement = reachable(tx, "project:restore", "only");
  statement.where(`id = ${statement.bind(id)}`);
  const row = await tx.one<{ moment: string }>(
    `
    select deleted_at as moment
    from project
    where ${statement.conditions}
    for update
    `,
    statement.values,
  );
  if (row === undefined) throw notFound();
  await tx.execute(
    `
    update project
    set deleted_at = null, updated_at = now(),
        updated_by = nullif(current_setting('app.actor_id', true), ''),
        version = version + 1
    where ${statement.conditions}
    `,
    statement.values,
  );
  return getProject(tx, id);
}

/** The rows that a list is about. */
function listed(tx: Tx, query: ProjectQuery): Statement {
  const statement = reachable(tx, "project:read", query.deleted);
  if ((query.deleted ?? "exclude") !== "exclude") {
    statement.allow(tx.caller, "project:read_deleted", "deleted_at is null");
  }
  statement.search("search_vector", query.q);
  statement.filter(COLUMNS, filters(query));
  return statement;
}

/** The rows of the caller's tenant on which it has the permission. */
function reachable(tx: Tx, permission: string, deleted: "exclude" | "include" | "only" = "exclude"): Statement {
  const statement = new Statement();
  statement.where(`tenant_id = ${statement.bind(tx.caller.requireTenant())}`);
  if (deleted !== "include") statement.where(`deleted_at is ${deleted === "only" ? "not " : ""}null`);
  statement.allow(tx.caller, permission);
  return statement;
}

/** Why nothing was changed: the row is not there, has changed, or is not the caller's to change. */
async function refusal(tx: Tx, id: string, versions: readonly number[] | null): Promise<Error> {
  const current = await getProject(tx, id);
  if (versions !== null && !versions.includes(current.version)) return versionConflict(current.version);
  return forbidden();
}
