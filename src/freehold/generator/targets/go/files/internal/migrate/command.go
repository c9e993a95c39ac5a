package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

var commands = map[string]func(*Session, context.Context) error{
	"up":       (*Session).Up,
	"down":     (*Session).Down,
	"status":   (*Session).Status,
	"drift":    func(session *Session, ctx context.Context) error { return session.TellDrift(ctx, false) },
	"baseline": (*Session).Baseline,
}

// Commands are what Command takes.
func Commands() string {
	return strings.Join(append(slices.Sorted(maps.Keys(commands)), "roles", "seed"), "|")
}

// Command runs one of the commands, as the environment says. Only drift can answer with JSON.
func Command(ctx context.Context, name string, asJSON bool) error {
	if name == "roles" || name == "seed" {
		return administration(ctx, name)
	}
	work, known := commands[name]
	if !known || asJSON && name != "drift" {
		return fmt.Errorf("usage: migrate %s; drift takes --json", Commands())
	}
	if asJSON {
		work = func(session *Session, ctx context.Context) error { return session.TellDrift(ctx, true) }
	}
	url := cmp.Or(os.Getenv("MIGRATE_DATABASE_URL"), os.Getenv("DATABASE_URL"))
	if url == "" {
		return errors.New("MIGRATE_DATABASE_URL is missing: a login that may act as app_owner")
	}
	files, err := Embedded()
	if err != nil {
		return err
	}
	schema := cmp.Or(os.Getenv("DATABASE_SCHEMA"), "public")
	return During(ctx, url, schema, os.Getenv("MIGRATE_ROLE"), files, say, func(session *Session) error {
		return work(session, ctx)
	})
}

func administration(ctx context.Context, name string) error {
	if name == "seed" && os.Getenv("ENVIRONMENT") == "production" {
		return errors.New("the seeds are for development, and ENVIRONMENT is production")
	}
	url := os.Getenv("ADMIN_DATABASE_URL")
	if url == "" {
		return errors.New("ADMIN_DATABASE_URL is missing: a login that may create roles. " +
			"`make` reads it from .env, a copy of .env.example")
	}
	if name == "seed" {
		if err := Seed(ctx, url); err != nil {
			return err
		}
		say("the rows of db/seed.sql are there")
		return nil
	}
	if err := Roles(ctx, url, os.Getenv("APP_API_PASSWORD")); err != nil {
		return err
	}
	say("the roles app_owner, app_api and app_admin are there")
	return nil
}

func say(line string) { fmt.Println(line) }
