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

/** What a list can be sorted by. */
export const SORT_KEYS = {
  id: sortKey(f.Uuid),
  slug: sortKey(f.Text),
  created_at: sortKey(f.Timestamp),
  updated_at: sortKey(f.Timestamp),
};

/** How to filter and sort organizations. `field.op` is a filter; all filters must hold. */
export const OrganizationQuery = listQuery({
  sort: sortBy(SORT_KEYS),
  "id.in": f.many(f.Uuid, { commas: true }),
  name: f.Text,
  "name.in": f.many(f.Text),
  "name.contains": f.Search,
  "name.starts_with": f.Search,
  slug: f.Text,
  "slug.in": f.many(f.Text),
  "slug.contains": f.Search,
  "slug.starts_with": f.Search,
  "created_at.gt": f.Timestamp,
  "created_at.gte": f.Timestamp,
  "created_at.lt": f.Timestamp,
  "created_at.lte": f.Timestamp,
  "updated_at.gt": f.Timestamp,
  "updated_at.gte": f.Timestamp,
  "updated_at.lt": f.Timestamp,
  "updated_at.lte": f.Timestamp,
});
export type OrganizationQuery = f.Infer<typeof OrganizationQuery>;
