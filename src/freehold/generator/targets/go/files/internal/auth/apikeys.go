package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"math/big"
	"regexp"

	"github.com/jackc/pgx/v5"

	"service/internal/access"
	"service/internal/db"
)

const (
	keyHeader = "X-API-Key"
	lower     = "abcdefghijklmnopqrstuvwxyz0123456789"
	mixed     = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	idLength  = 10
	length    = 32
)

// Keys are ak_<dev or prod>_<id>_<secret>. The table has a hash of the whole key, so that reading it lets nobody in.
var spelling = regexp.MustCompile(`^ak_(?:dev|prod)_([a-z0-9]{10})_[A-Za-z0-9]{32}$`)

type apiKey struct {
	hash     string
	tenant   *string
	roles    []string
	scopes   []string
	isSeldom bool
}

// NewKey is a new key and its id.
func NewKey(environment string) (key, id string, err error) {
	if id, err = random(lower, idLength); err != nil {
		return "", "", err
	}
	secret, err := random(mixed, length)
	prefix := "ak_dev_"
	if environment == "production" {
		prefix = "ak_prod_"
	}
	return prefix + id + "_" + secret, id, err
}

func random(alphabet string, length int) (string, error) {
	found := make([]byte, length)
	for place := range found {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			return "", err
		}
		found[place] = alphabet[at.Int64()]
	}
	return string(found), nil
}

// Digest is what is kept of a key. Its secret is random, so that nothing slower than a hash is needed.
func Digest(key string) string {
	hash := sha256.Sum256([]byte(key))
	return hex.EncodeToString(hash[:])
}

// WithAPIKeys takes API keys as well, which are in the database.
func (v *Verifier) WithAPIKeys(database *db.DB) *Verifier {
	v.database = database
	return v
}

// ofKey is whom the key names. It is read with every request: a key that is revoked is refused from then on.
func ofKey(ctx context.Context, database *db.DB, key string) (access.Principal, error) {
	spelled := spelling.FindStringSubmatch(key)
	if spelled == nil {
		return access.Principal{}, refusedKey()
	}
	var found *apiKey
	err := database.Write(ctx, access.Nobody(), nil, func(tx *db.Tx) error {
		var err error
		found, err = db.One(ctx, tx, `
			select hash, tenant, roles, scopes,
			       last_used_at is null or last_used_at < now() - interval '1 minute'
			from api_key
			where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
			[]any{spelled[1]}, scanKey)
		if err != nil {
			return err
		}
		if found == nil || subtle.ConstantTimeCompare([]byte(found.hash), []byte(Digest(key))) != 1 {
			return refusedKey()
		}
		if !found.isSeldom {
			return nil
		}
		return db.Run(ctx, tx, `
			update api_key set last_used_at = now()
			where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`, spelled[1])
	})
	if err != nil {
		return access.Principal{}, err
	}
	var tenant *access.TenantID
	if found.tenant != nil {
		tenant = id(any(*found.tenant), access.ParseTenantID)
	}
	return access.Key("ak_"+spelled[1], tenant, found.roles, found.scopes), nil
}

func scanKey(row pgx.CollectableRow) (apiKey, error) {
	var found apiKey
	err := row.Scan(&found.hash, &found.tenant, &found.roles, &found.scopes, &found.isSeldom)
	return found, err
}

func refusedKey() error { return refused("The API key is not valid, has expired, or was revoked.") }
