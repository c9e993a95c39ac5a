/** Organizations on the wire: what is sent, what is shown, and how lists are filtered. */
import * as f from "../core/fields.js";
import { listQuery, pageOf, sortBy, sortKey } from "../core/paging.js";

export const OrganizationName = f.text({ maxLength: 120 });
export const OrganizationSlug = f.text({ maxLength: 60, pattern: "^[a-z0-9-]+$" });

/** A new organization. */
export const OrganizationCreate = f.body({
  name: OrganizationName,
  slug: OrganizationSlug,
});
export type OrganizationCreate = f.Infer<typeof OrganizationCreate>;

/** What should change about an organization. A field that is absent stays as it is. */
export const OrganizationUpdate = f.body({
  name: f.optional(OrganizationName),
  slug: f.optional(OrganizationSlug),
});
export type OrganizationUpdate = f.Infer<typeof OrganizationUpdate>;

/** An organization. */
export const Organization = f.view({
  id: f.Uuid,
  name: OrganizationName,
  slug: OrganizationSlug,
  created_at: f.Timestamp,
  updated_at: f.Timestamp,
  version: f.Int53,
});
export type Organization = f.Infer<typeof Organization>;

export const OrganizationPage = pageOf(Organization);

export const OrganizationId = f.view({ id: f.Uuid });

/** How to filter and sort organizations. `field.op` is a filter; all filters must hold. */
export const OrganizationQuery = listQuery({
  sort: f.optional(sortBy("id", "-id", "slug", "-slug", "created_at", "-created_at", "updated_at", "-updated_at")),
  "id.in": f.optional(f.many(f.Uuid, { commas: true })),
  name: f.optional(f.Text),
  "name.in": f.optional(f.many(f.Text)),
  "name.contains": f.optional(f.Search),
  "name.starts_with": f.optional(f.Search),
  slug: f.optional(f.Text),
  "slug.in": f.optional(f.many(f.Text)),
  "slug.contains": f.optional(f.Search),
  "slug.starts_with": f.optional(f.Search),
  "created_at.gt": f.optional(f.Timestamp),
  "created_at.gte": f.optional(f.Timestamp),
  "created_at.lt": f.optional(f.Timestamp),
  "created_at.lte": f.optional(f.Timestamp),
  "updated_at.gt": f.optional(f.Timestamp),
  "updated_at.gte": f.optional(f.Timestamp),
  "updated_at.lt": f.optional(f.Timestamp),
  "updated_at.lte": f.optional(f.Timestamp),
});
export type OrganizationQuery = f.Infer<typeof OrganizationQuery>;

/** What a list can be sorted by. */
export const SORT_KEYS = {
  id: sortKey(f.Uuid),
  slug: sortKey(f.Text),
  created_at: sortKey(f.Timestamp),
  updated_at: sortKey(f.Timestamp),
};
