package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"acme-works/internal/access"
	"acme-works/internal/db"
	"acme-works/internal/problem"
)

const (
	idempotencyKey = "Idempotency-Key"
	mostKey        = 255
	sweepOneIn     = 100
)

var kept = []string{"etag", "location", "content-type"}

type remembered struct {
	hash   string
	status int
	header map[string]string
	body   string
}

// WriteOnce does the work in a transaction, in the caller's tenant or in the given one; once for each idempotency key.
func (c *Call) WriteOnce(
	database *db.DB, tenant *access.TenantID, work func(tx *db.Tx) (*Reply, error),
) (reply *Reply, err error) {
	err = database.Write(c.Context(), c.Caller, tenant, func(tx *db.Tx) error {
		reply, err = once(c.Context(), c, tx, func() (*Reply, error) { return work(tx) })
		return err
	})
	return reply, err
}

// once is the answer of the work; of a request with a key that was here before, the answer that it got. The key is a
// row in the transaction of the write itself: a second request waits on it until the first has committed, and a write
// that fails leaves no key behind.
func once(ctx context.Context, call *Call, tx *db.Tx, work func() (*Reply, error)) (*Reply, error) {
	values := call.Header.Values(idempotencyKey)
	if len(values) == 0 {
		return work()
	}
	key := values[0]
	printable := func(each rune) bool { return unicode.IsPrint(each) }
	isClean := strings.IndexFunc(key, func(each rune) bool { return !printable(each) }) < 0
	if count := utf8.RuneCountInString(key); count < 1 || count > mostKey || !isClean || !utf8.ValidString(key) {
		return nil, problem.InvalidParameter(idempotencyKey, fmt.Sprintf("should have 1 to %d characters", mostKey))
	}
	if tx.Caller.Kind == access.Anonymous {
		return nil, problem.InvalidParameter(
			idempotencyKey, "needs a credential, since a key belongs to its caller")
	}
	tenant, id := "", ""
	if tx.Caller.TenantID != nil {
		tenant = fmt.Sprint(*tx.Caller.TenantID)
	}
	if actor := tx.Caller.Actor(); actor != nil {
		id = *actor
	}
	owner := []any{tenant, string(tx.Caller.Kind) + ":" + id, key}
	hash := sha256.Sum256(append([]byte(call.Method+" "+call.URL.Path+"\n"), call.raw...))
	digest := hex.EncodeToString(hash[:])
	claimed, err := db.One(ctx, tx, `
		insert into idempotency_key (tenant, principal, key, request_hash)
		values ($1, $2, $3, $4)
		on conflict (tenant, principal, key) do update
		set request_hash = excluded.request_hash, created_at = now()
		where idempotency_key.created_at < now() - interval '24 hours'
		returning 1`, append(owner, digest), db.Value[int])
	if err != nil {
		return nil, err
	}
	if claimed == nil {
		return replayed(ctx, tx, owner, digest)
	}
	reply, err := work()
	if err != nil {
		return nil, err
	}
	return reply, remember(ctx, tx, owner, reply)
}

func remember(ctx context.Context, tx *db.Tx, owner []any, reply *Reply) error {
	header := map[string]string{}
	for name, value := range reply.header {
		for _, each := range kept {
			if strings.EqualFold(name, each) {
				header[each] = value
			}
		}
	}
	err := db.Run(ctx, tx, `
		update idempotency_key
		set status = $4, headers = $5, body = $6
		where tenant = $1 and principal = $2 and key = $3`, append(owner, reply.status, header, string(reply.body))...)
	if err != nil || rand.N(sweepOneIn) != 0 { //nolint:gosec // to sweep seldom, not to be secret
		return err
	}
	return db.Run(ctx, tx, `
		delete from idempotency_key
		where ctid in (
			select ctid from idempotency_key
			where created_at < now() - interval '24 hours'
			limit 1000
			for update skip locked
		)`)
}

func replayed(ctx context.Context, tx *db.Tx, owner []any, digest string) (*Reply, error) {
	found, err := db.One(ctx, tx, `
		select request_hash, status, headers, body
		from idempotency_key
		where tenant = $1 and principal = $2 and key = $3`, owner,
		func(row pgx.CollectableRow) (remembered, error) {
			var found remembered
			err := row.Scan(&found.hash, &found.status, &found.header, &found.body)
			return found, err
		})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, problem.Unavailable()
	}
	if found.hash != digest {
		return nil, problem.New(http.StatusUnprocessableEntity, "idempotency_key_reused",
			"The key was used for another request.")
	}
	found.header["Idempotency-Replayed"] = "true"
	return &Reply{status: found.status, header: found.header, body: []byte(found.body)}, nil
}
