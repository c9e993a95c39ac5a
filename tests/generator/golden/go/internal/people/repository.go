package people

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
	email,
	created_at,
	updated_at,
	version`

// ListPeople is one page of the people that the caller may read, in the order that the query asks for.
func ListPeople(
	ctx context.Context, tx *db.Tx, query *api.Query[Person],
) (*api.Page[Person], error) {
	statement, err := asked(tx, query)
	if err != nil {
		return nil, err
	}
	var total *int64
	if query.Count {
		total, err = db.One(ctx, tx, fmt.Sprintf(`
			select count(*) from person where %s`, statement.Conditions()),
			statement.Values(), db.Value[int64])
		if err != nil {
			return nil, err
		}
	}
	query.After(statement)
	sql := fmt.Sprintf(`
		select %s
		from person
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

// ExportPeople hands over all of the people of a list, some at a time.
func ExportPeople(
	ctx context.Context, tx *db.Tx, query *api.Query[Person], take func(rows []Person) error,
) error {
	statement, err := asked(tx, query)
	if err != nil {
		return err
	}
	return db.Parts(ctx, tx, "export_people", fmt.Sprintf(`
		declare export_people no scroll cursor for
		select %s
		from person
		where %s
		order by %s
		limit %d`,
		columns, statement.Conditions(), query.OrderBy(), api.MostExported),
		statement.Values(), scan, take)
}

// GetPerson is the person, if the caller may read it.
func GetPerson(ctx context.Context, tx *db.Tx, id uuid.UUID) (*Person, error) {
	statement, err := reachable(tx, "person:read")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	found, err := db.One(ctx, tx, fmt.Sprintf(`
		select %s
		from person
		where %s`, columns, statement.Conditions()),
		statement.Values(), scan)
	if err == nil && found == nil {
		return nil, problem.NotFound()
	}
	return found, err
}

// CreatePerson makes a person, if the caller may make such a one.
func CreatePerson(ctx context.Context, tx *db.Tx, body PersonCreate) (*Person, error) {
	tenant, err := tx.Tenant()
	if err != nil {
		return nil, err
	}
	created, err := db.One(ctx, tx, fmt.Sprintf(`
		insert into person (
		    tenant_id,
		    id,
		    email
		)
		values ($1, $2, $3)
		returning %s`, columns),
		[]any{
			tenant,
			db.NewID(),
			body.Email,
		}, scan)
	return created, err
}

// Related are the people that the relation leads to and that the caller may read, each with its key.
func Related(ctx context.Context, tx *db.Tx, relation api.Relation, keys any) ([]api.Related, error) {
	statement, err := reachable(tx, "person:read")
	if err != nil {
		return nil, err
	}
	statement.Where(relation.Column + " = any(" + statement.Bind(keys) + ")")
	return db.All(ctx, tx, fmt.Sprintf(`
		select %s as "_key", %s
		from person
		where %s
		order by id
		limit %d`,
		relation.Column, columns, statement.Conditions(), api.MostIncluded+1),
		statement.Values(), scanRelated)
}

func scanRelated(row pgx.CollectableRow) (api.Related, error) {
	var found Person
	return api.ScanRelated(row, &found, found.fields())
}

// UpdatePerson is the person after the change, unless it has changed since the caller saw it.
func UpdatePerson(
	ctx context.Context, tx *db.Tx, id uuid.UUID, patch PersonUpdate, versions []int64,
) (*Person, error) {
	statement, err := reachable(tx, "person:update")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	statement.Version(`version`, versions)
	assignments := statement.Assignments()
	db.Assign(assignments, `email`, patch.Email)
	updated, err := db.One(ctx, tx, fmt.Sprintf(`
		update person
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

// DeletePerson deletes the person for good.
func DeletePerson(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	statement, err := reachable(tx, "person:delete")
	if err != nil {
		return err
	}
	statement.Where(`id = ` + statement.Bind(id))
	statement.Version(`version`, versions)
	deleted, err := db.One(ctx, tx, fmt.Sprintf(`
		delete from person
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
func asked(tx *db.Tx, query *api.Query[Person]) (*db.Statement, error) {
	statement, err := reachable(tx, "person:read")
	if err != nil {
		return nil, err
	}
	query.Filter(statement)
	return statement, nil
}

// reachable are the tenant's rows on which the caller has the permission.
func reachable(tx *db.Tx, permission string) (*db.Statement, error) {
	return tx.Reachable(`tenant_id`, permission)
}

// refusal is why nothing was changed: the row is gone, newer, or not the caller's.
func refusal(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	current, err := GetPerson(ctx, tx, id)
	if err != nil {
		return err
	}
	return problem.NotChanged(current.Version, versions)
}

func scan(row pgx.CollectableRow) (Person, error) {
	var found Person
	err := row.Scan(found.fields()...)
	return found, err
}

// fields are where columns go.
func (found *Person) fields() []any {
	return []any{
		&found.ID,
		&found.Email,
		&found.CreatedAt,
		&found.UpdatedAt,
		&found.Version,
	}
}
