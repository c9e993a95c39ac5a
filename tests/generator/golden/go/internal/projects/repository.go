package projects

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/problem"
)

const columns = `
	id,
	name,
	code,
	status,
	budget,
	settings,
	owner_id,
	created_at,
	updated_at,
	created_by,
	updated_by,
	version,
	deleted_at`

const summaryColumns = `
	id,
	name,
	code,
	status,
	budget,
	owner_id,
	created_at,
	updated_at,
	created_by,
	updated_by,
	version,
	deleted_at`

// ListProjects is one page of the projects that the caller may read, in the order that the query asks for.
func ListProjects(
	ctx context.Context, tx *db.Tx, query *api.Query[ProjectSummary],
) (*api.Page[ProjectSummary], error) {
	statement, err := asked(tx, query)
	if err != nil {
		return nil, err
	}
	var total *int64
	if query.Count {
		total, err = db.One(ctx, tx, fmt.Sprintf(`
			select count(*) from project where %s`, statement.Conditions()),
			statement.Values(), db.Value[int64])
		if err != nil {
			return nil, err
		}
	}
	query.After(statement)
	sql := fmt.Sprintf(`
		select %s
		from project
		where %s
		order by %s
		limit %s offset %s`,
		summaryColumns, statement.Conditions(), query.OrderBy(),
		statement.Bind(query.Limit+1), statement.Bind(query.Offset))
	rows, err := db.All(ctx, tx, sql, statement.Values(), scanSummary)
	if err != nil {
		return nil, err
	}
	return query.Page(rows, total)
}

// ExportProjects hands over all of the projects of a list, some at a time.
func ExportProjects(
	ctx context.Context, tx *db.Tx, query *api.Query[ProjectSummary], take func(rows []ProjectSummary) error,
) error {
	statement, err := asked(tx, query)
	if err != nil {
		return err
	}
	return db.Parts(ctx, tx, "export_projects", fmt.Sprintf(`
		declare export_projects no scroll cursor for
		select %s
		from project
		where %s
		order by %s
		limit %d`,
		summaryColumns, statement.Conditions(), query.OrderBy(), api.MostExported),
		statement.Values(), scanSummary, take)
}

// GetProject is the project, if the caller may read it.
func GetProject(ctx context.Context, tx *db.Tx, id uuid.UUID) (*Project, error) {
	statement, err := reachable(tx, "project:read", "exclude")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	found, err := db.One(ctx, tx, fmt.Sprintf(`
		select %s
		from project
		where %s`, columns, statement.Conditions()),
		statement.Values(), scan)
	if err == nil && found == nil {
		return nil, problem.NotFound()
	}
	return found, err
}

// CreateProject makes a project, if the caller may make such a one.
func CreateProject(ctx context.Context, tx *db.Tx, body ProjectCreate) (*Project, error) {
	tenant, err := tx.Tenant()
	if err != nil {
		return nil, err
	}
	created, err := db.One(ctx, tx, fmt.Sprintf(`
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
		returning %s`, columns),
		[]any{
			tenant,
			db.NewID(),
			body.Name,
			body.Code,
			body.Status,
			body.Budget,
			body.Settings,
			body.OwnerID.Or(tx.Caller.ID),
			tx.Caller.Actor(),
			tx.Caller.Actor(),
		}, scan)
	return created, err
}

// UpsertProject makes a project, or finds the one with its natural key and changes it if asked to; and
// tells which of these it was.
func UpsertProject(
	ctx context.Context, tx *db.Tx, body ProjectCreate, patch ProjectUpdate, change bool,
) (*Project, db.Outcome, error) {
	tenant, err := tx.Tenant()
	if err != nil {
		return nil, db.Known, err
	}
	created, err := db.One(ctx, tx, fmt.Sprintf(`
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
		returning %s`, columns),
		[]any{
			tenant,
			db.NewID(),
			body.Name,
			body.Code,
			body.Status,
			body.Budget,
			body.Settings,
			body.OwnerID.Or(tx.Caller.ID),
			tx.Caller.Actor(),
			tx.Caller.Actor(),
		}, scan)
	if err != nil {
		return nil, db.Known, err
	}
	if created != nil {
		return created, db.Created, nil
	}
	known, err := findKnown(ctx, tx, body)
	if err != nil {
		return nil, db.Known, err
	}
	if known == nil { // another tenant's, or deleted meanwhile
		return nil, db.Known, problem.Taken("code")
	}
	if !change {
		found, err := GetProject(ctx, tx, *known)
		return found, db.Known, err
	}
	patch.Code.Set = false
	changed, err := UpdateProject(ctx, tx, *known, patch, nil)
	return changed, db.Updated, err
}

// findKnown is the id of the project with the natural key, whoever may read it.
func findKnown(ctx context.Context, tx *db.Tx, body ProjectCreate) (*uuid.UUID, error) {
	statement := &db.Statement{}
	tenant, err := tx.Tenant()
	if err != nil {
		return nil, err
	}
	statement.Where(`tenant_id = ` + statement.Bind(tenant))
	statement.Where(`deleted_at is null`)
	statement.Where(`code = ` + statement.Bind(body.Code))
	return db.One(ctx, tx, fmt.Sprintf(`
		select id from project where %s`, statement.Conditions()),
		statement.Values(), db.Value[uuid.UUID])
}

