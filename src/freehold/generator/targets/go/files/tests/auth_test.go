package tests

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"service/internal/access"
	"service/internal/auth"
	"service/internal/config"
	"service/internal/problem"
)

var (
	key      = newKey(2048)
	otherKey = newKey(2048)
	// Go itself makes no weaker keys any more.
	weakKey = &rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 1023), big.NewInt(1)), E: 65537}
)

func newKey(bits int) *rsa.PrivateKey {
	found, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return found
}

func jwk(public *rsa.PublicKey, kid string) row {
	exponent := big.NewInt(int64(public.E)).Bytes()
	return row{
		"kty": "RSA", "use": "sig", "kid": kid,
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(exponent),
	}
}

// issuer is an identity provider that counts how often its keys are fetched.
type issuer struct {
	*httptest.Server
	fetched atomic.Int32
	away    atomic.Bool
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	found := &issuer{}
	found.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		found.fetched.Add(1)
		if found.away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		keys := row{"keys": []row{jwk(&key.PublicKey, "a"), jwk(weakKey, "weak")}}
		if err := json.NewEncoder(w).Encode(keys); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(found.Close)
	return found
}

func (i *issuer) verifier() *auth.Verifier {
	changed := settings
	changed.Provider = config.Provider{
		Name: "custom", Issuer: "https://id.example.com/", JWKSURL: i.URL, Algorithms: []string{"RS256"},
		AudienceClaim: "aud", Audience: []string{"api"}, UserClaim: "sub", TenantClaim: "org.id", RolesClaim: "roles",
		Require: map[string]string{"token_use": "access"}, Refetch: time.Minute,
	}
	return auth.NewVerifier(changed)
}

func claims(changed jwt.MapClaims) jwt.MapClaims {
	found := jwt.MapClaims{
		"iss": "https://id.example.com/", "aud": "api", "exp": time.Now().Add(10 * time.Minute).Unix(),
		"token_use": "access", "sub": uuid.NewString(), "org": row{"id": uuid.NewString()},
		"roles": append([]string{"no_such_role", "service"}, world.Roles[:min(1, len(world.Roles))]...),
	}
	for name, value := range changed {
		found[name] = value
		if value == nil {
			delete(found, name)
		}
	}
	return found
}

func signed(t *testing.T, method jwt.SigningMethod, by any, kid string, changed jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims(changed))
	token.Header["kid"] = kid
	found, err := token.SignedString(by)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func good(t *testing.T, changed jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.SigningMethodRS256, key, "a", changed)
}

func TestAGoodTokenNamesItsTenantAndKnownRolesOnly(t *testing.T) {
	found, err := newIssuer(t).verifier().Principal(t.Context(), good(t, nil))
	if err != nil {
		t.Fatal(err)
	}

	want(t, found.Kind, access.User)
	want(t, slices.Contains(found.Roles(), "service"), false)
	want(t, len(found.Roles()), 2+min(1, len(world.Roles)))
}

func TestAForgedTokenIsRefused(t *testing.T) {
	hour := time.Hour
	for name, forged := range map[string]func() string{
		"no algorithm": func() string {
			return signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "a", nil)
		},
		"the public key as a secret": func() string { return signedWithThePublicKey(t) },
		"another key":                func() string { return signed(t, jwt.SigningMethodRS256, otherKey, "a", nil) },
		"an unknown key":             func() string { return signed(t, jwt.SigningMethodRS256, key, "../../etc/passwd", nil) },
		"a weak key":                 func() string { return signed(t, jwt.SigningMethodRS256, key, "weak", nil) },
		"another hash":               func() string { return signed(t, jwt.SigningMethodRS512, key, "a", nil) },
		"expired":                    func() string { return good(t, jwt.MapClaims{"exp": time.Now().Add(-hour).Unix()}) },
		"never expires":              func() string { return good(t, jwt.MapClaims{"exp": nil}) },
		"not yet":                    func() string { return good(t, jwt.MapClaims{"nbf": time.Now().Add(hour).Unix()}) },
		"another issuer":             func() string { return good(t, jwt.MapClaims{"iss": "https://id.example.com"}) },
		"no issuer":                  func() string { return good(t, jwt.MapClaims{"iss": nil}) },
		"another audience":           func() string { return good(t, jwt.MapClaims{"aud": "other"}) },
		"no audience":                func() string { return good(t, jwt.MapClaims{"aud": nil}) },
		"another use":                func() string { return good(t, jwt.MapClaims{"token_use": "id"}) },
		"demands": func() string {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims(nil))
			token.Header["kid"], token.Header["crit"] = "a", []string{"b64"}
			found, _ := token.SignedString(crypto.PrivateKey(key))
			return found
		},
		"garbage": func() string { return "a.b.c" },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newIssuer(t).verifier().Principal(t.Context(), forged())

			want(t, err != nil, true)
			want(t, problem.Of(err).Status, 401)
		})
	}
}

func signedWithThePublicKey(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	var parts []string
	for _, part := range []any{row{"alg": "HS256", "kid": "a"}, claims(nil)} {
		written, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(written))
	}
	message := strings.Join(parts, ".")
	signature := hmac.New(sha256.New, bytes.TrimSpace(public))
	signature.Write([]byte(message))
	return message + "." + base64.RawURLEncoding.EncodeToString(signature.Sum(nil))
}

func TestUnknownKeysAreLookedUpOnceAMinuteWhoeverAsks(t *testing.T) {
	provider := newIssuer(t)
	verifier := provider.verifier()
	var asking sync.WaitGroup
	for number := range 10 {
		token := signed(t, jwt.SigningMethodRS256, key, fmt.Sprintf("unknown-%d", number), nil)
		asking.Go(func() {
			if _, err := verifier.Principal(t.Context(), token); err == nil {
				t.Error("an unknown key was taken")
			}
		})
	}
	asking.Wait()

	want(t, provider.fetched.Load(), int32(1))
}

func TestKnownKeysOutliveAnOutageOfTheProvider(t *testing.T) {
	provider := newIssuer(t)
	verifier := provider.verifier()
	if _, err := verifier.Principal(t.Context(), good(t, nil)); err != nil {
		t.Fatal(err)
	}
	provider.away.Store(true)

	if _, err := verifier.Principal(t.Context(), good(t, nil)); err != nil {
		t.Fatal(err)
	}
	_, err := verifier.Principal(t.Context(), signed(t, jwt.SigningMethodRS256, key, "unknown", nil))
	want(t, problem.Of(err).Status, 401)
}

func TestWithoutAnyKeysTheServiceIsNotAvailable(t *testing.T) {
	provider := newIssuer(t)
	provider.away.Store(true)
	_, err := provider.verifier().Principal(t.Context(), good(t, nil))

	want(t, problem.Of(err).Status, 503)
}

func TestACredentialOfAnotherKindIsRefused(t *testing.T) {
	of := world.Resources[0]
	for _, given := range []string{"Basic YTpi", "Bearer", "Bearer a.b.c"} {
		refused := caller{role: "public"}.get(t, of.Path, header("Authorization", given))

		want(t, refused.status, 401, given)
		want(t, strings.HasPrefix(refused.header.Get("WWW-Authenticate"), "Bearer"), true)
	}
}
