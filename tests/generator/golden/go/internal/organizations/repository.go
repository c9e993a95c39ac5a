package organizations

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/problem"
)

const columns = `
	id,
	name,
	slug,
	created_at,
	updated_at,
	version`

// ListOrganizations is one page of the organizations that the caller may read, in the order that the query asks for.
func ListOrganizations(
	ctx context.Context, tx *db.Tx, query *api.Query[Organization],
) (*api.Page[Organization], error) {
	statement, err := asked(tx, query)
	if err != nil {
		return nil, err
	}
	var total *int64
	if query.Count {
		total, err = db.One(ctx, tx, fmt.Sprintf(`
			select count(*) from organization where %s`, statement.Conditions()),
			statement.Values(), db.Value[int64])
		if err != nil {
			return nil, err
		}
	}
	query.After(statement)
	sql := fmt.Sprintf(`
		select %s
		from organization
		where %s
		order by %s
		limit %s offset %s`,
		columns, statement.Conditions(), query.OrderBy(),
		statement.Bind(query.Limit+1), statement.Bind(query.Offset))
	rows, err := db.All(ctx, tx, sql, statement.Values(), scan)
	if err != nil {
		return nil, err
	}
	return query.Page(rows, total)
}

// ExportOrganizations hands over all of the organizations of a list, some at a time.
func ExportOrganizations(
	ctx context.Context, tx *db.Tx, query *api.Query[Organization], take func(rows []Organization) error,
) error {
	statement, err := asked(tx, query)
	if err != nil {
		return err
	}
	return db.Parts(ctx, tx, "export_organizations", fmt.Sprintf(`
		declare export_organizations no scroll cursor for
		select %s
		from organization
		where %s
		order by %s
		limit %d`,
		columns, statement.Conditions(), query.OrderBy(), api.MostExported),
		statement.Values(), scan, take)
}

// GetOrganization is the organization, if the caller may read it.
func GetOrganization(ctx context.Context, tx *db.Tx, id uuid.UUID) (*Organization, error) {
	statement, err := reachable(tx, "organization:read")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	found, err := db.One(ctx, tx, fmt.Sprintf(`
		select %s
		from organization
		where %s`, columns, statement.Conditions()),
		statement.Values(), scan)
	if err == nil && found == nil {
		return nil, problem.NotFound()
	}
	return found, err
}

// CreateOrganization makes an organization, if the caller may make such a one.
func CreateOrganization(ctx context.Context, tx *db.Tx, body OrganizationCreate) (*Organization, error) {
	tenant, err := tx.Tenant()
	if err != nil {
		return nil, err
	}
	created, err := db.One(ctx, tx, fmt.Sprintf(`
		insert into organization (
		    id,
		    name,
		    slug
		)
		values ($1, $2, $3)
		returning %s`, columns),
		[]any{
			tenant,
			body.Name,
			body.Slug,
		}, scan)
	return created, err
}

// UpdateOrganization is the organization after the change, unless it has changed since the caller saw it.
func UpdateOrganization(
	ctx context.Context, tx *db.Tx, id uuid.UUID, patch OrganizationUpdate, versions []int64,
) (*Organization, error) {
	statement, err := reachable(tx, "organization:update")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	statement.Version(`version`, versions)
	assignments := statement.Assignments()
	db.Assign(assignments, `name`, patch.Name)
	db.Assign(assignments, `slug`, patch.Slug)
	updated, err := db.One(ctx, tx, fmt.Sprintf(`
		update organization
		set %supdated_at = now(),
		    version = version + 1
		where %s
		returning %s`, assignments, statement.Conditions(), columns),
		statement.Values(), scan)
	if err == nil && updated == nil {
		return nil, refusal(ctx, tx, id, versions)
	}
	return updated, err
}

// DeleteOrganization deletes the organization for good.
func DeleteOrganization(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	statement, err := reachable(tx, "organization:delete")
	if err != nil {
		return err
	}
	statement.Where(`id = ` + statement.Bind(id))
	statement.Version(`version`, versions)
	deleted, err := db.One(ctx, tx, fmt.Sprintf(`
		delete from organization
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

// asked are the rows that a list is about.
func asked(tx *db.Tx, query *api.Query[Organization]) (*db.Statement, error) {
	statement, err := reachable(tx, "organization:read")
	if err != nil {
		return nil, err
	}
	query.Filter(statement)
	return statement, nil
}

// reachable are the tenant's rows on which the caller has the permission.
func reachable(tx *db.Tx, permission string) (*db.Statement, error) {
	return tx.Reachable(`id`, permission)
}

// refusal is why nothing was changed: the row is gone, newer, or not the caller's.
func refusal(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	current, err := GetOrganization(ctx, tx, id)
	if err != nil {
		return err
	}
	return problem.NotChanged(current.Version, versions)
}

func scan(row pgx.CollectableRow) (Organization, error) {
	var found Organization
	err := row.Scan(found.fields()...)
	return found, err
}

// fields are where columns go.
func (found *Organization) fields() []any {
	return []any{
		&found.ID,
		&found.Name,
		&found.Slug,
		&found.CreatedAt,
		&found.UpdatedAt,
		&found.Version,
	}
}