// Related are the projects that the relation leads to and that the caller may read, each with its key.
func Related(ctx context.Context, tx *db.Tx, relation api.Relation, keys any) ([]api.Related, error) {
	deleted := "exclude"
	if relation.Deleted {
		deleted = "include"
	}
	statement, err := reachable(tx, "project:read", deleted)
	if err != nil {
		return nil, err
	}
	statement.Where(relation.Column + " = any(" + statement.Bind(keys) + ")")
	return db.All(ctx, tx, fmt.Sprintf(`
		select %s as "_key", %s
		from project
		where %s
		order by id
		limit %d`,
		relation.Column, summaryColumns, statement.Conditions(), api.MostIncluded+1),
		statement.Values(), scanRelated)
}

func scanRelated(row pgx.CollectableRow) (api.Related, error) {
	var found ProjectSummary
	return api.ScanRelated(row, &found, found.fields())
}

// UpdateProject is the project after the change, unless it has changed since the caller saw it.
func UpdateProject(
	ctx context.Context, tx *db.Tx, id uuid.UUID, patch ProjectUpdate, versions []int64,
) (*Project, error) {
	statement, err := reachable(tx, "project:update", "exclude")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	statement.Version(`version`, versions)
	assignments := statement.Assignments()
	db.Assign(assignments, `name`, patch.Name)
	db.Assign(assignments, `code`, patch.Code)
	db.Assign(assignments, `status`, patch.Status)
	db.Assign(assignments, `budget`, patch.Budget)
	db.Assign(assignments, `settings`, patch.Settings)
	db.Assign(assignments, `owner_id`, patch.OwnerID)
	updated, err := db.One(ctx, tx, fmt.Sprintf(`
		update project
		set %supdated_at = now(),
		    updated_by = nullif(current_setting('app.actor_id', true), ''),
		    version = version + 1
		where %s
		returning %s`, assignments, statement.Conditions(), columns),
		statement.Values(), scan)
	if err == nil && updated == nil {
		return nil, refusal(ctx, tx, id, versions)
	}
	return updated, err
}

// DeleteProject marks the project as deleted.
func DeleteProject(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	statement, err := reachable(tx, "project:delete", "exclude")
	if err != nil {
		return err
	}
	statement.Where(`id = ` + statement.Bind(id))
	statement.Version(`version`, versions)
	deleted, err := db.One(ctx, tx, fmt.Sprintf(`
		update project
		set deleted_at = now(), updated_at = now(),
		    updated_by = nullif(current_setting('app.actor_id', true), ''),
		    version = version + 1
		where %s
		returning id`, statement.Conditions()),
		statement.Values(), db.Value[uuid.UUID])
	if err != nil {
		return err
	}
	if deleted == nil {
		return refusal(ctx, tx, id, versions)
	}
	return nil
}

// RestoreProject is the project as it was.
func RestoreProject(ctx context.Context, tx *db.Tx, id uuid.UUID) (*Project, error) {
	statement, err := reachable(tx, "project:restore", "only")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	moment, err := db.One(ctx, tx, fmt.Sprintf(`
		select deleted_at as moment
		from project
		where %s
		for update`, statement.Conditions()),
		statement.Values(), db.Value[time.Time])
	if err != nil {
		return nil, err
	}
	if moment == nil {
		return nil, problem.NotFound()
	}
	err = db.Run(ctx, tx, fmt.Sprintf(`
		update project
		set deleted_at = null, updated_at = now(),
		    updated_by = nullif(current_setting('app.actor_id', true), ''),
		    version = version + 1
		where %s`, statement.Conditions()),
		statement.Values()...)
	if err != nil {
		return nil, err
	}
	return GetProject(ctx, tx, id)
}

// asked are the rows that a list is about.
func asked(tx *db.Tx, query *api.Query[ProjectSummary]) (*db.Statement, error) {
	statement, err := reachable(tx, "project:read", query.Deleted)
	if err != nil {
		return nil, err
	}
	if query.Deleted != "exclude" {
		statement.Allow(tx.Caller, "project:read_deleted", `deleted_at is null`)
	}
	statement.Search(`search_vector`, query.Words)
	query.Filter(statement)
	return statement, nil
}

// reachable are the tenant's rows on which the caller has the permission.
func reachable(tx *db.Tx, permission string, deleted string) (*db.Statement, error) {
	statement, err := tx.Reachable(`tenant_id`, permission)
	if err != nil {
		return nil, err
	}
	switch deleted {
	case "exclude":
		statement.Where(`deleted_at is null`)
	case "only":
		statement.Where(`deleted_at is not null`)
	}
	return statement, nil
}

// refusal is why nothing was changed: the row is gone, newer, or not the caller's.
func refusal(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	current, err := GetProject(ctx, tx, id)
	if err != nil {
		return err
	}
	return problem.NotChanged(current.Version, versions)
}

func scan(row pgx.CollectableRow) (Project, error) {
	var found Project
	err := row.Scan(
		&found.ID,
		&found.Name,
		&found.Code,
		&found.Status,
		&found.Budget,
		&found.Settings,
		&found.OwnerID,
		&found.CreatedAt,
		&found.UpdatedAt,
		&found.CreatedBy,
		&found.UpdatedBy,
		&found.Version,
		&found.DeletedAt,
	)
	return found, err
}

func scanSummary(row pgx.CollectableRow) (ProjectSummary, error) {
	var found ProjectSummary
	err := row.Scan(found.fields()...)
	return found, err
}

// fields are where columns go.
func (found *ProjectSummary) fields() []any {
	return []any{
		&found.ID,
		&found.Name,
		&found.Code,
		&found.Status,
		&found.Budget,
		&found.OwnerID,
		&found.CreatedAt,
		&found.UpdatedAt,
		&found.CreatedBy,
		&found.UpdatedBy,
		&found.Version,
		&found.DeletedAt,
	}
}
