package tests

import (
	"encoding/csv"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"acme-works/internal/server"
)

func inBatches(of *resource) bool { return of.Tenant != "self" && !of.ReadOnly }

func TestABatchIsWrittenAsAWholeOrNotAtAll(t *testing.T) {
	each(t, inBatches, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":create", tenant)
		good := func() row { return body(t, of, tenant, writer.role) }
		made := writer.post(t, of.Path+"/batch", row{"items": []row{good(), good()}})
		bad := with(good(), row{"no_such_field": 1})
		refused := writer.post(t, of.Path+"/batch", row{"items": []row{good(), bad}})

		want(t, made.status, 201, made.body)
		want(t, len(made.rows(t)), 2)
		want(t, refused.status, 422)
		want(t, refused.fault(t)["pointer"], any("/items/1/no_such_field"))
		eraser := able(t, of.Name+":delete", tenant)
		want(t, eraser.post(t, of.Path+"/batch-delete", row{"ids": []any{made.rows(t)[0]["id"], of.unknownID()}}).status, 404)
		gone := eraser.post(t, of.Path+"/batch-delete", row{"ids": []any{made.rows(t)[0]["id"], made.rows(t)[1]["id"]}})
		want(t, gone.status, 204, gone.body)
	})
}

func TestARequestThatComesTwiceHasOneEffect(t *testing.T) {
	each(t, inBatches, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		writer := able(t, of.Name+":create", tenant)
		key := header("Idempotency-Key", uuid.NewString())
		sent := body(t, of, tenant, writer.role)
		first := writer.post(t, of.Path, sent, key)
		again := writer.post(t, of.Path, sent, key)
		second, path := body(t, of, tenant, writer.role), of.Path
		if reflect.DeepEqual(second, sent) {
			second, path = row{"items": []row{sent}}, path+"/batch"
		}
		other := writer.post(t, path, second, key)

		want(t, first.status, 201, first.body)
		want(t, again.status, 201)
		want(t, string(again.body), string(first.body))
		want(t, again.header.Get("Idempotency-Replayed"), "true")
		want(t, again.header.Get("Location"), first.header.Get("Location"))
		want(t, other.status, 422)
		want(t, other.json(t)["code"], any("idempotency_key_reused"))
	})
}

func TestAListIsAlsoATable(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		id := text(newRow(t, of, tenant, row{})["id"])
		got := reader.get(t, of.Path, header("Accept", "text/csv"))
		lines, err := csv.NewReader(strings.NewReader(string(got.body))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}

		want(t, got.status, 200)
		want(t, lines[0][0], "id")
		isThere := func(line []string) bool { return line[0] == id }
		want(t, slices.ContainsFunc(lines, isThere), true)
		want(t, reader.get(t, of.Path+"?limit=5", header("Accept", "text/csv")).status, 400)
	})
}

func TestACellIsNoFormula(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		empty := string(reader.get(t, of.Path, header("Accept", "text/csv")).body)
		listed := strings.Split(strings.TrimSpace(empty), ",")
		for name, recipe := range of.Recipes {
			if recipe.Text < 4 || recipe.Before != "" || recipe.After != "" || recipe.List != nil ||
				!slices.Contains(listed, name) {
				continue
			}
			newRow(t, of, tenant, row{name: "=1+1"})
			got := reader.get(t, of.Path, header("Accept", "text/csv"))

			want(t, strings.Contains(string(got.body), "'=1+1"), true, name, got.body)
			return
		}
	})
}

func TestWhoAsksTooOftenIsToldWhenToComeBack(t *testing.T) {
	changed := settings
	changed.RateLimit = 3
	limited := server.New(changed, database, nil).Handler
	ask := func(address string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, world.Resources[0].Path, nil)
		request.RemoteAddr = address
		recorder := httptest.NewRecorder()
		limited.ServeHTTP(recorder, request)
		return recorder
	}
	first := ask("192.0.2.1:1")
	ask("192.0.2.1:2")
	ask("192.0.2.1:3")
	refused := ask("192.0.2.1:4")

	want(t, first.Code != http.StatusTooManyRequests, true)
	want(t, first.Header().Get("RateLimit-Policy"), `"minute";q=3;w=60`)
	want(t, strings.HasPrefix(first.Header().Get("RateLimit"), `"minute";r=2;`), true)
	want(t, refused.Code, http.StatusTooManyRequests)
	want(t, refused.Header().Get("Retry-After") != "", true)
	want(t, ask("192.0.2.2:1").Code != http.StatusTooManyRequests, true)
}

func TestWhoHasManyAddressesHasOneLimit(t *testing.T) {
	for _, addresses := range [][]string{
		{"192.0.2.1", "::ffff:192.0.2.1"},
		{"2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1%lo"},
	} {
		changed := settings
		changed.RateLimit = 3
		limited := server.New(changed, database, nil).Handler
		refused := 0
		for place := range 20 {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, world.Resources[0].Path, nil)
			request.RemoteAddr = net.JoinHostPort(addresses[place%len(addresses)], "1")
			recorder := httptest.NewRecorder()
			limited.ServeHTTP(recorder, request)
			if recorder.Code == http.StatusTooManyRequests {
				refused++
			}
		}

		want(t, refused > 20/2, true, addresses)
	}
}

func TestGuessesAreCountedToo(t *testing.T) {
	changed := settings
	changed.RateLimit = 3
	limited := server.New(changed, database, nil).Handler
	var statuses []int
	for number := range 20 {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, world.Resources[0].Path, nil)
		request.Header.Set("Authorization", fmt.Sprintf("Bearer a.b.%d", number))
		recorder := httptest.NewRecorder()
		limited.ServeHTTP(recorder, request)
		statuses = append(statuses, recorder.Code)
	}

	want(t, slices.Equal(statuses[:3], []int{401, 401, 401}), true, statuses)
	want(t, slices.Contains(statuses, http.StatusTooManyRequests), true, statuses)
}
