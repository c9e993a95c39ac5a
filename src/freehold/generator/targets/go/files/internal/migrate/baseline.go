package migrate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const columnsOf = `
	select c.relname || '.' || a.attname,
	       format_type(a.atttypid, a.atttypmod),
	       a.attnotnull,
	       a.atthasdef or a.attidentity <> '' or a.attgenerated <> '',
	       c.relrowsecurity
	from pg_class c join pg_attribute a on a.attrelid = c.oid
	where c.relnamespace = (select oid from pg_namespace where nspname = $1)
	  and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`

// own is the migration of what only the service has: no other maker of its tables has made it.
var own = regexp.MustCompile(`(_create_(idempotency|api)_keys|_to_its_members)\.sql$`)

type column struct {
	Type     string
	Required bool
	Filled   bool
	Guarded  bool
}

// Baseline marks every migration as applied on a database that has these tables already, after comparing them.
func (s *Session) Baseline(ctx context.Context) error {
	var schema string
	if err := s.QueryRow(ctx, "select current_schema()").Scan(&schema); err != nil {
		return err
	}
	for _, file := range s.files {
		if !own.MatchString(file.Name) {
			continue
		}
		sql, _, err := file.Block("up")
		if err != nil {
			return err
		}
		if err := run(ctx, s.Conn, sql); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	actual, err := columns(ctx, s.Conn, schema)
	if err != nil {
		return err
	}
	var wanted map[string]column
	err = s.madeAnew(ctx, s.files, func(scratch string) error {
		wanted, err = columns(ctx, s.Conn, scratch)
		return err
	})
	if err != nil {
		return err
	}
	if faults := differences(wanted, actual); len(faults) > 0 {
		return errors.New("the tables are not the ones of this service:\n  " + strings.Join(faults, "\n  "))
	}
	for _, file := range s.files {
		_, err := s.Exec(ctx, "insert into schema_migrations values ($1, $2) on conflict do nothing",
			file.Version, file.Checksum())
		if err != nil {
			return err
		}
		s.log("marked " + file.Name)
	}
	return s.grant(ctx, schema)
}

// madeAnew makes the tables in a schema of their own, which is searched meanwhile, and leaves nothing behind.
func (s *Session) madeAnew(ctx context.Context, files Files, look func(scratch string) error) error {
	scratch := "scratch_" + strings.ToLower(rand.Text())
	transaction, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	// After a failure the connection is closed, which rolls back as well.
	defer func() { _ = transaction.Rollback(context.WithoutCancel(ctx)) }()
	err = run(ctx, s.Conn, "create schema "+scratch+"; set local search_path = "+scratch)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42501" {
		return fmt.Errorf("%w: run `roles` again as the administrator, it lets app_owner make a schema", err)
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		sql, _, err := file.Block("up")
		if err != nil {
			return err
		}
		if err := run(ctx, s.Conn, concurrently.ReplaceAllString(sql, " ")); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	return look(scratch)
}

var concurrently = regexp.MustCompile(`(?i)\s+concurrently\s+`)

func columns(ctx context.Context, connection *pgx.Conn, schema string) (map[string]column, error) {
	rows, err := connection.Query(ctx, columnsOf, schema)
	if err != nil {
		return nil, err
	}
	found := map[string]column{}
	var name string
	var each column
	_, err = pgx.ForEachRow(rows, []any{&name, &each.Type, &each.Required, &each.Filled, &each.Guarded}, func() error {
		found[name] = each
		return nil
	})
	return found, err
}

// grant is what db/roles.sql arranges for tables that the migrations make, for tables that were there before.
func (s *Session) grant(ctx context.Context, schema string) error {
	var known, connects bool
	var database string
	err := s.QueryRow(ctx, `
		select exists (select from pg_roles where rolname = 'app_api'), current_database()`).Scan(&known, &database)
	if err != nil {
		return err
	}
	if !known {
		s.log("there is no role app_api yet: make it, and run this again")
		return nil
	}
	err = s.QueryRow(ctx, "select has_database_privilege('app_api', current_database(), 'connect')").Scan(&connects)
	if err != nil {
		return err
	}
	if !connects {
		quoted := pgx.Identifier{database}.Sanitize()
		if err := run(ctx, s.Conn, "grant connect on database "+quoted+" to app_api"); err != nil {
			return err
		}
	}
	namespace := pgx.Identifier{schema}.Sanitize()
	err = run(ctx, s.Conn, `
		grant usage on schema `+namespace+` to app_api;
		grant select, insert, update, delete on all tables in schema `+namespace+` to app_api;
		alter default privileges in schema `+namespace+` grant select, insert, update, delete on tables to app_api;
		`+keepHistory)
	if err == nil {
		s.log("app_api may use the tables of " + schema)
	}
	return err
}

// differences are what keeps the service from working on the actual tables. Further columns may be there if they
// fill in.
func differences(wanted, actual map[string]column) []string {
	var faults []string
	tables := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		table, _, _ := strings.Cut(name, ".")
		tables[table] = true
		needed := wanted[name]
		found, there := actual[name]
		switch {
		case !there:
			faults = append(faults, name+" is missing")
		case found.Type != needed.Type:
			faults = append(faults, fmt.Sprintf("%s is %s, and should be %s", name, found.Type, needed.Type))
		case needed.Required && !found.Required:
			faults = append(faults, name+" should not be nullable")
		case found.Required && !needed.Required:
			faults = append(faults, name+" should be nullable")
		case needed.Guarded && !found.Guarded:
			faults = append(faults, name+": row-level security is not enabled on its table")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(actual)) {
		table, _, _ := strings.Cut(name, ".")
		_, expected := wanted[name]
		if tables[table] && !expected && actual[name].Required && !actual[name].Filled {
			faults = append(faults, name+" is required, and the service does not know it")
		}
	}
	return faults
}
