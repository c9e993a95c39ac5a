// Package db is the database: one pool, and work in the name of one caller at a time. There is no other way to the
// tables, so that nothing reaches them without a tenant.
package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"service/internal/config"
)

const (
	connectTimeout  = 5 * time.Second
	acquireTimeout  = 5 * time.Second
	rollbackTimeout = 5 * time.Second
	pingTimeout     = 2 * time.Second
)

// DB is the connection pool of this process.
type DB struct {
	pool *pgxpool.Pool
}

// Open connects, and refuses to serve with a role that row-level security does not hold. The tracer, if any, is told
// of every statement.
func Open(ctx context.Context, settings config.Settings, tracer pgx.QueryTracer) (*DB, error) {
	options, err := pgxpool.ParseConfig(settings.DatabaseURL)
	if err != nil {
		// The error of pgx repeats the URL, and with it perhaps a password.
		return nil, errors.New("DATABASE_URL is no address of PostgreSQL, such as postgresql://app_api:...@host/db")
	}
	options.MaxConns = int32(settings.DatabasePoolSize)
	options.ConnConfig.ConnectTimeout = connectTimeout
	options.ConnConfig.Tracer = tracer
	options.ConnConfig.RuntimeParams = connectionSettings(settings)
	if settings.PgBouncer {
		options.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	options.AfterConnect = func(_ context.Context, connection *pgx.Conn) error {
		teach(connection.TypeMap())
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, options)
	if err != nil {
		return nil, err
	}
	opened := &DB{pool: pool}
	if err := opened.refuseUnsafeRole(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return opened, nil
}

// Close waits for the connections that are in use.
func (d *DB) Close() { d.pool.Close() }

// Connections are how many there are, and how many of them are idle.
func (d *DB) Connections() (total, idle int32) {
	stat := d.pool.Stat()
	return stat.TotalConns(), stat.IdleConns()
}

// Ping asks whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return d.pool.Ping(ctx)
}

// AppliedMigrations are the versions that the database is at.
func (d *DB) AppliedMigrations(ctx context.Context) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	var known bool
	err := d.pool.QueryRow(ctx, "select to_regclass('schema_migrations') is not null").Scan(&known)
	found := map[string]bool{}
	if err != nil || !known {
		return found, err
	}
	rows, err := d.pool.Query(ctx, "select version from schema_migrations")
	if err != nil {
		return nil, err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, each := range versions {
		found[each] = true
	}
	return found, err
}

// connectionSettings are what each connection starts with. Nothing is ever set for a session later on.
func connectionSettings(settings config.Settings) map[string]string {
	found := map[string]string{
		"application_name":                    settings.Service,
		"search_path":                         pgx.Identifier{settings.DatabaseSchema}.Sanitize(),
		"statement_timeout":                   "15000",
		"idle_in_transaction_session_timeout": "30000",
		"timezone":                            "UTC",
		"datestyle":                           "ISO",
		"standard_conforming_strings":         "on",
	}
	if settings.DatabaseRole != "" {
		found["role"] = settings.DatabaseRole
	}
	return found
}

// refuseUnsafeRole: row-level security does not bind superusers, BYPASSRLS roles and owners. Never serve as one.
func (d *DB) refuseUnsafeRole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var role string
	var bypasses bool
	err := d.pool.QueryRow(ctx, `
		select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user`).Scan(&role, &bypasses)
	if err != nil {
		return err
	}
	if bypasses {
		return fmt.Errorf("the database role %s bypasses row-level security (superuser or BYPASSRLS): "+
			"let DATABASE_URL or DATABASE_ROLE name app_api, which db/roles.sql makes", role)
	}
	rows, err := d.pool.Query(ctx, `
		select relname, relrowsecurity and relforcerowsecurity, pg_has_role(current_user, relowner, 'usage')
		from pg_class
		where relnamespace = to_regnamespace(quote_ident(current_schema()))::oid and relname = any($1)`, TenantTables)
	if err != nil {
		return err
	}
	var table string
	var guarded, owned bool
	_, err = pgx.ForEachRow(rows, []any{&table, &guarded, &owned}, func() error {
		if owned {
			return fmt.Errorf("the database role %s owns the table %s: tables belong to app_owner, serve as app_api",
				role, table)
		}
		if !guarded {
			return fmt.Errorf("row-level security is not enabled and forced on the table %s", table)
		}
		return nil
	})
	return err
}

// teach makes a connection read and write some types as text, which is how the wire has them.
func teach(types *pgtype.Map) {
	for _, each := range []struct {
		name     string
		oid      uint32
		arrayOID uint32
		codec    pgtype.Codec
	}{
		{"numeric", pgtype.NumericOID, pgtype.NumericArrayOID, asText{pgtype.NumericCodec{}}},
		{"date", pgtype.DateOID, pgtype.DateArrayOID, asText{pgtype.DateCodec{}}},
		{"time", pgtype.TimeOID, pgtype.TimeArrayOID, asText{pgtype.TimeCodec{}}},
		{"inet", pgtype.InetOID, pgtype.InetArrayOID, asText{pgtype.InetCodec{}}},
	} {
		one := &pgtype.Type{Name: each.name, OID: each.oid, Codec: each.codec}
		types.RegisterType(one)
		types.RegisterType(&pgtype.Type{
			Name: "_" + each.name, OID: each.arrayOID, Codec: &pgtype.ArrayCodec{ElementType: one},
		})
	}
}

type asText struct{ pgtype.Codec }

func (asText) PreferredFormat() int16 { return pgtype.TextFormatCode }

// FormatSupported keeps arrays, which would rather be binary, to text as well.
func (asText) FormatSupported(format int16) bool { return format == pgtype.TextFormatCode }
