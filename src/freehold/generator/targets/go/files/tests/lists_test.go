package tests

import (
	"fmt"
	"slices"
	"testing"
)

// pages are all rows of a list, by following its cursors.
func pages(t *testing.T, reader caller, of *resource, parameters ...string) []row {
	t.Helper()
	var found []row
	cursor := ""
	for range 50 {
		asked := slices.Clone(parameters)
		if cursor != "" {
			asked = append(asked, "cursor", cursor)
		}
		got := reader.list(t, of, asked...)
		want(t, got.status, 200, got.body)
		found = append(found, got.rows(t)...)
		cursor = text(got.page(t)["next_cursor"])
		want(t, got.header.Get("Link") != "", cursor != "")
		if cursor == "" {
			return found
		}
	}
	t.Fatal("the pages do not end")
	return nil
}

func TestPagesHoldEveryRowOnceEvenOfTheSameMillisecond(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		var made []string
		for range 7 {
			made = append(made, text(newRow(t, of, tenant, row{})["id"]))
		}
		if column, timed := of.Columns["created_at"]; timed {
			query(t, fmt.Sprintf("update %s set %s = '2026-01-01' where %s::text = $1",
				of.Table, column, of.TenantColumn), text(tenant))
		}

		for _, sort := range of.Sorts {
			if of.hides(reader.role, sort) {
				want(t, reader.list(t, of, "sort", sort).status, 400)
				continue
			}
			few := ids(pages(t, reader, of, "sort", sort, "limit", "3"))
			many := ids(pages(t, reader, of, "sort", sort, "limit", "100"))
			want(t, fmt.Sprint(few), fmt.Sprint(many), sort)
			for _, id := range made {
				want(t, slices.Contains(few, id), true, sort)
			}
		}
	})
}

func TestTheTotalIsCountedOnRequest(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		for range 3 {
			newRow(t, of, tenant, row{})
		}
		all := pages(t, reader, of)

		want(t, text(reader.list(t, of, "count", "exact", "limit", "1").page(t)["total"]), fmt.Sprint(len(all)))
		_, counted := reader.list(t, of).page(t)["total"]
		want(t, counted, false)
	})
}

func TestEveryFilterTakesAValueAndNarrows(t *testing.T) {
	each(t, every, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		rowOf(t, of, tenant)
		all := ids(pages(t, reader, of, "limit", "100"))

		for parameter, value := range of.filters() {
			got := reader.list(t, of, parameter, value, "limit", "100")
			if of.hides(reader.role, parameter) {
				want(t, got.status, 400) // a filter on a hidden field would tell what is in it
				continue
			}
			want(t, got.status, 200, parameter, got.body)
			for _, id := range ids(got.rows(t)) {
				want(t, slices.Contains(all, id), true, parameter)
			}
		}
	})
}

func TestAnIDFilterFindsItsRow(t *testing.T) {
	each(t, every, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		id := text(rowOf(t, of, tenant)["id"])

		want(t, fmt.Sprint(ids(reader.list(t, of, "id.in", id).rows(t))), fmt.Sprint([]string{id}))
	})
}

func TestWrongParametersAreRefusedByName(t *testing.T) {
	each(t, every, func(t *testing.T, of *resource) {
		reader := able(t, of.Name+":read", newTenant(t))

		for asked, wanted := range map[string][2]string{
			"statsu=active":        {"statsu", "unknown_parameter"},
			"limit=0":              {"limit", "invalid_parameter"},
			"limit=101":            {"limit", "invalid_parameter"},
			"limit=2&limit=5":      {"limit", "invalid_parameter"},
			"sort=no_such_field":   {"sort", "invalid_parameter"},
			"cursor=x":             {"cursor", "invalid_parameter"},
			"offset=0&cursor=x":    {"offset", "invalid_parameter"},
			"id.in=%00":            {"id.in", "invalid_parameter"},
			"count=all":            {"count", "invalid_parameter"},
			"sort=%zz":             {"sort", "invalid_parameter"},
			"limit=5&statsu=a%20b": {"statsu", "unknown_parameter"},
		} {
			refused := reader.get(t, of.Path+"?"+asked)
			want(t, refused.status, 400, asked, refused.body)
			want(t, refused.fault(t)["parameter"], any(wanted[0]), asked)
			want(t, refused.fault(t)["code"], any(wanted[1]), asked)
		}
	})
}

func TestACursorIsOnlyGoodForItsOwnList(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		for range 3 {
			newRow(t, of, tenant, row{})
		}
		cursor := text(reader.list(t, of, "limit", "1").page(t)["next_cursor"])
		refused := reader.list(t, of, "limit", "1", "cursor", cursor, "sort", "-id")

		want(t, refused.status, 400)
		want(t, refused.json(t)["code"], any("cursor_mismatch"))
	})
}
