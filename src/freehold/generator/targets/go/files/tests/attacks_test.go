package tests

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// Every way to write and to read, tried on rows of another tenant and on rows that the caller may not read.

func TestARowOfAnotherTenantInABatchStopsIt(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		if of.ReadOnly {
			t.Skip("nobody writes it over HTTP")
		}
		ours, theirs := newTenant(t), newTenant(t)
		own, foreign := newRow(t, of, ours, row{})["id"], newRow(t, of, theirs, row{})["id"]
		before := stored(t, of, own) + stored(t, of, foreign)
		changed := able(t, of.Name+":update", ours).post(t, of.Path+"/batch-update",
			row{"items": []row{{"id": own}, {"id": foreign}}})
		deleted := able(t, of.Name+":delete", ours).post(t, of.Path+"/batch-delete", row{"ids": []any{own, foreign}})

		want(t, changed.status, 404, changed.body)
		want(t, changed.fault(t)["pointer"], any("/items/1"))
		want(t, deleted.status, 404, deleted.body)
		want(t, stored(t, of, own)+stored(t, of, foreign), before)
	})
}

func TestANaturalKeyOfAnotherTenantIsAnotherRow(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		role := ableToAll(of.Name+":create", of.Name+":update")
		if of.NaturalKey == "" || of.NaturalKeyGlobal || role == "" {
			t.Skip("no row of a tenant is found by a natural key")
		}
		tenants := []any{newTenant(t), newTenant(t)}
		slices.SortFunc(tenants, func(a, b any) int { return strings.Compare(text(a), text(b)) })
		theirs, ours := tenants[0], tenants[1] // theirs comes first in every index
		foreign := newRow(t, of, theirs, row{})
		before := stored(t, of, foreign["id"])
		writer := caller{role: role, tenant: ours}
		sent := row{"on_conflict": "update", "items": []row{
			with(body(t, of, ours, role), row{of.NaturalKey: foreign[of.NaturalKey]}),
		}}
		made := writer.post(t, of.Path+"/batch", sent)
		again := writer.post(t, of.Path+"/batch", sent)

		want(t, made.status, 201, made.body)
		want(t, again.status, 201, again.body)
		want(t, ids(made.rows(t))[0], ids(again.rows(t))[0])
		want(t, ids(made.rows(t))[0] != text(foreign["id"]), true)
		want(t, stored(t, of, foreign["id"]), before)
	})
}

func TestAGlobalNaturalKeyOfAnotherTenantIsTaken(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		role := ableToAll(of.Name+":create", of.Name+":update")
		if !of.NaturalKeyGlobal || role == "" {
			t.Skip("no row of all tenants is found by a natural key")
		}
		theirs, ours := newTenant(t), newTenant(t)
		foreign := newRow(t, of, theirs, row{})
		before := stored(t, of, foreign["id"])
		writer := caller{role: role, tenant: ours}
		items := []row{with(body(t, of, ours, role), row{of.NaturalKey: foreign[of.NaturalKey]})}
		for _, choice := range []string{"error", "ignore", "update"} {
			refused := writer.post(t, of.Path+"/batch", row{"on_conflict": choice, "items": items})

			want(t, refused.status, 409, refused.body)
			want(t, refused.fault(t)["pointer"], any("/items/0/"+of.NaturalKey))
		}
		want(t, stored(t, of, foreign["id"]), before)
	})
}

func TestAnIdempotencyKeyBelongsToItsCaller(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		if of.ReadOnly {
			t.Skip("nobody writes it over HTTP")
		}
		ours, theirs := newTenant(t), newTenant(t)
		key := header("Idempotency-Key", uuid.NewString())
		somebody := able(t, of.Name+":create", ours)
		somebody.user = newUser(t, of, ours)
		var made []string
		for _, writer := range []caller{
			able(t, of.Name+":create", ours), able(t, of.Name+":create", theirs), somebody,
		} {
			got := writer.post(t, of.Path, body(t, of, writer.tenant, writer.role), key)
			want(t, got.status, 201, got.body)
			want(t, got.header.Get("Idempotency-Replayed"), "")
			made = append(made, text(got.json(t)["id"]))
		}

		slices.Sort(made)
		want(t, len(slices.Compact(made)), 3)
	})
}

