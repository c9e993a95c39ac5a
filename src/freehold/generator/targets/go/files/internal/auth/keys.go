package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
)

const (
	fresh        = time.Hour
	stale        = 24 * time.Hour
	fetchTimeout = 5 * time.Second
	mostKeyBytes = 1_000_000
)

var (
	errNoKeys  = errors.New("the provider's keys cannot be reached")
	errUnknown = errors.New("no such key")
)

// KeySet holds the provider's public keys: fetched when an unknown one is named, at most so often and by one
// request for all, and kept for a day while the provider is away.
type KeySet struct {
	url     string
	refetch time.Duration
	client  *http.Client

	fetching sync.Mutex
	tried    time.Time

	mutex   sync.RWMutex
	keys    map[string]any
	fetched time.Time
}

// NewKeySet fetches nothing yet.
func NewKeySet(url string, refetch time.Duration) *KeySet {
	client := &http.Client{Timeout: fetchTimeout, CheckRedirect: refuseRedirect}
	return &KeySet{url: url, refetch: refetch, client: client}
}

// refuseRedirect: keys come from the address that the settings name, and from nowhere else.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Get is the public key of that name.
func (k *KeySet) Get(ctx context.Context, kid string) (any, error) {
	key, age := k.find(kid)
	if key == nil || age > fresh {
		k.refresh(ctx)
		key, age = k.find(kid)
	}
	switch {
	case age > stale:
		return nil, errNoKeys
	case key == nil:
		return nil, errUnknown
	}
	return key, nil
}

func (k *KeySet) find(kid string) (key any, age time.Duration) {
	k.mutex.RLock()
	defer k.mutex.RUnlock()
	return k.keys[kid], time.Since(k.fetched)
}

func (k *KeySet) refresh(ctx context.Context) {
	k.fetching.Lock()
	defer k.fetching.Unlock()
	if time.Since(k.tried) <= k.refetch {
		return
	}
	k.tried = time.Now()
	// Whoever asked first may go away; the others still wait for the keys.
	found, err := k.fetch(context.WithoutCancel(ctx))
	if err != nil {
		slog.WarnContext(ctx, "the provider's keys cannot be fetched", "error", err)
		return
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.keys, k.fetched = found, time.Now()
}

func (k *KeySet) fetch(ctx context.Context) (map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	answer, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", k.url, answer.Status)
	}
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, mostKeyBytes)).Decode(&document); err != nil {
		return nil, err
	}
	found := map[string]any{}
	for _, raw := range document.Keys {
		if kid, key, usable := publicKey(raw); usable {
			found[kid] = key
		}
	}
	return found, nil
}

// publicKey skips what this service has no use for: other kinds, weak keys, and keys that are not for signatures.
func publicKey(raw json.RawMessage) (kid string, key any, usable bool) {
	var marshal jwkset.JWKMarshal
	if err := json.Unmarshal(raw, &marshal); err != nil {
		return "", nil, false
	}
	if marshal.USE != "" && marshal.USE != jwkset.UseSig {
		return "", nil, false
	}
	parsed, err := jwkset.NewJWKFromMarshal(marshal, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return "", nil, false
	}
	switch key := parsed.Key().(type) {
	case *rsa.PublicKey:
		return marshal.KID, key, key.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return marshal.KID, key, key.Curve == elliptic.P256()
	case ed25519.PublicKey:
		return marshal.KID, key, true
	}
	return "", nil, false
}
