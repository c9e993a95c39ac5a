// Package migrate applies plain SQL files, in order, each once. The files and the table schema_migrations are those of
// dbmate, which can take over at any time.
package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	service "acme-works"
)

const (
	lock           = 7_310_591_846_021_355_009
	lockPoll       = 500 * time.Millisecond
	lockPatience   = 2 * time.Minute
	connectTimeout = 10 * time.Second
	attempts       = 5
)

// The audit log is written through triggers, and what was migrated by this program; no role of the service
// rewrites either, nor issues API keys.
const keepHistory = `
do $$
declare
    holder text;
begin
    for holder in select rolname from pg_roles where rolname in ('app_api', 'app_admin') loop
        execute format('revoke insert, update, delete on schema_migrations from %I', holder);
        if to_regclass('audit_log') is not null then
            execute format('revoke update, delete on audit_log from %I', holder);
        end if;
        if to_regclass('api_key') is not null then
            execute format('revoke insert, update, delete on api_key from %I', holder);
            execute format('grant update (last_used_at) on api_key to %I', holder);
        end if;
        if to_regprocedure('freehold_services.session(text, text, bytea, text)') is not null then
            execute format('grant usage on schema freehold_services to %I', holder);
            execute format('grant execute on function freehold_services.session to %I', holder);
        end if;
    end loop;
end
$$
`

// File is one migration.
type File struct {
	Name    string
	Version string
	Text    string
}

// Checksum tells whether the file was edited after it was applied.
func (f File) Checksum() string {
	digest := sha256.Sum256([]byte(f.Text))
	return hex.EncodeToString(digest[:])
}

var marker = regexp.MustCompile(`(?m)^-- migrate:(up|down)([^\n]*)\n`)

// Block is the SQL of one direction, and whether it runs in a transaction.
func (f File) Block(direction string) (sql string, transactional bool, err error) {
	markers := marker.FindAllStringSubmatchIndex(f.Text, -1)
	for place, each := range markers {
		if f.Text[each[2]:each[3]] != direction {
			continue
		}
		end := len(f.Text)
		if place+1 < len(markers) {
			end = markers[place+1][0]
		}
		options := f.Text[each[4]:each[5]]
		return strings.TrimSpace(f.Text[each[1]:end]), !strings.Contains(options, "transaction:false"), nil
	}
	return "", false, fmt.Errorf("%s has no block `-- migrate:%s`", f.Name, direction)
}

// Files are the migrations in order.
type Files []File

// Embedded are those that this binary was built with.
func Embedded() (Files, error) {
	folder, err := fs.Sub(service.Database, "db/migrations")
	if err != nil {
		return nil, err
	}
	return Read(folder)
}

// Read takes every *.sql of the folder.
func Read(folder fs.FS) (Files, error) {
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, err
	}
	var found Files
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		version, _, _ := strings.Cut(path.Base(name), "_")
		found = append(found, File{Name: name, Version: version, Text: string(text)})
	}
	return found, nil
}

// Versions are the versions of the files, in order.
func (f Files) Versions() []string {
	var found []string
	for _, each := range f {
		found = append(found, each.Version)
	}
	return found
}

func (f Files) find(version string) (File, bool) {
	place := slices.IndexFunc(f, func(each File) bool { return each.Version == version })
	if place < 0 {
		return File{}, false
	}
	return f[place], true
}

// Session is a connection that holds the lock: nobody else migrates meanwhile.
type Session struct {
	*pgx.Conn
	files Files
	log   func(line string)
}

// During opens a session, in the schema of PostgreSQL and as the role if there is one, and hands it over.
func During(
	ctx context.Context, url, schema, role string, files Files, log func(line string), work func(*Session) error,
) error {
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("MIGRATE_DATABASE_URL is no address of PostgreSQL")
	}
	settings.ConnectTimeout = connectTimeout
	settings.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	if role != "" {
		settings.RuntimeParams["role"] = role
	}
	connection, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer connection.Close(context.WithoutCancel(ctx))
	if err := wait(ctx, connection); err != nil {
		return err
	}
	if err := run(ctx, connection, `
		create table if not exists schema_migrations (version varchar(128) primary key);
		alter table schema_migrations add column if not exists checksum text;
		alter table schema_migrations add column if not exists applied_at timestamptz(3) default now()`); err != nil {
		return err
	}
	return work(&Session{Conn: connection, files: files, log: log})
}

// wait polls, since a connection that waits for a lock would deadlock with CREATE INDEX CONCURRENTLY.
func wait(ctx context.Context, connection *pgx.Conn) error {
	for started := time.Now(); time.Since(started) < lockPatience; {
		var held bool
		if err := connection.QueryRow(ctx, "select pg_try_advisory_lock($1)", int64(lock)).Scan(&held); err != nil {
			return err
		}
		if held {
			return nil
		}
		time.Sleep(lockPoll)
	}
	return errors.New("another migration has been running for two minutes: try again when it is done")
}

// run sends several statements at once, which is what files hold.
func run(ctx context.Context, connection *pgx.Conn, sql string) error {
	return connection.PgConn().Exec(ctx, sql).Close()
}

// Applied are the versions that were applied, each with the checksum of its file; dbmate keeps none.
func (s *Session) Applied(ctx context.Context) (map[string]*string, error) {
	rows, err := s.Query(ctx, "select version, checksum from schema_migrations")
	if err != nil {
		return nil, err
	}
	found := map[string]*string{}
	var version string
	var checksum *string
	_, err = pgx.ForEachRow(rows, []any{&version, &checksum}, func() error {
		found[version] = checksum
		return nil
	})
	return found, err
}

