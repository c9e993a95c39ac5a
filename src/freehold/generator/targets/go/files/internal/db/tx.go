package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"service/internal/access"
)

// Tx is work in the name of one caller, and in one tenant.
type Tx struct {
	Caller   access.Principal
	TenantID *access.TenantID

	connection *pgxpool.Conn
	requestID  string
	// within a transaction the settings hold to its end; outside, for a batch
	transaction bool
	begun       bool
}

// Tenant is the tenant that the work is in; callers without one are refused.
func (t *Tx) Tenant() (access.TenantID, error) {
	if t.TenantID != nil {
		return *t.TenantID, nil
	}
	return t.Caller.Tenant()
}

// Reachable are the rows of the caller's tenant on which it has the permission. The column holds the tenant; it is empty
// for rows that belong to none.
func (t *Tx) Reachable(column, permission string) (*Statement, error) {
	statement := &Statement{}
	if column != "" {
		tenant, err := t.Tenant()
		if err != nil {
			return nil, err
		}
		statement.Where(column + " = " + statement.Bind(tenant))
	}
	statement.Allow(t.Caller, permission)
	return statement, nil
}

// Read works on a snapshot for each statement. The settings and the statement travel together: a batch is a
// transaction, so that a read is one round trip.
func (d *DB) Read(ctx context.Context, caller access.Principal, work func(tx *Tx) error) error {
	return d.acquired(ctx, func(connection *pgxpool.Conn) error {
		return work(&Tx{
			Caller: caller, TenantID: caller.TenantID, connection: connection, requestID: RequestID(ctx),
		})
	})
}

// Write works in a transaction in the caller's tenant, or in the given one. It begins with the first statement, in the
// same round trip, and is committed when the work is done, before anybody is answered.
func (d *DB) Write(
	ctx context.Context, caller access.Principal, tenant *access.TenantID, work func(tx *Tx) error,
) error {
	if tenant == nil {
		tenant = caller.TenantID
	}
	return d.acquired(ctx, func(connection *pgxpool.Conn) error {
		tx := &Tx{
			Caller: caller, TenantID: tenant, connection: connection, requestID: RequestID(ctx), transaction: true,
		}
		return tx.end(ctx, work(tx))
	})
}

// end commits what was begun, or undoes it because the work failed.
func (t *Tx) end(ctx context.Context, failure error) error {
	if !t.begun {
		return failure
	}
	if failure != nil {
		undoing, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		// The pool closes a connection that is given back in a transaction: that undoes it too.
		_, _ = t.connection.Exec(undoing, "rollback")
		return failure
	}
	done, err := t.connection.Exec(ctx, "commit")
	if err == nil && done.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return err
}

func (d *DB) acquired(ctx context.Context, work func(connection *pgxpool.Conn) error) error {
	waiting, cancel := context.WithTimeout(ctx, acquireTimeout)
	connection, err := d.pool.Acquire(waiting)
	cancel()
	if err != nil {
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	defer connection.Release()
	return work(connection)
}

const tell = `select set_config('app.tenant_id', $1, true), set_config('app.actor_id', $2, true),
	set_config('app.request_id', $3, true)`

// batch is for statements, and has what has to go before them: the settings, and the begin of a transaction.
func (t *Tx) batch() *pgx.Batch {
	batch := &pgx.Batch{}
	if t.begun {
		return batch
	}
	if t.transaction {
		batch.Queue("begin")
		t.begun = true
	}
	tenant, actor := "", ""
	if t.TenantID != nil {
		tenant = fmt.Sprint(*t.TenantID)
	}
	if id := t.Caller.Actor(); id != nil {
		actor = *id
	}
	batch.Queue(tell, tenant, actor, t.requestID)
	return batch
}

// send runs the statement.
func (t *Tx) send(ctx context.Context, sql string, values []any, read func(pgx.Rows) error) error {
	batch := t.batch()
	batch.Queue(sql, values...).Query(read)
	return t.connection.SendBatch(ctx, batch).Close()
}

// Scan reads one row into a value.
type Scan[T any] func(row pgx.CollectableRow) (T, error)

// All are the rows that the statement answers with.
func All[T any](ctx context.Context, tx *Tx, sql string, values []any, scan Scan[T]) ([]T, error) {
	var found []T
	err := tx.send(ctx, sql, values, func(rows pgx.Rows) error {
		var err error
		found, err = pgx.CollectRows(rows, pgx.RowToFunc[T](scan))
		return err
	})
	return found, err
}

// One is the first row that the statement answers with; nil if there is none.
func One[T any](ctx context.Context, tx *Tx, sql string, values []any, scan Scan[T]) (*T, error) {
	var found *T
	err := tx.send(ctx, sql, values, func(rows pgx.Rows) error {
		one, err := pgx.CollectOneRow(rows, pgx.RowToFunc[T](scan))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		found = &one
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Run runs a statement whose answer nobody needs.
func Run(ctx context.Context, tx *Tx, sql string, values ...any) error {
	return tx.send(ctx, sql, values, func(rows pgx.Rows) error {
		rows.Close()
		return rows.Err()
	})
}

// Each runs one statement for each of the values, in one round trip.
func Each(ctx context.Context, tx *Tx, sql string, values [][]any) error {
	batch := tx.batch()
	for _, each := range values {
		batch.Queue(sql, each...)
	}
	return tx.connection.SendBatch(ctx, batch).Close()
}

const partRows = 500

// Parts hands over the rows of the cursor that a statement declares, some at a time: once at least.
func Parts[T any](
	ctx context.Context, tx *Tx, cursor, declare string, values []any, scan Scan[T], take func(rows []T) error,
) error {
	if err := Run(ctx, tx, declare, values...); err != nil {
		return err
	}
	for part := 0; ; part++ {
		rows, err := All(ctx, tx, fmt.Sprintf("fetch %d from %s", partRows, cursor), nil, scan)
		if err != nil {
			return err
		}
		if len(rows) > 0 || part == 0 {
			if err := take(rows); err != nil {
				return err
			}
		}
		if len(rows) < partRows {
			return nil
		}
	}
}

// Append runs a statement, and adds the only column of its answer.
func Append[T any](ctx context.Context, tx *Tx, to *[]T, sql string, values ...any) error {
	found, err := All(ctx, tx, sql, values, Value[T])
	*to = append(*to, found...)
	return err
}

// Outcome is what became of a row that may have been there already.
type Outcome int

// What can become of it.
const (
	Known Outcome = iota
	Created
	Updated
)

// NewID is a UUID of version 7: they sort by the time they were made.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Value scans the only column of a row.
func Value[T any](row pgx.CollectableRow) (T, error) { return pgx.RowTo[T](row) }

type requestIDKey struct{}

// WithRequestID lets the audit log name the request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id of the request that the context belongs to.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
