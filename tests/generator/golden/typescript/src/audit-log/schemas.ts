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

/** How to filter and sort audit log. `field.op` is a filter; all filters must hold. */
export const AuditEntryQuery = listQuery({
  sort: f.optional(sortBy("id", "-id")),
  "id.in": f.optional(f.many(f.Int53, { commas: true })),
  "at.gt": f.optional(f.Timestamp),
  "at.gte": f.optional(f.Timestamp),
  "at.lt": f.optional(f.Timestamp),
  "at.lte": f.optional(f.Timestamp),
  actor_id: f.optional(f.Text),
  "actor_id.in": f.optional(f.many(f.Text)),
  "actor_id.is_null": f.optional(f.Bool),
  request_id: f.optional(f.Text),
  "request_id.in": f.optional(f.many(f.Text)),
  entity: f.optional(f.Text),
  "entity.in": f.optional(f.many(f.Text)),
  entity_id: f.optional(f.Text),
  "entity_id.in": f.optional(f.many(f.Text)),
  action: f.optional(AuditEntryAction),
  "action.ne": f.optional(AuditEntryAction),
  "action.in": f.optional(f.many(AuditEntryAction, { commas: true })),
});
export type AuditEntryQuery = f.Infer<typeof AuditEntryQuery>;

/** What a list can be sorted by. */
export const SORT_KEYS = {
  id: sortKey(f.Int53),
};
