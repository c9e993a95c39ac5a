package tests

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

type change struct {
	action, method, suffix string
	// what the row is to be like before
	state row
}

var changes = []change{
	{action: "read", method: http.MethodGet}, {action: "update", method: http.MethodPatch},
	{action: "delete", method: http.MethodDelete},
}

func bodyOf(method string) any {
	if method == http.MethodPatch {
		return row{}
	}
	return nil
}

func stored(t *testing.T, of *resource, id any) string {
	t.Helper()
	found := query(t, fmt.Sprintf(
		"select to_jsonb(t.*)::text as found from %s t where %s::text = $1", of.Table, of.Columns["id"]), text(id))
	return text(found[0]["found"])
}

func TestARowOfAnotherTenantIsNotThere(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		found := newRow(t, of, theirs, row{})
		before := stored(t, of, found["id"])

		for _, change := range changes {
			role := roleWith(of.Name + ":" + change.action)
			if role == "" || of.ReadOnly && change.action != "read" {
				continue
			}
			us := caller{role: role, tenant: ours}
			want(t, us.send(t, change.method, pathOf(of, found), bodyOf(change.method)).status, 404)
			if of.SoftDelete && change.action == "delete" {
				want(t, us.post(t, pathOf(of, found)+"/restore", nil).status, 404)
			}
		}
		want(t, stored(t, of, found["id"]), before)
	})
}

func TestAnotherTenantItselfIsNotThere(t *testing.T) {
	of := tenants()
	if of == nil {
		t.Skip("there are no tenants")
	}
	ours, theirs := newTenant(t), newTenant(t)
	before := stored(t, of, theirs)

	for _, change := range changes {
		if role := roleWith(of.Name + ":" + change.action); role != "" {
			us := caller{role: role, tenant: ours}
			want(t, us.send(t, change.method, pathOf(of, row{"id": theirs}), bodyOf(change.method)).status, 404)
		}
	}
	want(t, stored(t, of, theirs), before)
	want(t, slices.Contains(ids(able(t, of.Name+":read", ours).list(t, of).rows(t)), text(theirs)), false)
}

func TestNoListShowsARowOfAnotherTenant(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		foreign := text(newRow(t, of, theirs, row{})["id"])
		own := text(newRow(t, of, ours, row{})["id"])
		reader := able(t, of.Name+":read", ours)
		asked := map[string]string{"limit": "100", "id.in": foreign}
		for parameter, value := range of.filters() {
			if _, given := asked[parameter]; !given && !of.hides(reader.role, parameter) {
				asked[parameter] = value
			}
		}

		for parameter, value := range asked {
			got := reader.list(t, of, "count", "exact", "limit", "100", parameter, value)
			if parameter == "limit" {
				got = reader.list(t, of, "count", "exact", "limit", "100")
				want(t, slices.Contains(ids(got.rows(t)), own), true)
			}
			want(t, slices.Contains(ids(got.rows(t)), foreign), false, parameter)
			want(t, text(got.page(t)["total"]), fmt.Sprint(len(got.rows(t))), parameter)
		}
	})
}

func TestACursorOfAnotherTenantShowsNothingOfIt(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		var foreign []string
		for range 3 {
			foreign = append(foreign, text(newRow(t, of, theirs, row{})["id"]))
		}
		they, we := able(t, of.Name+":read", theirs), able(t, of.Name+":read", ours)
		cursor := text(they.list(t, of, "limit", "1").page(t)["next_cursor"])
		got := we.list(t, of, "limit", "1", "cursor", cursor)

		want(t, got.status, 200, got.body)
		want(t, overlap(ids(got.rows(t)), foreign), false)
	})
}

func TestAReferenceIntoAnotherTenantIsAReferenceToNothing(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		writer := able(t, of.Name+":create", ours)
		good := body(t, of, ours, writer.role)

		for name, target := range of.References {
			writers, limited := of.WritableBy[name]
			if named(target).Tenant != "scoped" || limited && !overlap(writers, rolesOf(writer.role)) {
				continue
			}
			theirID := newRow(t, named(target), theirs, row{})["id"]
			foreign := writer.post(t, of.Path, with(good, row{name: theirID}))
			unknown := writer.post(t, of.Path, with(good, row{name: named(target).unknownID()}))
			want(t, foreign.status, 422, foreign.body)
			want(t, foreign.json(t)["code"], any("unknown_reference"))
			want(t, fmt.Sprint(foreign.json(t)["errors"]), fmt.Sprint(unknown.json(t)["errors"]))
		}
	})
}

func TestACallerWithoutATenantGetsNothing(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		refused := able(t, of.Name+":read", nil).list(t, of)

		want(t, refused.status == 401 || refused.status == 403, true, refused.body)
	})
}

func TestWithoutATenantTheDatabaseItselfShowsNothing(t *testing.T) {
	for _, of := range world.Resources {
		if of.Tenant == "scoped" {
			newRow(t, of, newTenant(t), row{})
		}
	}
	settings, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	settings.RuntimeParams["role"] = "app_api"
	connection, err := pgx.ConnectConfig(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(t.Context())

	for _, table := range world.TenantTables {
		var count int
		sql := "select count(*) from " + pgx.Identifier{table}.Sanitize()
		if err := connection.QueryRow(t.Context(), sql).Scan(&count); err != nil {
			t.Fatal(err)
		}
		want(t, count, 0, table)
	}
}

func TestEveryTableOfTenantsIsGuardedAndRefersWithinTheTenant(t *testing.T) {
	guarded := query(t, `
		select relname from pg_class
		where relname = any($1) and relrowsecurity and relforcerowsecurity
		  and exists (select 1 from pg_policy where polrelid = pg_class.oid and polcmd = '*')`, world.TenantTables)
	var tables []string
	for _, of := range world.Resources {
		if of.Tenant == "scoped" {
			tables = append(tables, of.Table)
		}
	}
	loose := query(t, `
		select conname from pg_constraint
		where contype = 'f' and conrelid::regclass::text = any($1) and confrelid::regclass::text = any($1)
		  and cardinality(conkey) < 2`, tables)

	want(t, len(guarded), len(world.TenantTables))
	want(t, len(loose), 0, loose)
}

func TestTheServiceCannotRewriteItsHistory(t *testing.T) {
	rewritable := query(t, `
		select relname from pg_class
		where relnamespace = current_schema()::regnamespace and relname in ('audit_log', 'schema_migrations')
		  and has_table_privilege('app_api', oid, 'update, delete, truncate')`)

	want(t, len(rewritable), 0, rewritable)
}

func TestAnIDOfNobodyIsNotFoundLikeAForeignOne(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		if of.IDKind == "serial" {
			t.Skip("its ids are numbers")
		}
		ours, theirs := newTenant(t), newTenant(t)
		us := able(t, of.Name+":read", ours)
		foreign := us.get(t, pathOf(of, newRow(t, of, theirs, row{}))).json(t)
		unknown := us.get(t, of.Path+"/"+uuid.NewString()).json(t)

		for _, part := range []string{"status", "code", "title", "detail"} {
			want(t, foreign[part], unknown[part])
		}
	})
}
