package tests

import (
	"fmt"
	"slices"
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

		for _, change := range changes {
			if of.ReadOnly && change.action != "read" {
				continue
			}
			found := rowOf(t, of, tenant)
			grants := grantsOf(role, of.Name+":"+change.action)
			got := who.send(t, change.method, pathOf(of, found), bodyOf(change.method))
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
				own := newRow(t, of, tenant, values)
				got := who.send(t, change.method, pathOf(of, own), bodyOf(change.method))
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
	if reachesAll(role, of.Name+":read") {
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
				got := caller{role, tenant, user}.list(t, of, "deleted", choice, "limit", "100")
				if len(grants) == 0 || len(reading) == 0 {
					want(t, got.status, 403, role)
					continue
				}
				want(t, slices.Contains(ids(got.rows(t)), text(found["id"])), shown, role, choice)
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
		got := caller{role, tenant, user}.post(t, of.Path, sent)

		switch {
		case len(grants) > 0:
			want(t, got.status, 201, got.body)
		case role == "public":
			want(t, got.status, 401)
		default:
			want(t, got.status, 403)
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
				want(t, seen, overlap(readers, rolesOf(role)), name, role)
			}
		}
	})
}

func TestAFieldThatTheRoleMayNotSetIsRefusedByName(t *testing.T) {
	each(t, func(of *resource) bool { return len(of.WritableBy) > 0 }, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":update", tenant)
		path := pathOf(of, rowOf(t, of, tenant))

		for name, value := range of.sample() {
			writers, limited := of.WritableBy[name]
			if !limited || overlap(writers, rolesOf(writer.role)) {
				continue
			}
			refused := writer.patch(t, path, row{name: value})
			want(t, refused.status, 403, refused.body)
			want(t, refused.json(t)["code"], any("forbidden_field"))
			want(t, refused.fault(t)["pointer"], any("/"+name))
		}
	})
}
