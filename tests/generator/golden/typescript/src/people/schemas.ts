/** People on the wire: what is sent, what is shown, and how lists are filtered. */
import * as f from "../core/fields.js";
import { listQuery, pageOf, sortBy, sortKey } from "../core/paging.js";

/** A new person. */
export const PersonCreate = f.body({
  email: f.Email,
});
export type PersonCreate = f.Infer<typeof PersonCreate>;

/** What should change about a person. A field that is absent stays as it is. */
export const PersonUpdate = f.body({
  email: f.optional(f.Email),
});
export type PersonUpdate = f.Infer<typeof PersonUpdate>;

/** A person. */
export const Person = f.view({
  id: f.Uuid,
  email: f.Email,
  created_at: f.Timestamp,
  updated_at: f.Timestamp,
  version: f.Int53,
  projects: f.optional(f.Related),
});
export type Person = f.Infer<typeof Person>;

/** Many new people. */
export const PersonBatchCreate = f.body({
  items: f.items(PersonCreate),
});

/** Changes of many people. */
export const PersonBatchUpdate = f.body({
  items: f.items(
    f.body({
      id: f.Uuid,
      version: f.optional(f.nullable(f.Int53)),
      ...PersonUpdate.properties,
    }),
  ),
});

/** Which people to delete. */
export const PersonBatchDelete = f.body({ ids: f.items(f.Uuid) });

export const PersonRows = f.rows(Person);

export const PersonPage = pageOf(Person);

export const PersonId = f.view({ id: f.Uuid });

/** What a list can be sorted by. */
export const SORT_KEYS = {
  id: sortKey(f.Uuid),
  email: sortKey(f.Text),
  created_at: sortKey(f.Timestamp),
  updated_at: sortKey(f.Timestamp),
};

/** How to filter and sort people. `field.op` is a filter; all filters must hold. */
export const PersonQuery = listQuery({
  sort: sortBy(SORT_KEYS),
  "id.in": f.many(f.Uuid, { commas: true }),
  email: f.Text,
  "email.in": f.many(f.Text),
  "email.contains": f.Search,
  "email.starts_with": f.Search,
  "created_at.gt": f.Timestamp,
  "created_at.gte": f.Timestamp,
  "created_at.lt": f.Timestamp,
  "created_at.lte": f.Timestamp,
  "updated_at.gt": f.Timestamp,
  "updated_at.gte": f.Timestamp,
  "updated_at.lt": f.Timestamp,
  "updated_at.lte": f.Timestamp,
});
export type PersonQuery = f.Infer<typeof PersonQuery>;
