// Package auth gets from a credential to the caller: signature, issuer, audience, expiry, tenant and roles of a bearer
// token.
package auth

import (
	"container/list"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"acme-works/internal/access"
	"acme-works/internal/config"
	"acme-works/internal/problem"
	"acme-works/internal/wire"
)

const (
	leeway       = 30 * time.Second
	remembered   = time.Minute
	cachedTokens = 10_000
)

// Verifier verifies tokens of the one provider that the settings name.
type Verifier struct {
	provider  config.Provider
	devSecret []byte
	keys      *KeySet
	parser    *jwt.Parser
	known     tokens
}

// NewVerifier fetches nothing yet: the first token does.
func NewVerifier(settings config.Settings) *Verifier {
	provider := settings.Provider
	return &Verifier{
		provider:  provider,
		devSecret: []byte(settings.AuthDevSecret),
		keys:      NewKeySet(provider.JWKSURL, provider.Refetch),
		parser: jwt.NewParser(
			jwt.WithValidMethods(provider.Algorithms),
			jwt.WithIssuer(provider.Issuer),
			jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(),
			jwt.WithLeeway(leeway),
		),
		known: tokens{byDigest: map[[sha256.Size]byte]*list.Element{}, inOrder: list.New()},
	}
}

// Authenticate is the caller of the request. Without a credential it is nobody, whom Require refuses where it must.
func (v *Verifier) Authenticate(r *http.Request) (access.Principal, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return access.Nobody(), nil
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(scheme, "bearer") || token == "" {
		return access.Principal{}, problem.Unauthenticated(
			"Send one header: Authorization: Bearer <token>.", "invalid_request")
	}
	return v.Principal(r.Context(), token)
}

// Principal is whom the token names, from the cache for at most a minute and never past its expiry.
func (v *Verifier) Principal(ctx context.Context, token string) (access.Principal, error) {
	digest := sha256.Sum256([]byte(token))
	if known, found := v.known.get(digest); found {
		return known, nil
	}
	claims := jwt.MapClaims{}
	if _, err := v.parser.ParseWithClaims(token, claims, v.keyFor(ctx)); err != nil {
		if errors.Is(err, errNoKeys) {
			return access.Principal{}, problem.Unavailable()
		}
		return access.Principal{}, refused("The token is not valid, or has expired.")
	}
	if err := v.check(claims); err != nil {
		return access.Principal{}, err
	}
	principal := v.read(claims)
	expiry, err := claims.GetExpirationTime()
	if err == nil && expiry != nil {
		v.known.put(digest, principal, expiry.Add(leeway))
	}
	return principal, nil
}

func (v *Verifier) keyFor(ctx context.Context) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) {
		if _, demands := token.Header["crit"]; demands {
			return nil, errors.New("the token demands extensions that there are none of")
		}
		if v.provider.Name == "dev" {
			return v.devSecret, nil
		}
		kid, _ := token.Header["kid"].(string)
		key, err := v.keys.Get(ctx, kid)
		if err != nil {
			return nil, err
		}
		if !isFor(key, token.Method.Alg()) {
			return nil, errors.New("the key is for another algorithm")
		}
		return key, nil
	}
}

func isFor(key any, algorithm string) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == "ES256"
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

func (v *Verifier) check(claims jwt.MapClaims) error {
	meant := words(claims[v.provider.AudienceClaim])
	isMeant := func(audience string) bool { return slices.Contains(meant, audience) }
	if len(v.provider.Audience) > 0 && !slices.ContainsFunc(v.provider.Audience, isMeant) {
		return refused("The token is meant for someone else.")
	}
	for claim, expected := range v.provider.Require {
		if claims[claim] != expected {
			return refused(fmt.Sprintf("The token's %s should be %s.", claim, expected))
		}
	}
	return nil
}

func (v *Verifier) read(claims jwt.MapClaims) access.Principal {
	kind := access.User
	if v.provider.ServiceClaim != "" && at(claims, v.provider.ServiceClaim) == any(v.provider.ServiceValue) {
		kind = access.Service
	}
	return access.Known(
		kind,
		id(at(claims, v.provider.UserClaim), access.ParseUserID),
		id(only(at(claims, v.provider.TenantClaim)), access.ParseTenantID),
		words(at(claims, v.provider.RolesClaim)),
	)
}

func refused(detail string) error { return problem.Unauthenticated(detail, "invalid_token") }

// at is the claim at a path such as app_metadata.tenant_id; a claim whose name has dots wins.
func at(claims map[string]any, path string) any {
	if found, there := claims[path]; there {
		return found
	}
	var found any = claims
	for part := range strings.SplitSeq(path, ".") {
		switch inner := found.(type) {
		case map[string]any:
			found = inner[part]
		case jwt.MapClaims:
			found = inner[part]
		default:
			return nil
		}
	}
	return found
}

// only is the one id of a claim that may be a list, or Keycloak's map of organizations by alias. Of several it is none.
func only(value any) any {
	switch value := value.(type) {
	case []any:
		if len(value) == 1 {
			return value[0]
		}
		return nil
	case map[string]any:
		if len(value) != 1 {
			return nil
		}
		for alias, organization := range value {
			known, okay := organization.(map[string]any)
			if !okay {
				return nil
			}
			if found, named := known["id"]; named {
				return found
			}
			return alias
		}
	}
	return value
}

func words(value any) []string {
	switch value := value.(type) {
	case string:
		return strings.Fields(value)
	case []any:
		var found []string
		for _, each := range value {
			if text, okay := each.(string); okay {
				found = append(found, text)
			}
		}
		return found
	}
	return nil
}

// id is the claim as an id of this service; nil when it is absent, or an id of some other system.
func id[T any](value any, parse wire.Parser[T]) *T {
	text, okay := value.(string)
	if !okay || text == "" {
		return nil
	}
	found, err := parse(text)
	if err != nil {
		return nil
	}
	return &found
}

// tokens are the principals of the tokens that were verified last.
type tokens struct {
	mutex    sync.Mutex
	byDigest map[[sha256.Size]byte]*list.Element
	inOrder  *list.List
}

type verified struct {
	digest    [sha256.Size]byte
	principal access.Principal
	until     time.Time
}

func (t *tokens) get(digest [sha256.Size]byte) (access.Principal, bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	element, known := t.byDigest[digest]
	if !known {
		return access.Principal{}, false
	}
	found := element.Value.(verified)
	return found.principal, time.Now().Before(found.until)
}

func (t *tokens) put(digest [sha256.Size]byte, principal access.Principal, expiry time.Time) {
	until := time.Now().Add(remembered)
	if expiry.Before(until) {
		until = expiry
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if element, known := t.byDigest[digest]; known {
		t.inOrder.Remove(element)
	}
	t.byDigest[digest] = t.inOrder.PushBack(verified{digest, principal, until})
	if t.inOrder.Len() > cachedTokens {
		oldest := t.inOrder.Remove(t.inOrder.Front()).(verified)
		delete(t.byDigest, oldest.digest)
	}
}
