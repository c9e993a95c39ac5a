// Command api-key issues, lists and revokes the API keys of servers, as the owner of the tables.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"service/internal/access"
	"service/internal/auth"
)

const (
	usage = `usage: api-key issue --name <what for> --role <role> [--tenant <id>] [--scope entity:action] [--days <n>]
       api-key list
       api-key revoke <id>`
	timeout    = 10 * time.Second
	mostName   = 200
	mostDays   = 3650
	mostListed = 1000
)

// words are a flag that may be given several times.
type words []string

func (w *words) String() string { return strings.Join(*w, " ") }

func (w *words) Set(word string) error {
	*w = append(*w, word)
	return nil
}

type wanted struct {
	name, tenant  string
	roles, scopes words
	days          int
}

func main() {
	answer, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println(answer)
}

func run(arguments []string) (string, error) {
	switch {
	case len(arguments) > 0 && arguments[0] == "issue":
		key, err := read(arguments[1:])
		if err != nil {
			return "", err
		}
		return connected(func(ctx context.Context, connection *pgx.Conn) (string, error) {
			return issue(ctx, connection, key)
		})
	case len(arguments) == 1 && arguments[0] == "list":
		return connected(list)
	case len(arguments) == 2 && arguments[0] == "revoke":
		return connected(func(ctx context.Context, connection *pgx.Conn) (string, error) {
			return revoke(ctx, connection, arguments[1])
		})
	}
	return "", errors.New(usage)
}

func read(arguments []string) (wanted, error) {
	found := wanted{roles: words{}, scopes: words{}}
	flags := flag.NewFlagSet("issue", flag.ContinueOnError)
	flags.StringVar(&found.name, "name", "", "what it is for")
	flags.Var(&found.roles, "role", "a role that it has")
	flags.StringVar(&found.tenant, "tenant", "", "id of its tenant")
	flags.Var(&found.scopes, "scope", "what it is limited to, such as entity:action")
	flags.IntVar(&found.days, "days", 0, "how long it is good; for ever without it")
	if err := flags.Parse(arguments); err != nil {
		return found, err
	}
	known := append(slices.Clone(access.Roles), "service")
	permissions := permissions()
	isOdd := func(each rune) bool { return !unicode.IsPrint(each) }
	unknown := func(among []string) func(string) bool {
		return func(word string) bool { return !slices.Contains(among, word) }
	}
	switch length := utf8.RuneCountInString(found.name); {
	case flags.NArg() > 0:
		return found, errors.New(usage)
	case length < 1 || length > mostName || strings.ContainsFunc(found.name, isOdd):
		return found, fmt.Errorf("--name should have 1 to %d printable characters", mostName)
	case len(found.roles) == 0 || slices.ContainsFunc(found.roles, unknown(known)):
		return found, errors.New("--role should be one of: " + strings.Join(known, ", "))
	case slices.ContainsFunc(found.scopes, unknown(permissions)):
		return found, errors.New("--scope should be one of: " + strings.Join(permissions, ", "))
	case found.days < 0 || found.days > mostDays:
		return found, fmt.Errorf("--days should be a number up to %d", mostDays)
	}
	if found.tenant != "" {
		if _, err := access.ParseTenantID(found.tenant); err != nil {
			return found, errors.New("--tenant should be the id of a tenant")
		}
	}
	return found, nil
}

func permissions() []string {
	var found []string
	for _, table := range access.Table {
		for permission := range table {
			found = append(found, permission)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func connected(work func(ctx context.Context, connection *pgx.Conn) (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	url := cmp.Or(os.Getenv("MIGRATE_DATABASE_URL"), os.Getenv("DATABASE_URL"))
	if url == "" {
		return "", errors.New("MIGRATE_DATABASE_URL is missing: a login that may act as app_owner")
	}
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return "", errors.New("MIGRATE_DATABASE_URL is no address of PostgreSQL")
	}
	schema := cmp.Or(os.Getenv("DATABASE_SCHEMA"), "public")
	settings.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	if role := os.Getenv("MIGRATE_ROLE"); role != "" {
		settings.RuntimeParams["role"] = role
	}
	connection, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return "", err
	}
	defer connection.Close(ctx)
	return work(ctx, connection)
}

func issue(ctx context.Context, connection *pgx.Conn, key wanted) (string, error) {
	spelled, id, err := auth.NewKey(os.Getenv("ENVIRONMENT"))
	if err != nil {
		return "", err
	}
	_, err = connection.Exec(ctx, `
		insert into api_key (id, hash, name, tenant, roles, scopes, expires_at)
		values ($1, $2, $3, nullif($4, ''), $5, $6, now() + nullif($7::integer, 0) * interval '1 day')`,
		id, auth.Digest(spelled), key.name, key.tenant, []string(key.roles), []string(key.scopes), key.days)
	return spelled, err
}

func list(ctx context.Context, connection *pgx.Conn) (string, error) {
	rows, err := connection.Query(ctx, `
		select concat_ws(E'\t', id, name, coalesce(tenant, 'no tenant'), array_to_string(roles, ' '),
		                 coalesce(nullif(array_to_string(scopes, ' '), ''), 'all scopes'),
		                 coalesce('until ' || expires_at, 'for ever'),
		                 coalesce('revoked ' || revoked_at, 'good'),
		                 coalesce('used ' || last_used_at, 'never used'))
		from api_key
		order by created_at desc, id
		limit $1`, mostListed)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n"), err
}

func revoke(ctx context.Context, connection *pgx.Conn, id string) (string, error) {
	done, err := connection.Exec(
		ctx, "update api_key set revoked_at = now() where id = $1 and revoked_at is null", id)
	if err == nil && done.RowsAffected() == 0 {
		err = fmt.Errorf("there is no key %s that is not revoked already", id)
	}
	return "revoked " + id, err
}