func TestLinksStayWithinTheTenant(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		for name, way := range of.Relations {
			if way.Body == "" {
				continue
			}
			target := named(way.Target)
			role := ableToAll(of.Name+":read", of.Name+":create", of.Name+":update", way.Target+":read")
			if role == "" || !of.mayWrite(role, way.Body) {
				continue
			}
			ours, theirs := newTenant(t), newTenant(t)
			editor := caller{role: role, tenant: ours}
			own, foreign := newRow(t, of, ours, row{}), newRow(t, of, theirs, row{})
			other, foreignOther := newRow(t, target, ours, row{}), newRow(t, target, theirs, row{})
			pairs := [][2]row{{foreign, other}, {foreign, foreignOther}}
			if target.Tenant == "scoped" {
				pairs = append(pairs, [2]row{own, foreignOther})
				sent := with(body(t, of, ours, role), row{way.Body: []any{other["id"], foreignOther["id"]}})
				refused := editor.post(t, of.Path, sent)
				want(t, refused.status, 422, refused.body)
				want(t, refused.json(t)["code"], any("unknown_reference"))
				want(t, refused.fault(t)["pointer"], any("/"+way.Body+"/1"))
			}
			for _, pair := range pairs {
				link := pathOf(of, pair[0]) + "/" + strings.ReplaceAll(name, "_", "-") + "/" + text(pair[1]["id"])
				for _, method := range []string{http.MethodPut, http.MethodDelete} {
					want(t, editor.send(t, method, link, nil).status, 404, method, link)
				}
			}
			linked := query(t, fmt.Sprintf("select 1 from %s where %s::text = any($1)", way.Link, way.LinkHere),
				[]string{text(own["id"]), text(foreign["id"])})
			want(t, len(linked), 0)
		}
	})
}

func TestNoWayToReadShowsARowOfAnotherTenant(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		reader := able(t, of.Name+":read", ours)
		values := row{}
		if of.Words != "" {
			values[of.Words] = "brass gate"
		}
		foreign, own := text(newRow(t, of, theirs, values)["id"]), text(newRow(t, of, ours, values)["id"])
		asked := [][]string{{}}
		for _, sort := range of.Sorts {
			if !of.hides(reader.role, sort) {
				asked = append(asked, []string{"sort", sort})
			}
		}
		hidden := func(field string) bool { return of.hides(reader.role, field) }
		if of.Words != "" && !slices.ContainsFunc(of.Search, hidden) {
			asked = append(asked, []string{"q", "brass"})
		}
		if of.SoftDelete && reachesAll(reader.role, of.Name+":read_deleted") {
			asked = append(asked, []string{"deleted", "include"})
		}
		for name, way := range of.Relations {
			if reachesAll(reader.role, way.Target+":read") && !named(way.Guard[0]).hides(reader.role, way.Guard[1]) {
				asked = append(asked, []string{"include", name})
			}
		}

		for _, parameters := range asked {
			found := ids(reader.list(t, of, append(parameters, "limit", "100")...).rows(t))
			want(t, slices.Contains(found, own), true, parameters)
			want(t, slices.Contains(found, foreign), false, parameters)
		}
		got := reader.get(t, of.Path, header("Accept", "text/csv"))
		lines, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want(t, slices.ContainsFunc(lines, func(line []string) bool { return line[0] == own }), true)
		want(t, slices.ContainsFunc(lines, func(line []string) bool { return line[0] == foreign }), false)
	})
}

func TestAReferenceIntoAnotherTenantIsOneToNothingOnEveryWay(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		role := ableToAll(of.Name+":create", of.Name+":update")
		if role == "" || of.ReadOnly {
			t.Skip("nobody writes every row over HTTP")
		}
		ours, theirs := newTenant(t), newTenant(t)
		writer := caller{role: role, tenant: ours}
		own := newRow(t, of, ours, row{})
		before := stored(t, of, own["id"])
		for name, target := range of.References {
			if named(target).Tenant != "scoped" || !of.mayWrite(role, name) {
				continue
			}
			foreign := newRow(t, named(target), theirs, row{})["id"]
			many := []row{with(body(t, of, ours, role), row{name: foreign})}
			refusals := []answer{
				writer.patch(t, pathOf(of, own), row{name: foreign}),
				writer.post(t, of.Path+"/batch", row{"items": many}),
				writer.post(t, of.Path+"/batch-update", row{"items": []row{{"id": own["id"], name: foreign}}}),
			}
			for place, pointer := range []string{"/" + name, "/items/0/" + name, "/items/0/" + name} {
				want(t, refusals[place].status, 422, refusals[place].body)
				want(t, refusals[place].json(t)["code"], any("unknown_reference"))
				want(t, refusals[place].fault(t)["pointer"], any(pointer))
			}
		}
		want(t, stored(t, of, own["id"]), before)
	})
}

func TestTheLogOfAnotherTenantIsNotThere(t *testing.T) {
	each(t, func(of *resource) bool { return of.Audited && scoped(of) && !of.ReadOnly }, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		newRow(t, of, theirs, row{})
		got := able(t, "audit_entry:read", ours).list(t, named("audit_entry"), "count", "exact")

		want(t, len(got.rows(t)), 0)
		want(t, text(got.page(t)["total"]), "0")
	})
}

