package tests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"service/internal/api"
	"service/internal/auth"
	"service/internal/config"
	"service/internal/db"
	"service/internal/server"
)

var production = map[string]string{
	"DATABASE_URL": "postgresql://app_api@localhost/x", "DATABASE_ROLE": "", "ENVIRONMENT": "production",
	"AUTH_PROVIDER": "custom", "AUTH_ISSUER": "https://id.example.com/", "AUTH_AUDIENCE": "api",
	"AUTH_JWKS_URL": "https://id.example.com/jwks",
}

func TestAMissingOrUnsafeSettingIsRefusedByName(t *testing.T) {
	if _, err := config.Load(environment(production)); err != nil {
		t.Fatal(err)
	}
	for _, each := range [][2]string{
		{"DATABASE_URL", ""}, {"AUTH_ISSUER", ""}, {"AUTH_AUDIENCE", ""}, {"AUTH_JWKS_URL", "http://id.example.com/jwks"},
		{"AUTH_ALGORITHMS", "HS256"}, {"AUTH_PROVIDER", "dev"}, {"AUTO_MIGRATE", "1"}, {"PORT", "eighty"},
		{"ENVIRONMENT", "prod"}, {"LOG_LEVEL", "loud"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"},
	} {
		changed := map[string]string{each[0]: each[1]}
		for name, value := range production {
			if _, given := changed[name]; !given {
				changed[name] = value
			}
		}
		_, err := config.Load(environment(changed))

		want(t, err != nil, true, each[0])
		want(t, strings.Contains(err.Error(), each[0]), true, err)
		want(t, strings.Contains(err.Error(), secret), false)
	}
}

func TestASecretCanComeFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("postgresql://app_api:hidden@localhost/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := config.Load(environment(map[string]string{"DATABASE_URL": "", "DATABASE_URL_FILE": path}))
	if err != nil {
		t.Fatal(err)
	}

	want(t, found.DatabaseURL, "postgresql://app_api:hidden@localhost/x")
	want(t, strings.Contains(fmt.Sprint(found.LogValue()), "hidden"), false)
}

func TestARoleThatRowLevelSecurityDoesNotHoldIsRefused(t *testing.T) {
	reasons := map[string]string{"": "bypasses row-level security"}
	if len(world.TenantTables) > 0 {
		reasons["app_owner"] = "owns the table"
	}
	for role, reason := range reasons {
		changed := settings
		changed.DatabaseRole = role
		opened, err := db.Open(t.Context(), changed, nil)
		if err == nil {
			opened.Close()
			t.Fatalf("it serves as %q", role)
		}

		want(t, strings.Contains(err.Error(), reason), true, err)
	}
}

func TestItServesUntilItIsToldToStop(t *testing.T) {
	changed := settings
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	changed.Host, changed.Port = "127.0.0.1", free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- server.New(changed, database, nil).Run(ctx) }()
	url := fmt.Sprintf("http://127.0.0.1:%d/readyz", changed.Port)

	status := 0
	for range 100 {
		if answer, err := http.Get(url); err == nil {
			status = answer.StatusCode
			_ = answer.Body.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	want(t, status, 200)
	stop()
	select {
	case err := <-stopped:
		want(t, err, error(nil))
	case <-time.After(15 * time.Second):
		t.Fatal("it does not stop")
	}
}

func ask(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	running.Handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return recorder
}

func TestHealthContractAndNumbersArePublic(t *testing.T) {
	ready := ask(t, "GET", "/readyz")
	var document struct{ OpenAPI string }
	if err := json.Unmarshal(ask(t, "GET", "/openapi.json").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}

	want(t, strings.TrimSpace(ask(t, "GET", "/healthz").Body.String()), `{"status":"ok"}`)
	want(t, strings.TrimSpace(ready.Body.String()), `{"status":"ok","faults":[]}`)
	want(t, document.OpenAPI, "3.1.0")
	want(t, strings.Contains(ask(t, "GET", "/metrics").Body.String(), "http_requests_total"), true)
}

func TestAddressesAndMethodsThatThereAreNoneOfAreProblems(t *testing.T) {
	for path, status := range map[string]int{
		"/no/such/address": 404, "//v1": 404, "/v1/../v1": 404, world.Resources[0].Path: 405,
	} {
		refused := ask(t, "PUT", path)

		want(t, refused.Code, status, path)
		want(t, refused.Header().Get("Content-Type"), "application/problem+json")
		want(t, refused.Header().Get("X-Request-Id") != "", true)
	}
	want(t, strings.Contains(ask(t, "PUT", world.Resources[0].Path).Header().Get("Allow"), "GET"), true)
}

func TestWhatNobodyExpectedIsAnAnswerAndLinesOfTheLogWithTheSameID(t *testing.T) {
	var lines bytes.Buffer
	log := slog.New(api.OfRequests(slog.NewJSONHandler(&lines, nil))).With("owner", "me")
	handler := api.Handler{Verifier: auth.NewVerifier(settings), Limiter: api.NewLimiter(0), MaxBodyBytes: 1000}
	stumbles := api.Observe(handler.Handle(func(call *api.Call) (*api.Reply, error) {
		log.InfoContext(call.Context(), "so far")
		panic("a mistake of ours")
	}), nil)
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	request.Header.Set("X-Request-Id", "a-request-of-mine")
	answer := httptest.NewRecorder()
	stumbles.ServeHTTP(answer, request)
	var line, body map[string]any
	if err := errors.Join(json.Unmarshal(lines.Bytes(), &line), json.Unmarshal(answer.Body.Bytes(), &body)); err != nil {
		t.Fatal(err)
	}

	want(t, answer.Code, 500)
	want(t, body["code"], any("internal"))
	want(t, body["request_id"], any("a-request-of-mine"))
	want(t, answer.Header().Get("X-Request-Id"), "a-request-of-mine")
	want(t, line["request_id"], any("a-request-of-mine"))
	want(t, len(text(line["trace_id"])), 32)
	want(t, line["owner"], any("me"))
}

func TestTheAPIReferenceNeedsNoOtherHost(t *testing.T) {
	want(t, ask(t, "GET", "/docs").Header().Get("Location"), "/docs/")
	page := ask(t, "GET", "/docs/").Body.String()
	parts := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)

	want(t, strings.Contains(page, "/openapi.json"), true)
	want(t, len(parts) > 0, true)
	for _, part := range parts {
		want(t, strings.HasPrefix(part[1], "/docs/"), true, part[1])
		want(t, ask(t, "GET", part[1]).Code, 200, part[1])
	}
}
