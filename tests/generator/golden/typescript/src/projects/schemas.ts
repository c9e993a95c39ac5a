/** Projects on the wire: what is sent, what is shown, and how lists are filtered. */
import * as f from "../core/fields.js";
import { listQuery, pageOf, sortBy, sortKey } from "../core/paging.js";

export const ProjectName = f.text({ maxLength: 100 });
export const ProjectCode = f.text({ maxLength: 20 });
export const ProjectStatus = f.oneOf("draft", "active", "1st");
export const ProjectBudget = f.decimal(12, 2, { least: "0" });

/** A new project. */
export const ProjectCreate = f.body({
  name: ProjectName,
  code: ProjectCode,
  status: f.optional(ProjectStatus),
  budget: f.optional(f.nullable(ProjectBudget)),
  settings: f.optional(f.nullable(f.Json)),
  owner_id: f.optional(f.nullable(f.Uuid)),
});
export type ProjectCreate = f.Infer<typeof ProjectCreate>;

/** What should change about a project. A field that is absent stays as it is. */
export const ProjectUpdate = f.body({
  name: f.optional(ProjectName),
  code: f.optional(ProjectCode),
  status: f.optional(ProjectStatus),
  budget: f.optional(f.nullable(ProjectBudget)),
  settings: f.optional(f.nullable(f.Json)),
  owner_id: f.optional(f.nullable(f.Uuid)),
});
export type ProjectUpdate = f.Infer<typeof ProjectUpdate>;

/** A project as lists show it. */
export const ProjectSummary = f.view({
  id: f.Uuid,
  name: ProjectName,
  code: ProjectCode,
  status: ProjectStatus,
  budget: f.optional(f.nullable(ProjectBudget)),
  owner_id: f.nullable(f.Uuid),
  created_at: f.Timestamp,
  updated_at: f.Timestamp,
  created_by: f.nullable(f.Text),
  updated_by: f.nullable(f.Text),
  version: f.Int53,
  deleted_at: f.nullable(f.Timestamp),
  owner: f.optional(f.Related),
});
export type ProjectSummary = f.Infer<typeof ProjectSummary>;

/** A project with everything about it. A piece of work with a budget. */
export const Project = f.view({
  ...ProjectSummary.properties,
  settings: f.nullable(f.AnyJson),
});
export type Project = f.Infer<typeof Project>;

/** Many new projects. */
export const ProjectBatchCreate = f.body({
  items: f.items(ProjectCreate),
  on_conflict: f.optional(f.oneOf("error", "update", "ignore")),
});

/** Changes of many projects. */
export const ProjectBatchUpdate = f.body({
  items: f.items(
    f.body({
      id: f.Uuid,
      version: f.optional(f.nullable(f.Int53)),
      ...ProjectUpdate.properties,
    }),
  ),
});

/** Which projects to delete. */
export const ProjectBatchDelete = f.body({ ids: f.items(f.Uuid) });

export const ProjectRows = f.rows(Project);

export const ProjectPage = pageOf(ProjectSummary);

export const ProjectId = f.view({ id: f.Uuid });

/** What a list can be sorted by. */
export const SORT_KEYS = {
  id: sortKey(f.Uuid),
  code: sortKey(f.Text),
  status: sortKey(ProjectStatus),
  created_at: sortKey(f.Timestamp),
  updated_at: sortKey(f.Timestamp),
};

/** How to filter and sort projects. `field.op` is a filter; all filters must hold. */
export const ProjectQuery = listQuery({
  sort: sortBy(SORT_KEYS),
  q: f.text({ minLength: 1, maxLength: 200 }),
  deleted: f.oneOf("exclude", "include", "only"),
  "id.in": f.many(f.Uuid, { commas: true }),
  name: f.Text,
  "name.in": f.many(f.Text),
  "name.contains": f.Search,
  "name.starts_with": f.Search,
  code: f.Text,
  "code.in": f.many(f.Text),
  "code.contains": f.Search,
  "code.starts_with": f.Search,
  status: ProjectStatus,
  "status.ne": ProjectStatus,
  "status.in": f.many(ProjectStatus, { commas: true }),
  budget: ProjectBudget,
  "budget.in": f.many(ProjectBudget, { commas: true }),
  "budget.gt": ProjectBudget,
  "budget.gte": ProjectBudget,
  "budget.lt": ProjectBudget,
  "budget.lte": ProjectBudget,
  "budget.is_null": f.Bool,
  owner_id: f.Uuid,
  "owner_id.in": f.many(f.Uuid, { commas: true }),
  "owner_id.is_null": f.Bool,
  "created_at.gt": f.Timestamp,
  "created_at.gte": f.Timestamp,
  "created_at.lt": f.Timestamp,
  "created_at.lte": f.Timestamp,
  "updated_at.gt": f.Timestamp,
  "updated_at.gte": f.Timestamp,
  "updated_at.lt": f.Timestamp,
  "updated_at.lte": f.Timestamp,
});
export type ProjectQuery = f.Infer<typeof ProjectQuery>;
