// Package tests drives the real service on a real PostgreSQL, as callers with every kind of token. Each test has its
// own tenant.
package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/santhosh-tekuri/jsonschema/v6"

	service "acme-works"
	"acme-works/internal/auth"
	"acme-works/internal/config"
	"acme-works/internal/db"
	"acme-works/internal/migrate"
	"acme-works/internal/server"
)

const secret = "only-for-tests-0123456789012345678901234567890"

var (
	adminURL    = env("TEST_DATABASE_URL", "postgresql://postgres:postgres@127.0.0.1:5432/postgres")
	databaseURL string
	settings    config.Settings
	running     *server.Server
	database    *db.DB
	admin       *pgxpool.Pool
)

func env(name, fallback string) string {
	if text := os.Getenv(name); text != "" {
		return text
	}
	return fallback
}

// TestMain makes a database with the roles and every migration, and drops it after the tests.
func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ctx := context.Background()
	name, err := newDatabase(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = dropDatabase(ctx, name) }()
	databaseURL = urlOf(name)
	if err := migrate.Roles(ctx, databaseURL, ""); err != nil {
		return 0, err
	}
	if err := up(ctx, databaseURL); err != nil {
		return 0, err
	}
	settings, err = config.Load(environment(map[string]string{}))
	if err != nil {
		return 0, err
	}
	if admin, err = pgxpool.New(ctx, databaseURL); err != nil {
		return 0, err
	}
	defer admin.Close()
	for _, statement := range world.ScarceKeys {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return 0, err
		}
	}
	if database, err = db.Open(ctx, settings, nil); err != nil {
		return 0, err
	}
	defer database.Close()
	running = server.New(settings, database, nil)
	return m.Run(), nil
}

// environment is a good one, with changes.
func environment(changes map[string]string) func(string) string {
	good := map[string]string{
		"DATABASE_URL": databaseURL, "DATABASE_ROLE": "app_api", "AUTH_PROVIDER": "dev", "AUTH_DEV_SECRET": secret,
		"LOG_LEVEL": "error",
	}
	return func(name string) string {
		if value, changed := changes[name]; changed {
			return value
		}
		return good[name]
	}
}

func up(ctx context.Context, url string) error {
	return during(ctx, url, func(session *migrate.Session) error { return session.Up(ctx) })
}

func during(ctx context.Context, url string, work func(*migrate.Session) error) error {
	files, err := migrate.Embedded()
	if err != nil {
		return err
	}
	return migrate.During(ctx, url, "public", "app_owner", files, func(string) {}, work)
}

func newDatabase(ctx context.Context) (string, error) {
	name := "test_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	return name, asAdmin(ctx, "create database "+name)
}

func dropDatabase(ctx context.Context, name string) error {
	return asAdmin(ctx, "drop database "+name+" with (force)")
}

func asAdmin(ctx context.Context, sql string) error {
	connection, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return fmt.Errorf("TEST_DATABASE_URL: %w", err)
	}
	defer connection.Close(ctx)
	_, err = connection.Exec(ctx, sql)
	return err
}

func urlOf(name string) string {
	found, err := url.Parse(adminURL)
	if err != nil {
		panic(err)
	}
	found.Path = "/" + name
	return found.String()
}

// caller is somebody with a token. Every answer is held against openapi.json.
type caller struct {
	role   string
	tenant any
	user   any
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) row {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(a.body))
	decoder.UseNumber()
	var found row
	if err := decoder.Decode(&found); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return found
}

// fault is the first thing that is wrong, of which a refusal tells.
func (a answer) fault(t *testing.T) row {
	t.Helper()
	faults, _ := a.json(t)["errors"].([]any)
	if len(faults) == 0 {
		t.Fatalf("no errors in %s", a.body)
	}
	return faults[0].(row)
}

func (a answer) rows(t *testing.T) []row {
	t.Helper()
	var found []row
	data, _ := a.json(t)["data"].([]any)
	for _, each := range data {
		found = append(found, each.(row))
	}
	return found
}

func (a answer) page(t *testing.T) row {
	t.Helper()
	page, _ := a.json(t)["page"].(row)
	return page
}

type option func(*http.Request)

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func (c caller) get(t *testing.T, path string, options ...option) answer {
	t.Helper()
	return c.send(t, http.MethodGet, path, nil, options...)
}

func (c caller) list(t *testing.T, of *resource, parameters ...string) answer {
	t.Helper()
	values := url.Values{}
	for place := 0; place < len(parameters); place += 2 {
		values.Add(parameters[place], parameters[place+1])
	}
	return c.get(t, of.Path+"?"+values.Encode())
}

