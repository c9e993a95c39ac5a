package tests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func valuesOf(c condition, tenant, user any) []any {
	var found []any
	if c.Me {
		found = append(found, user)
	}
	if c.Tenant {
		found = append(found, tenant)
	}
	return append(found, c.Values...)
}

// satisfy gives values of a row that the grant reaches; false when that takes more than values of the row.
func satisfy(of *resource, grant []condition, tenant, user any) (row, bool) {
	found := row{}
	for _, each := range grant {
		if each.Link != "" {
			return nil, false
		}
		name := fieldOf(of, each.Column)
		value := valuesOf(each, tenant, user)[0]
		if known, given := found[name]; given && known != value {
			return nil, false
		}
		found[name] = value
	}
	return found, true
}

// reaches tells whether the row happens to be one that the grant reaches.
func reaches(of *resource, grant []condition, found row, tenant, user any) bool {
	for _, each := range grant {
		if each.Link != "" {
			return false
		}
		value := text(found[fieldOf(of, each.Column)])
		isThat := func(one any) bool { return text(one) == value }
		if !slices.ContainsFunc(valuesOf(each, tenant, user), isThat) {
			return false
		}
	}
	return true
}

func anyReaches(of *resource, grants [][]condition, found row, tenant, user any) bool {
	return slices.ContainsFunc(grants, func(grant []condition) bool { return reaches(of, grant, found, tenant, user) })
}

func fieldOf(of *resource, column string) string {
	for name, each := range of.Columns {
		if each == column {
			return name
		}
	}
	panic(of.Name + " has no column " + column)
}

// eachRole runs the test for every role and resource that goes with it.
func eachRole(t *testing.T, test func(t *testing.T, role string, of *resource)) {
	t.Helper()
	each(t, every, func(t *testing.T, of *resource) {
		for _, role := range everyRole() {
			if role == "public" && of.Tenant != "none" {
				continue
			}
			t.Run(role, func(t *testing.T) { test(t, role, of) })
		}
	})
}

func TestARoleReachesTheRowsItShouldAndNoOthers(t *testing.T) {
	eachRole(t, func(t *testing.T, role string, of *resource) {
		tenant := newTenant(t)
		user := newUser(t, of, tenant)
		who := caller{role, tenant, user}

		for _, change := range append(changes, change{
			"restore", http.MethodPost, "/restore", row{"deleted_at": "2026-01-01T00:00:00.000Z"},
		}) {
			if of.ReadOnly && change.action != "read" {
				continue
			}
			if change.action == "restore" && (!of.SoftDelete || of.Tenant == "self") {
				continue
			}
			found := row{"id": tenant}
			if of.Tenant != "self" {
				found = newRow(t, of, tenant, change.state)
			}
			grants := grantsOf(role, of.Name+":"+change.action)
			got := who.send(t, change.method, pathOf(of, found)+change.suffix, bodyOf(change.method))
			if anyReaches(of, grants, found, tenant, user) {
				want(t, got.status == 200 || got.status == 204, true, change.action, got.body)
			} else if of.Tenant != "self" {
				want(t, slices.Contains(refusals(role, of, change.action), got.status), true, change.action, got.status)
			}
			for _, grant := range grants {
				values, possible := satisfy(of, grant, tenant, user)
				if len(grant) == 0 || !possible || of.Tenant != "scoped" {
					continue
				}
				own := newRow(t, of, tenant, with(values, change.state))
				got := who.send(t, change.method, pathOf(of, own)+change.suffix, bodyOf(change.method))
				want(t, got.status == 200 || got.status == 204, true, change.action, values, got.body)
				query(t, fmt.Sprintf("delete from %s where %s::text = $1", of.Table, of.Columns["id"]), text(own["id"]))
			}
		}
	})
}

// refusals are what the caller may get for a row that is not in its reach.
func refusals(role string, of *resource, action string) []int {
	if len(grantsOf(role, of.Name+":"+action)) == 0 {
		if role == "public" {
			return []int{401}
		}
		return []int{403}
	}
	if reachesAll(role, of.Name+":read") && action != "restore" {
		return []int{403}
	}
	return []int{403, 404}
}