// Up applies what is missing. A migration that was edited after it was applied stops everything.
func (s *Session) Up(ctx context.Context) error {
	done, err := s.Applied(ctx)
	if err != nil {
		return err
	}
	for _, file := range s.files {
		checksum, applied := done[file.Version]
		if applied && checksum != nil && *checksum != file.Checksum() {
			return fmt.Errorf("%s was edited after it was applied: restore it, and add a new migration", file.Name)
		}
		if applied {
			continue
		}
		if err := s.apply(ctx, file, "up",
			"insert into schema_migrations values ($1, $2)", file.Version, file.Checksum()); err != nil {
			return fmt.Errorf("%s: %w", file.Name, err)
		}
		s.log("applied " + file.Name)
	}
	return run(ctx, s.Conn, keepHistory)
}

// Down undoes the last migration.
func (s *Session) Down(ctx context.Context) error {
	done, err := s.Applied(ctx)
	if err != nil {
		return err
	}
	if len(done) == 0 {
		return errors.New("nothing is applied")
	}
	version := slices.Max(slices.Collect(maps.Keys(done)))
	file, known := s.files.find(version)
	if !known {
		return fmt.Errorf("the last migration, %s, is not among the files of this version of the service", version)
	}
	if err := s.apply(ctx, file, "down", "delete from schema_migrations where version = $1", version); err != nil {
		return fmt.Errorf("%s: %w", file.Name, err)
	}
	s.log("undid " + file.Name)
	return nil
}

func (s *Session) apply(ctx context.Context, file File, direction, record string, values ...any) error {
	sql, transactional, err := file.Block(direction)
	if err != nil {
		return err
	}
	once := func() error {
		if !transactional {
			if err := s.dropInvalidIndex(ctx, sql); err != nil {
				return err
			}
			if err := run(ctx, s.Conn, sql); err != nil {
				return err
			}
			_, err := s.Exec(ctx, record, values...)
			return err
		}
		return pgx.BeginFunc(ctx, s.Conn, func(transaction pgx.Tx) error {
			if err := run(ctx, transaction.Conn(), sql); err != nil {
				return err
			}
			_, err := transaction.Exec(ctx, record, values...)
			return err
		})
	}
	for attempt := 1; ; attempt++ {
		err := once()
		var refused *pgconn.PgError
		if attempt == attempts || !errors.As(err, &refused) || refused.Code != "55P03" {
			return err
		}
		time.Sleep(time.Second + rand.N(time.Second)) //nolint:gosec // to be apart from others, not to be secret
	}
}

var concurrent = regexp.MustCompile(`(?i)create (?:unique )?index concurrently (?:if not exists )?([^\s(]+)`)

// dropInvalidIndex: a failed concurrent build leaves an invalid index behind, which `if not exists` would take for good.
func (s *Session) dropInvalidIndex(ctx context.Context, sql string) error {
	match := concurrent.FindStringSubmatch(sql)
	if match == nil {
		return nil
	}
	var invalid bool
	err := s.QueryRow(ctx,
		"select exists (select from pg_index where indexrelid = to_regclass($1) and not indisvalid)", match[1],
	).Scan(&invalid)
	if err != nil || !invalid {
		return err
	}
	return run(ctx, s.Conn, "drop index concurrently "+match[1])
}

// Status lists the migrations.
func (s *Session) Status(ctx context.Context) error {
	done, err := s.Applied(ctx)
	if err != nil {
		return err
	}
	for _, file := range s.files {
		state := "pending"
		if _, applied := done[file.Version]; applied {
			state = "applied"
		}
		s.log(state + "  " + file.Name)
	}
	for _, version := range slices.Sorted(maps.Keys(done)) {
		if _, known := s.files.find(version); !known {
			s.log("unknown  " + version + " (applied by a newer version of the service)")
		}
	}
	return nil
}

// Roles runs db/roles.sql as an administrator, and gives app_api the password, if there is one.
func Roles(ctx context.Context, url, password string) error {
	return administrate(ctx, url, "db/roles.sql", func(connection *pgx.Conn) error {
		if password == "" {
			return nil
		}
		var alter string
		err := connection.QueryRow(ctx, "select format('alter role app_api password %L', $1::text)", password).Scan(&alter)
		if err != nil {
			return err
		}
		return run(ctx, connection, alter)
	})
}

// Seed runs db/seed.sql as app_admin: rows to try the service with.
func Seed(ctx context.Context, url string) error {
	return administrate(ctx, url, "db/seed.sql", nil)
}

func administrate(ctx context.Context, url, file string, more func(connection *pgx.Conn) error) error {
	sql, err := service.Database.ReadFile(file)
	if err != nil {
		return err
	}
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("ADMIN_DATABASE_URL is no address of PostgreSQL")
	}
	settings.ConnectTimeout = connectTimeout
	connection, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return err
	}
	defer connection.Close(context.WithoutCancel(ctx))
	if more == nil {
		if err := run(ctx, connection, "set role app_admin"); err != nil {
			return err
		}
	}
	if err := run(ctx, connection, string(sql)); err != nil || more == nil {
		return err
	}
	return more(connection)
}
