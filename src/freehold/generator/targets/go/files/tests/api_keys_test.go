package tests

import (
	"testing"

	"service/internal/auth"
)

// issued is a new key of the tenant, and its id.
func issued(t *testing.T, tenant any, role string, scopes []string, days any) (key, id string) {
	t.Helper()
	key, id, err := auth.NewKey("development")
	if err != nil {
		t.Fatal(err)
	}
	query(t, `
		insert into api_key (id, hash, name, tenant, roles, scopes, expires_at)
		values ($1, $2, 'a test', $3, $4, $5, now() + $6::integer * interval '1 day')`,
		id, auth.Digest(key), text(tenant), []string{role}, scopes, days)
	return key, id
}

func TestAnAPIKeyReachesTheRowsOfItsTenantUntilItIsRevoked(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		ours, theirs := newTenant(t), newTenant(t)
		key, id := issued(t, ours, able(t, of.Name+":read", ours).role, []string{}, nil)
		known := pathOf(of, newRow(t, of, ours, row{}))
		foreign := pathOf(of, newRow(t, of, theirs, row{}))
		nobody := caller{role: "public"}
		reached := nobody.get(t, known, header("X-API-Key", key))
		unreached := nobody.get(t, foreign, header("X-API-Key", key))
		used := query(t, "select last_used_at is not null as used from api_key where id = $1", id)
		query(t, "update api_key set revoked_at = now() where id = $1", id)
		revoked := nobody.get(t, known, header("X-API-Key", key))

		want(t, reached.status, 200, reached.body)
		want(t, unreached.status, 404)
		want(t, used[0]["used"], any(true))
		want(t, revoked.status, 401)
	})
}

func TestAnAPIKeyIsLimitedToItsScopes(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		role := able(t, of.Name+":read", tenant).role
		allowed, _ := issued(t, tenant, role, []string{of.Name + ":read"}, nil)
		limited, _ := issued(t, tenant, role, []string{"nothing:read"}, nil)
		nobody := caller{role: "public"}

		want(t, nobody.get(t, of.Path, header("X-API-Key", allowed)).status, 200)
		want(t, nobody.get(t, of.Path, header("X-API-Key", limited)).status, 403)
	})
}

func TestAnAPIKeyThatIsWrongOrExpiredOrNotAloneIsRefused(t *testing.T) {
	each(t, scoped, func(t *testing.T, of *resource) {
		tenant := newTenant(t)
		reader := able(t, of.Name+":read", tenant)
		key, _ := issued(t, tenant, reader.role, []string{}, nil)
		expired, _ := issued(t, tenant, reader.role, []string{}, -1)
		other, _, err := auth.NewKey("development")
		if err != nil {
			t.Fatal(err)
		}
		both := reader.get(t, of.Path, header("X-API-Key", key), header("Authorization", "Bearer x"))

		for _, wrong := range []string{expired, key + "a", "ak_prod" + key[len("ak_dev"):], other, "x"} {
			want(t, caller{role: "public"}.get(t, of.Path, header("X-API-Key", wrong)).status, 401, wrong)
		}
		want(t, both.status, 400)
		want(t, both.json(t)["code"], any("ambiguous_credentials"))
	})
}