// related are a row of the resource, and another one that the relation leads to.
func related(t *testing.T, of *resource, way relation, tenant any) (here, there row) {
	t.Helper()
	target := named(way.Target)
	if way.Key != "id" {
		there = rowOf(t, target, tenant)
		return newRow(t, of, tenant, row{way.Key: there["id"]}), there
	}
	here = rowOf(t, of, tenant)
	if way.Link == "" {
		return here, newRow(t, target, tenant, row{way.Guard[1]: here["id"]})
	}
	there = rowOf(t, target, tenant)
	columns, values := []string{way.LinkHere, way.LinkThere}, []any{here["id"], there["id"]}
	if way.LinkTenant != "" {
		columns, values = append(columns, way.LinkTenant), append(values, tenant)
	}
	marks := make([]string, len(columns))
	for place, value := range values {
		marks[place] = fmt.Sprintf("'%v'", value)
	}
	query(t, fmt.Sprintf("insert into %s (%s) values (%s)", way.Link, strings.Join(columns, ", "), strings.Join(marks, ", ")))
	return here, there
}

// idsOf are those of the rows that are shown under a relation.
func idsOf(shown any) []string {
	switch shown := shown.(type) {
	case row:
		return []string{text(shown["id"])}
	case []any:
		var found []string
		for _, each := range shown {
			found = append(found, idsOf(each)...)
		}
		return found
	}
	return nil
}

func TestOnlyRowsThatTheCallerMayReadAreIncluded(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		for name, way := range of.Relations {
			target := named(way.Target)
			tenant := newTenant(t)
			user := newUser(t, target, tenant)
			here, there := related(t, of, way, tenant)
			for _, role := range everyRole()[1:] {
				grants := grantsOf(role, target.Name+":read")
				if !reachesAll(role, of.Name+":read") {
					continue
				}
				got := caller{role, tenant, user}.get(t, pathOf(of, here)+"?include="+name)
				if named(way.Guard[0]).hides(role, way.Guard[1]) {
					want(t, got.status, 400, role, name)
					continue
				}
				if len(grants) == 0 {
					want(t, got.status, 403, role, name)
					continue
				}
				want(t, got.status, 200, got.body)
				isReached := target.Tenant == "self" || anyReaches(target, grants, there, tenant, user)
				want(t, slices.Contains(idsOf(got.json(t)[name]), text(there["id"])), isReached, role, name)
			}
		}
	})
}

// hiding are values of a row that the role may not read; false when no row is surely such a one.
func hiding(of *resource, role string) (row, bool) {
	found := row{}
	for _, grant := range grantsOf(role, of.Name+":read") {
		isFlag := func(each condition) bool { return each.Link == "" && len(each.Values) == 1 && isBool(each.Values[0]) }
		if place := slices.IndexFunc(grant, isFlag); place >= 0 {
			found[fieldOf(of, grant[place].Column)] = grant[place].Values[0] != true
		} else if !slices.ContainsFunc(grant, func(each condition) bool { return each.Link != "" || each.Me }) {
			return nil, false
		}
	}
	return found, true
}

func isBool(value any) bool {
	_, okay := value.(bool)
	return okay
}

func TestARowThatTheCallerMayNotReadIsReferredToLikeNone(t *testing.T) {
	eachRole(t, func(t *testing.T, role string, of *resource) {
		grants := grantsOf(role, of.Name+":create")
		if of.ReadOnly || of.Tenant == "none" || len(grants) == 0 {
			t.Skip("the role makes none")
		}
		tenant := newTenant(t)
		user := newUser(t, of, tenant)
		for _, name := range slices.Sorted(maps.Keys(of.References)) {
			target := named(of.References[name])
			values, sure := hiding(target, role)
			if target.Tenant == "self" || !sure || !of.mayWrite(role, name) {
				continue
			}
			hidden := newRow(t, target, tenant, values)["id"]
			refer := func(id any) answer {
				sent := body(t, of, tenant, role)
				for _, grant := range grants {
					if allowed, possible := satisfy(of, grant, tenant, user); possible {
						sent = with(sent, allowed)
						break
					}
				}
				return caller{role, tenant, user}.post(t, of.Path, with(sent, row{name: id}))
			}
			refused, unknown := refer(hidden), refer(target.unknownID())

			want(t, refused.status, 422, refused.body)
			want(t, refused.json(t)["code"], any("unknown_reference"))
			want(t, fmt.Sprint(refused.json(t)["errors"]), fmt.Sprint(unknown.json(t)["errors"]))
		}
	})
}
