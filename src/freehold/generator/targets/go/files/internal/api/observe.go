package api

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	oteltrace "go.opentelemetry.io/otel/trace"

	"service/internal/access"
	"service/internal/db"
	"service/internal/traces"
)

var (
	requests = promauto.NewCounterVec(
		prometheus.CounterOpts{Name: "http_requests_total", Help: "Requests answered."},
		[]string{"method", "route", "status"})
	seconds = promauto.NewHistogramVec(
		prometheus.HistogramOpts{Name: "http_request_duration_seconds", Help: "Time to answer."},
		[]string{"method", "route"})
)

var givenID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// Observe gives each request an id, writes one line about it and counts it; and sends its span, where there are
// traces. Never bodies, never credentials.
func Observe(next http.Handler, spans *traces.Traces) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		id := r.Header.Get("X-Request-Id")
		if !givenID.MatchString(id) {
			id = newRequestID()
		}
		who := &caller{}
		ctx := context.WithValue(db.WithRequestID(r.Context(), id), callerKey{}, who)
		trace := traced(r)
		var span oteltrace.Span
		if spans != nil {
			ctx, span = spans.Request(ctx, r)
			trace = of(span.SpanContext())
		}
		ctx = context.WithValue(ctx, traceKey{}, trace)
		r = r.WithContext(ctx)
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		watched := &watcher{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(watched, r)

		elapsed := time.Since(started)
		if span != nil {
			_, route, _ := strings.Cut(r.Pattern, " ")
			traces.Answered(span, r.Method, route, watched.status)
		}
		method, route := known(r)
		requests.WithLabelValues(method, route, strconv.Itoa(watched.status)).Inc()
		seconds.WithLabelValues(method, route).Observe(elapsed.Seconds())
		slog.InfoContext(ctx, "request",
			"method", method, "route", route, "status", watched.status,
			"ms", float64(elapsed.Microseconds())/1000,
			"tenant_id", who.TenantID, "principal", who.Actor())
	})
}

// OfRequests is the handler of a log whose lines say which request they belong to, and where that stands in a trace,
// wherever they are given its context.
func OfRequests(handler slog.Handler) slog.Handler { return ofRequests{handler} }

type ofRequests struct{ slog.Handler }

func (h ofRequests) Handle(ctx context.Context, record slog.Record) error {
	if id := db.RequestID(ctx); id != "" {
		trace := TraceOf(ctx)
		record.AddAttrs(
			slog.String("request_id", id), slog.String("trace_id", trace.TraceID), slog.String("span_id", trace.SpanID))
	}
	return h.Handler.Handle(ctx, record)
}

func (h ofRequests) WithAttrs(attributes []slog.Attr) slog.Handler {
	return ofRequests{h.Handler.WithAttrs(attributes)}
}

func (h ofRequests) WithGroup(name string) slog.Handler { return ofRequests{h.Handler.WithGroup(name)} }

// known has a bound on its values, whatever callers send: it labels metrics.
func known(r *http.Request) (method, route string) {
	_, route, matched := strings.Cut(r.Pattern, " ")
	if !matched {
		return "other", "unmatched"
	}
	return r.Method, route
}

func newRequestID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return ""
	}
	return id.String()
}

type callerKey struct{}

type caller struct{ access.Principal }

// note tells the log who calls.
func note(ctx context.Context, principal access.Principal) {
	if who, okay := ctx.Value(callerKey{}).(*caller); okay {
		who.Principal = principal
	}
}

type watcher struct {
	http.ResponseWriter
	status int
}

func (w *watcher) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach what is below.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }
