package tests

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"acme-works/internal/migrate"
)

// emptyDatabase is one with the roles alone.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	name, err := newDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dropDatabase(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	if err := migrate.Roles(t.Context(), urlOf(name), ""); err != nil {
		t.Fatal(err)
	}
	return urlOf(name)
}

func files(t *testing.T) migrate.Files {
	t.Helper()
	found, err := migrate.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func tablesOf(ctx context.Context, session *migrate.Session) ([]string, error) {
	rows, err := session.Query(ctx, `
		select tablename from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' order by 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func TestEveryMigrationCanBeUndoneAndDoneAgain(t *testing.T) {
	ctx := t.Context()
	var first, between, last []string
	err := during(ctx, emptyDatabase(t), func(session *migrate.Session) error {
		failed := session.Up(ctx)
		look := func(at *[]string) {
			found, err := tablesOf(ctx, session)
			*at, failed = found, errors.Join(failed, err)
		}
		look(&first)
		for range files(t) {
			failed = errors.Join(failed, session.Down(ctx))
		}
		look(&between)
		failed = errors.Join(failed, session.Up(ctx))
		look(&last)
		return failed
	})
	if err != nil {
		t.Fatal(err)
	}

	want(t, len(first) > 0, true)
	want(t, fmt.Sprint(last), fmt.Sprint(first))
	want(t, len(between), 0, between)
}

func TestTenReplicasThatStartAtOnceDoNotCollide(t *testing.T) {
	url := emptyDatabase(t)
	done := make(chan error)
	for range 10 {
		go func() { done <- up(t.Context(), url) }()
	}
	for range 10 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}

	var applied []string
	err := during(t.Context(), url, func(session *migrate.Session) error {
		found, err := session.Applied(t.Context())
		applied = slices.Sorted(maps.Keys(found))
		return err
	})
	want(t, err, error(nil))
	want(t, fmt.Sprint(applied), fmt.Sprint(files(t).Versions()))
}

func TestAnEditedMigrationIsRefused(t *testing.T) {
	url := emptyDatabase(t)
	if err := up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{}
	for _, file := range files(t) {
		folder[file.Name] = &fstest.MapFile{Data: []byte(file.Text + "\n-- edited\n")}
	}
	edited, err := migrate.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	err = migrate.During(t.Context(), url, "public", "app_owner", edited, func(string) {},
		func(session *migrate.Session) error { return session.Up(t.Context()) })

	want(t, err != nil && strings.Contains(err.Error(), "edited after it was applied"), true, err)
}

func TestBaselineTakesTheRightTablesAndRefusesOthers(t *testing.T) {
	ctx, url := t.Context(), emptyDatabase(t)
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(ctx)
	run := func(sql string) {
		t.Helper()
		if err := connection.PgConn().Exec(ctx, sql).Close(); err != nil {
			t.Fatal(err)
		}
	}
	run("create schema elsewhere; set search_path = elsewhere")
	for _, file := range files(t) {
		sql, _, err := file.Block("up")
		if err != nil {
			t.Fatal(err)
		}
		run(sql)
	}
	baseline := func() error {
		return migrate.During(ctx, url, "elsewhere", "", files(t), func(string) {},
			func(session *migrate.Session) error { return session.Baseline(ctx) })
	}

	want(t, baseline(), error(nil))
	of := world.Resources[len(world.Resources)-1]
	run(fmt.Sprintf("alter table %s drop column %s cascade", of.Table, of.Columns["id"]))
	refused := baseline()
	want(t, refused != nil && strings.Contains(refused.Error(), "is missing"), true, refused)
}