func TestDeletedRowsAreOnlyShownToThoseWhoCouldHaveDeletedThem(t *testing.T) {
	each(t, softly, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		user := newUser(t, of, tenant)
		found := newRow(t, of, tenant, row{"deleted_at": "2026-01-01T00:00:00.000Z"})

		for _, role := range everyRole()[1:] {
			grants, reading := grantsOf(role, of.Name+":read_deleted"), grantsOf(role, of.Name+":read")
			shown := anyReaches(of, reading, found, tenant, user) && anyReaches(of, grants, found, tenant, user)
			for _, choice := range []string{"include", "only"} {
				got := caller{role, tenant, user}.list(t, of, "deleted", choice, "id.in", text(found["id"]))
				if len(grants) == 0 || len(reading) == 0 {
					want(t, got.status, 403, role)
					continue
				}
				want(t, slices.Contains(ids(got.rows(t)), text(found["id"])), shown, role, choice)
			}
		}
	})
}

// way is one way to rows of a resource: what is sent, and all that the caller has to be allowed.
type way struct {
	method, path string
	permissions  []string
	sent         func(body row, id any) any
}

// ways are all of them. In a path, what is in braces is a row that is not there.
func ways(of *resource) []way {
	may := func(action string) []string { return []string{of.Name + ":" + action} }
	nothing := func(row, any) any { return nil }
	found := []way{{"GET", "", may("read"), nothing}, {"GET", "/{id}", may("read"), nothing}}
	if of.SoftDelete {
		found = append(found, way{"GET", "?deleted=only", append(may("read"), of.Name+":read_deleted"), nothing},
			way{"POST", "/{id}/restore", may("restore"), nothing})
	}
	if !of.ReadOnly {
		found = append(found, way{"POST", "", may("create"), func(body row, _ any) any { return body }},
			way{"PATCH", "/{id}", may("update"), func(row, any) any { return row{} }},
			way{"DELETE", "/{id}", may("delete"), nothing})
	}
	if inBatches(of) {
		found = append(found,
			way{"POST", "/batch", may("create"), func(body row, _ any) any { return row{"items": []row{body}} }},
			way{"POST", "/batch-update", may("update"), func(_ row, id any) any { return row{"items": []row{{"id": id}}} }},
			way{"POST", "/batch-delete", may("delete"), func(_ row, id any) any { return row{"ids": []any{id}} }})
		if of.NaturalKey != "" {
			found = append(found, way{"POST", "/batch", append(may("create"), of.Name+":update"), func(body row, _ any) any {
				return row{"items": []row{body}, "on_conflict": "update"}
			}})
		}
	}
	for name, each := range of.Relations {
		if each.Body != "" {
			path := "/{id}/" + strings.ReplaceAll(name, "_", "-") + "/{" + each.Target + "}"
			permissions := append(may("update"), each.Target+":read")
			found = append(found, way{"PUT", path, permissions, nothing}, way{"DELETE", path, permissions, nothing})
		}
	}
	return found
}

// lacking is a role that has all that is wanted, on some rows at least, but the permission; empty if none is.
func lacking(permission string, wanted []string) string {
	for _, role := range everyRole()[1:] {
		if !slices.ContainsFunc(wanted, func(each string) bool {
			return (len(grantsOf(role, each)) > 0) == (each == permission)
		}) {
			return role
		}
	}
	return ""
}

func TestWhoLacksAPermissionIsRefusedBeforeAnyRowIsLookedAt(t *testing.T) {
	each(t, every, func(t *testing.T, of *resource) {
		for _, way := range ways(of) {
			for _, missing := range way.permissions {
				role := lacking(missing, way.permissions)
				if role == "" {
					continue
				}
				takes := strings.Join(way.permissions, ", ")
				t.Run(fmt.Sprintf("%s %s (%s) without %s", way.method, way.path, takes, missing), func(t *testing.T) {
					tenant, id := newTenant(t), of.unknownID()
					path := of.Path + strings.ReplaceAll(way.path, "{id}", text(id))
					if before, target, links := strings.Cut(strings.TrimSuffix(path, "}"), "{"); links {
						path = before + text(named(target).unknownID())
					}
					who := caller{role: role, tenant: tenant}
					refused := who.send(t, way.method, path, way.sent(body(t, of, tenant, role), id))

					want(t, refused.status, 403, refused.body)
					want(t, refused.json(t)["code"], any("forbidden"))
				})
			}
		}
	})
}

