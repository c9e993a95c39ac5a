package tests

import (
	"testing"
)

func TestOfTwoChangesToTheSameVersionOneIsRefused(t *testing.T) {
	each(t, versioned, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":update", tenant)
		path := pathOf(of, newRow(t, of, tenant, row{}))
		sent := of.writable(writer.role)
		first := writer.patch(t, path, sent, header("If-Match", `"1"`))
		second := writer.patch(t, path, sent, header("If-Match", `"1"`))
		weak := writer.patch(t, path, sent, header("If-Match", `W/"2"`))
		garbage := writer.patch(t, path, sent, header("If-Match", "x"))

		want(t, first.status, 200, first.body)
		want(t, second.status, 412)
		want(t, second.json(t)["code"], any("version_conflict"))
		want(t, second.header.Get("ETag"), `"2"`)
		want(t, weak.status, 200)
		want(t, text(weak.json(t)["version"]), "3")
		want(t, garbage.status, 412)
	})
}

func TestARowThatHasChangedIsNeitherDeletedNorChangedInABatch(t *testing.T) {
	each(t, versioned, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		role := ableToAll(of.Name+":update", of.Name+":delete", of.Name+":read")
		if role == "" || of.ReadOnly {
			t.Skip("no role changes and deletes every row")
		}
		who, found := caller{role: role, tenant: tenant}, newRow(t, of, tenant, row{})
		batch := row{"items": []row{{"id": found["id"], "version": 2}}}
		changed := who.post(t, of.Path+"/batch-update", batch)
		kept := who.delete(t, pathOf(of, found), header("If-Match", `"2"`))
		deleted := who.delete(t, pathOf(of, found), header("If-Match", `"1"`))

		want(t, changed.status, 412, changed.body)
		want(t, changed.fault(t)["pointer"], any("/items/0"))
		want(t, kept.status, 412, kept.body)
		want(t, deleted.status, 204, deleted.body)
	})
}

func TestARowThatHasNotChangedIsNotSentAgain(t *testing.T) {
	each(t, versioned, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		path := pathOf(of, newRow(t, of, tenant, row{}))
		again := reader.get(t, path, header("If-None-Match", reader.get(t, path).header.Get("ETag")))

		want(t, again.status, 304)
		want(t, len(again.body), 0)
	})
}
