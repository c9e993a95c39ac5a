package auditlog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/problem"
)

const columns = `
	id,
	at,
	actor_id,
	request_id,
	entity,
	entity_id,
	action,
	before,
	after`

// ListAuditLog is one page of the audit log that the caller may read, in the order that the query asks for.
func ListAuditLog(
	ctx context.Context, tx *db.Tx, query *api.Query[AuditEntry],
) (*api.Page[AuditEntry], error) {
	statement, err := asked(tx, query)
	if err != nil {
		return nil, err
	}
	var total *int64
	if query.Count {
		total, err = db.One(ctx, tx, fmt.Sprintf(`
			select count(*) from audit_log where %s`, statement.Conditions()),
			statement.Values(), db.Value[int64])
		if err != nil {
			return nil, err
		}
	}
	query.After(statement)
	sql := fmt.Sprintf(`
		select %s
		from audit_log
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

// ExportAuditLog hands over all of the audit log of a list, some at a time.
func ExportAuditLog(
	ctx context.Context, tx *db.Tx, query *api.Query[AuditEntry], take func(rows []AuditEntry) error,
) error {
	statement, err := asked(tx, query)
	if err != nil {
		return err
	}
	return db.Parts(ctx, tx, "export_audit_log", fmt.Sprintf(`
		declare export_audit_log no scroll cursor for
		select %s
		from audit_log
		where %s
		order by %s
		limit %d`,
		columns, statement.Conditions(), query.OrderBy(), api.MostExported),
		statement.Values(), scan, take)
}

// GetAuditEntry is the audit entry, if the caller may read it.
func GetAuditEntry(ctx context.Context, tx *db.Tx, id int64) (*AuditEntry, error) {
	statement, err := reachable(tx, "audit_entry:read")
	if err != nil {
		return nil, err
	}
	statement.Where(`id = ` + statement.Bind(id))
	found, err := db.One(ctx, tx, fmt.Sprintf(`
		select %s
		from audit_log
		where %s`, columns, statement.Conditions()),
		statement.Values(), scan)
	if err == nil && found == nil {
		return nil, problem.NotFound()
	}
	return found, err
}

// asked are the rows that a list is about.
func asked(tx *db.Tx, query *api.Query[AuditEntry]) (*db.Statement, error) {
	statement, err := reachable(tx, "audit_entry:read")
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

func scan(row pgx.CollectableRow) (AuditEntry, error) {
	var found AuditEntry
	err := row.Scan(found.fields()...)
	return found, err
}

// fields are where columns go.
func (found *AuditEntry) fields() []any {
	return []any{
		&found.ID,
		&found.At,
		&found.ActorID,
		&found.RequestID,
		&found.Entity,
		&found.EntityID,
		&found.Action,
		&found.Before,
		&found.After,
	}
}