func TestARoleCreatesWhatItMay(t *testing.T) {
	eachRole(t, func(t *testing.T, role string, of *resource) {
		if of.ReadOnly {
			t.Skip("nobody writes it over HTTP")
		}
		tenant := newTenant(t)
		user := newUser(t, of, tenant)
		grants := grantsOf(role, of.Name+":create")
		sent := body(t, of, tenant, role)
		for _, grant := range grants {
			if values, possible := satisfy(of, grant, tenant, user); possible {
				sent = with(sent, values)
				break
			}
		}
		who := caller{role, tenant, user}
		got := who.post(t, of.Path, sent)

		switch {
		case len(grants) > 0:
			want(t, got.status, 201, got.body)
		case role == "public":
			want(t, got.status, 401)
		default:
			want(t, got.status, 403)
		}
		for name, column := range of.Columns {
			isOthers := func(grant []condition) bool {
				return !slices.ContainsFunc(grant, func(each condition) bool { return each.Me && each.Column == column })
			}
			if name == "id" || len(grants) == 0 || slices.ContainsFunc(grants, isOthers) {
				continue
			}
			for _, way := range ways(of) {
				if slices.Contains(way.permissions, of.Name+":create") {
					others := with(body(t, of, tenant, role), row{name: newUser(t, of, tenant)})
					refused := who.send(t, way.method, of.Path+way.path, way.sent(others, nil))
					want(t, refused.status == 403 || refused.status == 422, true, way.path, refused.body)
				}
			}
		}
	})
}

func TestAHiddenFieldIsNotShown(t *testing.T) {
	each(t, func(of *resource) bool { return len(of.ReadableBy) > 0 }, func(t *testing.T, of *resource) {
		for _, role := range everyRole() {
			if !reachesAll(role, of.Name+":read") {
				continue
			}
			tenant := newTenant(t)
			shown := caller{role: role, tenant: tenant}.get(t, pathOf(of, rowOf(t, of, tenant))).json(t)
			for name, readers := range of.ReadableBy {
				_, seen := shown[name]
				_, isField := of.Columns[name]
				want(t, seen, isField && overlap(readers, rolesOf(role)), name, role)
			}
		}
	})
}

func TestAFieldThatTheRoleMayNotSetIsRefusedByNameOnEveryWay(t *testing.T) {
	each(t, func(of *resource) bool { return len(of.WritableBy) > 0 }, func(t *testing.T, of *resource) {
		tenant, id, sample := newTenant(t), of.unknownID(), of.sample()
		one := "/" + text(id)
		refused := func(action, method, path, place, field string, sent func(body row) any, more ...string) {
			t.Helper()
			role := ableToAll(append(more, of.Name+":"+action)...)
			if role == "" || of.mayWrite(role, field) || place != "" && !inBatches(of) {
				return
			}
			got := caller{role: role, tenant: tenant}.send(t, method, of.Path+path, sent(body(t, of, tenant, role)))
			want(t, got.status, 403, method, path, got.body)
			want(t, got.json(t)["code"], any("forbidden_field"))
			want(t, got.fault(t)["pointer"], any(place+"/"+field))
		}

		for field := range of.WritableBy {
			value := sample[field]
			if target := of.References[field]; target != "" {
				value = named(target).unknownID()
			} else if _, isField := of.Columns[field]; !isField {
				value = []any{}
			}
			change := row{field: value}
			items := func(item row) any { return row{"items": []row{item}} }
			refused("update", "PATCH", one, "", field, func(row) any { return change })
			refused("update", "POST", "/batch-update", "/items/0", field, func(row) any { return items(with(change, row{"id": id})) })
			refused("create", "POST", "", "", field, func(body row) any { return with(body, change) })
			refused("create", "POST", "/batch", "/items/0", field, func(body row) any { return items(with(body, change)) })
		}
		for name, way := range of.Relations {
			if way.Body != "" {
				link := one + "/" + strings.ReplaceAll(name, "_", "-") + "/" + text(named(way.Target).unknownID())
				for _, method := range []string{"PUT", "DELETE"} {
					refused("update", method, link, "", way.Body, func(row) any { return nil }, way.Target+":read")
				}
			}
		}
	})
}