func (c caller) post(t *testing.T, path string, body any, options ...option) answer {
	t.Helper()
	return c.send(t, http.MethodPost, path, body, options...)
}

func (c caller) patch(t *testing.T, path string, body any, options ...option) answer {
	t.Helper()
	return c.send(t, http.MethodPatch, path, body, options...)
}

func (c caller) delete(t *testing.T, path string, options ...option) answer {
	t.Helper()
	return c.send(t, http.MethodDelete, path, nil, options...)
}

// send takes bytes as they are, and anything else as JSON.
func (c caller) send(t *testing.T, method, path string, body any, options ...option) answer {
	t.Helper()
	var content io.Reader
	if raw, isRaw := body.([]byte); isRaw {
		content = bytes.NewReader(raw)
	} else if body != nil {
		written, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(written)
	}
	request := httptest.NewRequestWithContext(t.Context(), method, path, content)
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.role != "public" {
		token, err := auth.Issue(secret, c.role, text(c.tenant), text(c.user), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for _, each := range options {
		each(request)
	}
	recorder := httptest.NewRecorder()
	running.Handler.ServeHTTP(recorder, request)
	found := answer{recorder.Code, recorder.Header(), recorder.Body.Bytes()}
	checkContract(t, method, path, found)
	return found
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

var contract = sync.OnceValue(func() map[string]any {
	found, err := jsonschema.UnmarshalJSON(bytes.NewReader(service.OpenAPI))
	if err != nil {
		panic(err)
	}
	return found.(map[string]any)
})

var compiler = sync.OnceValue(func() *jsonschema.Compiler {
	found := jsonschema.NewCompiler()
	found.AssertFormat()
	if err := found.AddResource("openapi.json", contract()); err != nil {
		panic(err)
	}
	return found
})

var inBraces = regexp.MustCompile(`\\\{\w+\\\}`)

// checkContract: the status, the media type and the body are ones that openapi.json promises.
func checkContract(t *testing.T, method, path string, found answer) {
	t.Helper()
	bare, _, _ := strings.Cut(path, "?")
	for template, item := range contract()["paths"].(map[string]any) {
		pattern := "^" + inBraces.ReplaceAllString(regexp.QuoteMeta(template), "[^/]+") + "$"
		operation, promised := item.(map[string]any)[strings.ToLower(method)].(map[string]any)
		if !promised || !regexp.MustCompile(pattern).MatchString(bare) {
			continue
		}
		responses, status := operation["responses"].(map[string]any), fmt.Sprint(found.status)
		promise, known := responses[status].(map[string]any)
		if !known {
			status = status[:1] + "XX"
			promise, known = responses[status].(map[string]any)
		}
		place := []string{"paths", template, strings.ToLower(method), "responses", status}
		if !known {
			t.Fatalf("%s %s answered %d: %s", method, template, found.status, found.body)
		}
		if reference, refers := promise["$ref"].(string); refers {
			name := reference[strings.LastIndex(reference, "/")+1:]
			place = []string{"components", "responses", name}
			promise = contract()["components"].(map[string]any)["responses"].(map[string]any)[name].(map[string]any)
		}
		content, _ := promise["content"].(map[string]any)
		if len(content) == 0 {
			if len(found.body) > 0 {
				t.Fatalf("%s %s answered with a body: %s", method, template, found.body)
			}
			return
		}
		media, _, _ := strings.Cut(found.header.Get("Content-Type"), ";")
		if _, promised := content[media]; !promised {
			t.Fatalf("%s %s answered with %s", method, template, media)
		}
		if media != "text/csv" {
			validate(t, append(place, "content", media, "schema"), found.body)
		}
		return
	}
}

func validate(t *testing.T, place []string, body []byte) {
	t.Helper()
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	pointer := "openapi.json#"
	for _, part := range place {
		pointer += "/" + escape.Replace(part)
	}
	schema, err := compiler().Compile(pointer)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if err := schema.Validate(value); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
}

// query is for what a test has to look at behind the back of the service.
func query(t *testing.T, sql string, values ...any) []row {
	t.Helper()
	rows, err := admin.Query(t.Context(), sql, values...)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// newTenant is the id of a new tenant; nil in a service without any.
func newTenant(t *testing.T) any {
	t.Helper()
	if tenants() == nil {
		return nil
	}
	return newRow(t, tenants(), nil, row{})["id"]
}

// newRow is a new row that was written past the API, with the rows that it has to refer to. Of a tenant there is
// one, which gets new values.
func newRow(t *testing.T, of *resource, tenant any, values row) row {
	t.Helper()
	wire := of.sample()
	for name, value := range references(t, of, tenant, values) {
		wire[name] = value
	}
	for name, value := range values {
		wire[name] = value
	}
	if _, given := wire["id"]; !given && of.IDKind != "serial" {
		wire["id"] = uuid.NewString()
		if of.Tenant == "self" && tenant != nil {
			wire["id"] = tenant
		}
	}
	stored := row{}
	var columns []string
	add := func(column string, value any) {
		columns = append(columns, column)
		stored[strings.Trim(column, `"`)] = value
	}
	for name, value := range wire {
		if slices.Contains(of.Places, name) {
			value = place(value)
		}
		add(of.Columns[name], value)
	}
	if of.Tenant == "scoped" {
		add(of.TenantColumn, tenant)
	}
	written, err := json.Marshal(stored)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Join(columns, ", ")
	chosen, id := fmt.Sprintf("select %s from jsonb_populate_record(null::%s, $1::jsonb)", list, of.Table), of.Columns["id"]
	again := ""
	if of.Tenant == "self" {
		again = fmt.Sprintf("on conflict (%s) do update set (%s) = (%s)", id, list, chosen)
	}
	found := query(t, fmt.Sprintf("insert into %s (%s) %s %s returning %s::text as id", of.Table, list, chosen, again, id), written)
	wire["id"] = found[0]["id"]
	if of.IDKind == "serial" {
		wire["id"] = json.Number(fmt.Sprint(found[0]["id"]))
	}
	return wire
}

// rowOf is the tenant itself, where that is what the resource has.
func rowOf(t *testing.T, of *resource, tenant any) row {
	t.Helper()
	if of.Tenant == "self" {
		return row{"id": tenant}
	}
	return newRow(t, of, tenant, row{})
}

// references are the ids of new rows for the references that cannot be null.
func references(t *testing.T, of *resource, tenant any, given row) row {
	t.Helper()
	found := row{}
	for _, name := range of.Required {
		if _, known := given[name]; !known {
			found[name] = newRow(t, named(of.References[name]), tenant, row{})["id"]
		}
	}
	return found
}

// body is a valid one for a create by the role.
func body(t *testing.T, of *resource, tenant any, role string) row {
	t.Helper()
	return with(of.writable(role), references(t, of, tenant, row{}))
}

func with(left, right row) row {
	found := row{}
	for _, each := range []row{left, right} {
		for name, value := range each {
			found[name] = value
		}
	}
	return found
}

// able is a caller that has the permission on every row; the test is skipped when no role has.
func able(t *testing.T, permission string, tenant any) caller {
	t.Helper()
	role := roleWith(permission)
	if role == "" {
		t.Skipf("no role has %s on every row", permission)
	}
	return caller{role: role, tenant: tenant}
}

// newUser is the id of a user that rows of the resource can refer to. Where users are the resource, there is none yet.
func newUser(t *testing.T, of *resource, tenant any) any {
	t.Helper()
	if world.User == "" || world.User == of.Name {
		return uuid.NewString()
	}
	return newRow(t, named(world.User), tenant, row{})["id"]
}

// place is a point, a line or the rings of a polygon as PostgreSQL writes them.
func place(value any) any {
	parts, okay := value.([]any)
	if !okay {
		return nil
	}
	if _, isPoint := parts[0].([]any); !isPoint {
		return fmt.Sprintf("(%v,%v)", parts[0], parts[1])
	}
	var found []string
	for _, each := range parts {
		found = append(found, fmt.Sprint(place(each)))
	}
	if _, isRing := parts[0].([]any)[0].([]any); isRing {
		return found
	}
	return "(" + strings.Join(found, ",") + ")"
}

// want fails the test unless both are the same.
func want[T comparable](t *testing.T, found, wanted T, about ...any) {
	t.Helper()
	if found != wanted {
		t.Fatalf("found %v, wanted %v %s", found, wanted, spell(about))
	}
}

func spell(about []any) string {
	var found strings.Builder
	for _, each := range about {
		if raw, isRaw := each.([]byte); isRaw {
			each = string(raw)
		}
		fmt.Fprintf(&found, " %v", each)
	}
	return found.String()
}

func ids(rows []row) []string {
	var found []string
	for _, each := range rows {
		found = append(found, text(each["id"]))
	}
	return found
}

func pathOf(of *resource, found row) string { return of.Path + "/" + url.PathEscape(text(found["id"])) }
