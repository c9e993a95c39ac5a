package tests

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestCreate(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":create", tenant)
		sent := body(t, of, tenant, writer.role)
		created := writer.post(t, of.Path, sent)

		want(t, created.status, 201, created.body)
		shown := created.json(t)
		checkHas(t, shown, sent)
		want(t, created.header.Get("Location"), pathOf(of, shown))
		want(t, created.header.Get("X-Request-Id") != "", true)
		if of.Versioned {
			want(t, created.header.Get("ETag"), `"1"`)
		}
		if of.Tenant == "self" {
			tenant = shown["id"]
		}
		reader := able(t, of.Name+":read", tenant)
		found := reader.get(t, pathOf(of, shown))
		want(t, found.status, 200, found.body)
		checkHas(t, found.json(t), sent)
	})
}

// checkHas compares what is shown with what was sent; a field that the caller does not see is left out.
func checkHas(t *testing.T, shown, sent row) {
	t.Helper()
	for name, value := range sent {
		found, seen := shown[name]
		if seen && !reflect.DeepEqual(plain(t, found), plain(t, value)) {
			t.Fatalf("%s is %v, and was sent as %v", name, found, value)
		}
	}
}

// plain makes numbers comparable, however they were written.
func plain(t *testing.T, value any) any {
	t.Helper()
	written, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var found any
	if err := json.Unmarshal(written, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestUpdateShowsAndCountsAsAVersion(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":update", tenant)
		path := pathOf(of, rowOf(t, of, tenant))
		sent := of.writable(writer.role)
		changed := writer.patch(t, path, sent)

		want(t, changed.status, 200, changed.body)
		checkHas(t, changed.json(t), sent)
		if of.Versioned {
			want(t, text(changed.json(t)["version"]), "2")
			want(t, changed.header.Get("ETag"), `"2"`)
		}
	})
}

func TestDeletedIsGone(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		eraser := able(t, of.Name+":delete", tenant)
		reader := able(t, of.Name+":read", tenant)
		found := rowOf(t, of, tenant)
		gone := eraser.delete(t, pathOf(of, found))

		want(t, gone.status, 204, gone.body)
		want(t, reader.get(t, pathOf(of, found)).status, 404)
		want(t, slices.Contains(ids(reader.list(t, of).rows(t)), text(found["id"])), false)
		want(t, eraser.delete(t, pathOf(of, found)).status, 404)
	})
}

func TestDeletedSoftlyCanBeRestored(t *testing.T) {
	each(t, softly, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		eraser := able(t, of.Name+":delete", tenant)
		found := rowOf(t, of, tenant)
		path := pathOf(of, found)
		want(t, eraser.delete(t, path).status, 204)
		listed := eraser.list(t, of, "deleted", "only", "id.in", text(found["id"]))
		restored := eraser.post(t, path+"/restore", nil)

		want(t, slices.Contains(ids(listed.rows(t)), text(found["id"])), true)
		want(t, restored.status, 200, restored.body)
		want(t, restored.json(t)["deleted_at"], nil)
		want(t, eraser.get(t, path).status, 200)
		want(t, eraser.post(t, path+"/restore", nil).status, 404)
	})
}

func TestUnknownKeysAreRefused(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":create", tenant)
		good := body(t, of, tenant, writer.role)

		for _, key := range []string{"tenant_id", "id", "version", "created_at", "__proto__", "no such/key"} {
			refused := writer.post(t, of.Path, with(good, row{key: "x"}))
			want(t, refused.status, 422, key)
			want(t, refused.fault(t)["pointer"], any("/"+strings.ReplaceAll(key, "/", "~1")))
			want(t, refused.fault(t)["code"], any("unknown_field"))
		}
	})
}

func TestRequiredFieldsAreAskedFor(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		writer := able(t, of.Name+":create", newTenant(t))
		refused := writer.post(t, of.Path, row{})
		if len(of.Required) == 0 {
			want(t, refused.status == 201 || refused.status == 422, true, refused.body)
			return
		}
		var pointers []string
		for _, fault := range refused.json(t)["errors"].([]any) {
			pointers = append(pointers, text(fault.(row)["pointer"]))
		}

		for _, name := range of.Required {
			want(t, slices.Contains(pointers, "/"+name), true, name)
		}
	})
}

func TestValuesOfTheWrongTypeAreRefused(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":create", tenant)
		good := body(t, of, tenant, writer.role)

		for name, value := range good {
			for _, wrong := range wrongFor(value) {
				refused := writer.post(t, of.Path, with(good, row{name: wrong}))
				want(t, refused.status, 422, name, wrong, refused.body)
				want(t, strings.HasPrefix(text(refused.fault(t)["pointer"]), "/"+name), true, refused.body)
			}
		}
	})
}

func wrongFor(value any) []any {
	found := []any{"\x00"}
	switch value.(type) {
	case row, []any:
	default:
		found = append(found, row{"$ne": nil}, [][]string{{"a"}})
	}
	switch value.(type) {
	case float64:
	default:
		found = append(found, json.Number("1180591620717411303424"))
	}
	if _, isBool := value.(bool); isBool {
		return append(found, "yes")
	}
	return append(found, true)
}

func TestSyntaxIsRefusedBeforeContent(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		writer := able(t, of.Name+":create", newTenant(t))
		broken := writer.post(t, of.Path, []byte(`{"name": `))
		latin := writer.post(t, of.Path, []byte("{\"name\": \"\xe9\"}"))
		deep := writer.post(t, of.Path, bytes.Repeat([]byte("["), 100_000))
		form := writer.post(t, of.Path, []byte("name=x"), header("Content-Type", "application/x-www-form-urlencoded"))
		large := writer.post(t, of.Path, []byte(`"`+strings.Repeat("x", 2_000_000)+`"`))

		for _, refused := range []answer{broken, latin, deep} {
			want(t, refused.status, 400, refused.body)
			want(t, refused.json(t)["code"], any("malformed_json"))
		}
		want(t, form.status, 415)
		want(t, large.status, 413)
	})
}

func TestIDsThatAreNotThereAreNotFound(t *testing.T) {
	each(t, every, func(t *testing.T, of *resource) {
		reader := able(t, of.Name+":read", newTenant(t))
		bad := map[string]string{"uuid": "x", "serial": "1208925819614629174706176", "text": "%00"}[of.IDKind]
		refused := reader.get(t, of.Path+"/"+bad)

		want(t, reader.get(t, of.Path+"/"+text(of.unknownID())).status, 404)
		want(t, refused.status, 400)
		want(t, refused.fault(t)["parameter"], any("id"))
	})
}

func TestAReferenceToNothingIsRefused(t *testing.T) {
	each(t, writable, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":create", tenant)
		good := body(t, of, tenant, writer.role)

		for name, target := range of.References {
			if writers, limited := of.WritableBy[name]; limited && !overlap(writers, rolesOf(writer.role)) {
				continue
			}
			refused := writer.post(t, of.Path, with(good, row{name: named(target).unknownID()}))
			want(t, refused.status, 422, refused.body)
			want(t, refused.json(t)["code"], any("unknown_reference"))
			want(t, refused.fault(t)["pointer"], any("/"+name))
		}
	})
}
