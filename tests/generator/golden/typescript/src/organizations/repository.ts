/** The SQL of organizations. Each statement names the tenant, and row-level security names it again. */
import type { Row, Tx } from "../core/db.js";
import { forbidden, notFound, versionConflict } from "../core/errors.js";
import { MAX_EXPORTED } from "../core/export.js";
import { afterCursor, filters, limitOf, orderBy, page, type Page } from "../core/paging.js";
import { selectList, Statement } from "../core/sql.js";
import {
  SORT_KEYS,
  type Organization,
  type OrganizationCreate,
  type OrganizationUpdate,
  type OrganizationQuery,
} from "./schemas.js";

/** What the API calls a field, and its column. */
export const COLUMNS = {
  id: "id",
  name: "name",
  slug: "slug",
  created_at: "created_at",
  updated_at: "updated_at",
  version: "version",
};

/** One page of the organizations that the caller may read, in the order that the query asks for. */
export async function listOrganizations(tx: Tx, query: OrganizationQuery): Promise<Page<Organization>> {
  const statement = listed(tx, query);
  let total: number | null = null;
  if (query.count === "exact") {
    total = Number(await tx.value(`select count(*) from organization where ${statement.conditions}`, statement.values));
  }
  afterCursor(statement, query, COLUMNS, SORT_KEYS);
  const rows = await tx.all<Organization>(
    `
    select ${selectList(COLUMNS)}
    from organization
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${statement.bind(limitOf(query))} offset ${statement.bind(query.offset ?? 0)}
    `,
    statement.values,
  );
  return page(query, rows, total);
}

/** All of the organizations of a list, some at a time. */
export function exportOrganizations(tx: Tx, query: OrganizationQuery): AsyncIterable<Row[]> {
  const statement = listed(tx, query);
  return tx.parts(
    "export_organizations",
    `
    declare export_organizations no scroll cursor for
    select ${selectList(COLUMNS)}
    from organization
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${MAX_EXPORTED}
    `,
    statement.values,
  );
}

/** The organization, if the caller may read it. */
export async function getOrganization(tx: Tx, id: string): Promise<Organization> {
  const statement = reachable(tx, "organization:read");
  statement.where(`id = ${statement.bind(id)}`);
  const row = await tx.one<Organization>(
    `
    select ${selectList(COLUMNS)}
    from organization
    where ${statement.conditions}
    `,
    statement.values,
  );
  if (row === undefined) throw notFound();
  return row;
}

/** A new organization, if the caller may make such a one. */
export async function createOrganization(tx: Tx, body: OrganizationCreate): Promise<Organization> {
  const row = await tx.one<Organization>(
    `
    insert into organization (
        id,
        name,
        slug
    )
    values ($1, $2, $3)
    returning ${selectList(COLUMNS)}
    `,
    [tx.tenantId, body.name, body.slug],
  );
  if (row === undefined) throw forbidden();
  return row;
}

/** The organization after the change, unless it has changed since the caller saw it. */
export async function updateOrganization(
  tx: Tx,
  id: string,
  patch: OrganizationUpdate,
  versions: readonly number[] | null,
): Promise<Organization> {
  const statement = reachable(tx, "organization:update");
  statement.where(`id = ${statement.bind(id)}`);
  statement.version(versions);
  const assignments = statement.assignments(COLUMNS, patch);
  const row = await tx.one<Organization>(
    `
    update organization
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

/** Delete the organization for good. */
export async function deleteOrganization(tx: Tx, id: string, versions: readonly number[] | null): Promise<void> {
  const statement = reachable(tx, "organization:delete");
  statement.where(`id = ${statement.bind(id)}`);
  statement.version(versions);
  const row = await tx.one(
    `
    delete from organization
    where ${statement.conditions}
    returning id
    `,
    statement.values,
  );
  if (row === undefined) throw await refusal(tx, id, versions);
}

/** The rows that a list is about. */
function listed(tx: Tx, query: OrganizationQuery): Statement {
  const statement = reachable(tx, "organization:read");
  statement.filter(COLUMNS, filters(query));
  return statement;
}

/** The rows of the caller's tenant on which it has the permission. */
function reachable(tx: Tx, permission: string): Statement {
  const statement = new Statement();
  statement.where(`id = ${statement.bind(tx.tenantId ?? tx.caller.requireTenant())}`);
  statement.allow(tx.caller, permission);
  return statement;
}

/** Why nothing was changed: the row is not there, has changed, or is not the caller's to change. */
async function refusal(tx: Tx, id: string, versions: readonly number[] | null): Promise<Error> {
  const current = await getOrganization(tx, id);
  if (versions !== null && !versions.includes(current.version)) return versionConflict(current.version);
  return forbidden();
}
