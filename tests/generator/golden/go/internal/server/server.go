// Package server puts the service together: its routes, its health, its contract, and how it stops.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	swagger "github.com/swaggest/swgui/v5emb"

	service "acme-works"
	"acme-works/internal/api"
	"acme-works/internal/auth"
	"acme-works/internal/config"
	"acme-works/internal/db"
	"acme-works/internal/problem"
	"acme-works/internal/traces"
)

const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 20 * time.Second
	mostHeaders   = 64 << 10
)

// Server is the service, ready to be served.
type Server struct {
	settings config.Settings
	db       *db.DB
	draining atomic.Bool
	Handler  http.Handler
	// Routes are the operations of the resources, such as "GET /v1/things".
	Routes []string
	// Own are those of extra.go.
	Own []string
}

// New puts the service together. Spans may be nil.
func New(settings config.Settings, database *db.DB, spans *traces.Traces) *Server {
	s := &Server{settings: settings, db: database}
	mux := http.NewServeMux()
	handler := api.Handler{
		Verifier:     auth.NewVerifier(settings),
		Limiter:      api.NewLimiter(settings.RateLimit),
		MaxBodyBytes: int64(settings.MaxBodyBytes),
	}
	for _, each := range extra(database) {
		mux.Handle(each.Pattern, handler.Handle(each.Endpoint))
		s.Own = append(s.Own, each.Pattern)
	}
	for _, each := range features(database) {
		s.Routes = append(s.Routes, each.Pattern)
		if !slices.Contains(s.Own, each.Pattern) {
			mux.Handle(each.Pattern, handler.Handle(each.Endpoint))
		}
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /openapi.json", openAPI)
	// The API reference brings its files: it works where no other host is reached.
	mux.Handle("GET /docs/", swagger.New(settings.Service, "/openapi.json", "/docs/"))
	mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/docs/", http.StatusPermanentRedirect)
	})
	measure(database)
	if settings.MetricsPort == 0 {
		mux.Handle("GET /metrics", promhttp.Handler())
	}
	s.Handler = api.Observe(withProblems(mux), spans)
	return s
}

// Run serves until the context ends. Then it says that it is not ready, so that no request is lost behind a load
// balancer, lets those that run come to their end, and stops.
func (s *Server) Run(ctx context.Context) error {
	servers := []*http.Server{s.listener(s.settings.Port, s.Handler)}
	if s.settings.MetricsPort != 0 {
		numbers := http.NewServeMux()
		numbers.Handle("GET /metrics", promhttp.Handler())
		servers = append(servers, s.listener(s.settings.MetricsPort, numbers))
	}
	failed := make(chan error, len(servers))
	for _, each := range servers {
		go func() { failed <- each.ListenAndServe() }()
	}
	slog.Info("serving", "address", servers[0].Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	slog.Info("draining")
	s.draining.Store(true)
	time.Sleep(time.Duration(s.settings.DrainSeconds) * time.Second)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	var stopped error
	for _, each := range servers {
		stopped = errors.Join(stopped, each.Shutdown(stopping))
	}
	return stopped
}

func (s *Server) listener(port int, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              net.JoinHostPort(s.settings.Host, strconv.Itoa(port)),
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    mostHeaders,
	}
}

// withProblems answers addresses and methods that there are none of in the way of the API.
func withProblems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := db.RequestID(r.Context())
		_, pattern := mux.Handler(r)
		isCanonical := path.Clean(r.URL.Path) == strings.TrimSuffix(r.URL.Path, "/") || r.URL.Path == "/"
		if pattern != "" && isCanonical {
			mux.ServeHTTP(w, r)
			return
		}
		// The mux knows which methods there are for the address, and tells them in a header.
		var told blank
		if pattern == "" {
			handler, _ := mux.Handler(r)
			handler.ServeHTTP(&told, r)
		}
		if told.status != http.StatusMethodNotAllowed {
			problem.Write(w, r, id, problem.New(http.StatusNotFound, "not_found", "There is no such address."))
			return
		}
		refusal := problem.New(http.StatusMethodNotAllowed, "method_not_allowed", "Method Not Allowed")
		refusal.Header = map[string]string{"Allow": told.Header().Get("Allow")}
		problem.Write(w, r, id, refusal)
	})
}

// blank keeps the status and the headers of an answer, and drops its body.
type blank struct {
	header http.Header
	status int
}

func (b *blank) Header() http.Header {
	if b.header == nil {
		b.header = http.Header{}
	}
	return b.header
}

func (b *blank) WriteHeader(status int) { b.status = status }

func (b *blank) Write(body []byte) (int, error) { return len(body), nil }

func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	// The caller may have gone: there is nobody left to tell.
	_, _ = w.Write(service.OpenAPI)
}
