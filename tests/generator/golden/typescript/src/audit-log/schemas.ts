/** Audit log on the wire: what is sent, what is shown, and how lists are filtered. */
import * as f from "../core/fields.js";
import { listQuery, pageOf, sortBy, sortKey } from "../core/paging.js";

export const AuditEntryAction = f.oneOf("create", "update", "delete");

/** An audit entry. Who changed what, and when. */
export const AuditEntry = f.view({
  id: f.Int53,
  at: f.Timestamp,
  actor_id: f.nullable(f.Text),
  request_id: f.nullable(f.Text),
  entity: f.Text,
  entity_id: f.Text,
  action: AuditEntryAction,
  before: f.nullable(f.AnyJson),
  after: f.nullable(f.AnyJson),
});
export type AuditEntry = f.Infer<typeof AuditEntry>;

export const AuditEntryPage = pageOf(AuditEntry);

export const AuditEntryId = f.view({ id: f.Int53 });

/** What a list can be sorted by. */
export const SORT_KEYS = {
  id: sortKey(f.Int53),
};

/** How to filter and sort audit log. `field.op` is a filter; all filters must hold. */
export const AuditEntryQuery = listQuery({
  sort: sortBy(SORT_KEYS),
  "id.in": f.many(f.Int53, { commas: true }),
  "at.gt": f.Timestamp,
  "at.gte": f.Timestamp,
  "at.lt": f.Timestamp,
  "at.lte": f.Timestamp,
  actor_id: f.Text,
  "actor_id.in": f.many(f.Text),
  "actor_id.is_null": f.Bool,
  request_id: f.Text,
  "request_id.in": f.many(f.Text),
  entity: f.Text,
  "entity.in": f.many(f.Text),
  entity_id: f.Text,
  "entity_id.in": f.many(f.Text),
  action: AuditEntryAction,
  "action.ne": AuditEntryAction,
  "action.in": f.many(AuditEntryAction, { commas: true }),
});
export type AuditEntryQuery = f.Infer<typeof AuditEntryQuery>;
