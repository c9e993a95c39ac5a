/** The SQL of audit log. Each statement names the tenant, and row-level security names it again. */
import type { Row, Tx } from "../core/db.js";
import { notFound } from "../core/errors.js";
import { MAX_EXPORTED } from "../core/export.js";
import { afterCursor, filters, limitOf, orderBy, page, type Page } from "../core/paging.js";
import { selectList, Statement } from "../core/sql.js";
import { SORT_KEYS, type AuditEntry, type AuditEntryQuery } from "./schemas.js";

/** What the API calls a field, and its column. */
export const COLUMNS = {
  id: "id",
  at: "at",
  actor_id: "actor_id",
  request_id: "request_id",
  entity: "entity",
  entity_id: "entity_id",
  action: "action",
  before: "before",
  after: "after",
};

/** One page of the audit log that the caller may read, in the order that the query asks for. */
export async function listAuditLog(tx: Tx, query: AuditEntryQuery): Promise<Page<AuditEntry>> {
  const statement = listed(tx, query);
  let total: number | null = null;
  if (query.count === "exact") {
    total = Number(await tx.value(`select count(*) from audit_log where ${statement.conditions}`, statement.values));
  }
  afterCursor(statement, query, COLUMNS, SORT_KEYS);
  const rows = await tx.all<AuditEntry>(
    `
    select ${selectList(COLUMNS)}
    from audit_log
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${statement.bind(limitOf(query))} offset ${statement.bind(query.offset ?? 0)}
    `,
    statement.values,
  );
  return page(query, rows, total);
}

/** All of the audit log of a list, some at a time. */
export function exportAuditLog(tx: Tx, query: AuditEntryQuery): AsyncIterable<Row[]> {
  const statement = listed(tx, query);
  return tx.parts(
    "export_audit_log",
    `
    declare export_audit_log no scroll cursor for
    select ${selectList(COLUMNS)}
    from audit_log
    where ${statement.conditions}
    order by ${orderBy(query, COLUMNS, SORT_KEYS)}
    limit ${MAX_EXPORTED}
    `,
    statement.values,
  );
}

/** The audit entry, if the caller may read it. */
export async function getAuditEntry(tx: Tx, id: number): Promise<AuditEntry> {
  const statement = reachable(tx, "audit_entry:read");
  statement.where(`id = ${statement.bind(id)}`);
  const row = await tx.one<AuditEntry>(
    `
    select ${selectList(COLUMNS)}
    from audit_log
    where ${statement.conditions}
    `,
    statement.values,
  );
  if (row === undefined) throw notFound();
  return row;
}

/** The rows that a list is about. */
function listed(tx: Tx, query: AuditEntryQuery): Statement {
  const statement = reachable(tx, "audit_entry:read");
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
