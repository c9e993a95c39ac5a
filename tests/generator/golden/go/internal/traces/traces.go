// Package traces sends a span for each request and each statement to where OTEL_EXPORTER_OTLP_ENDPOINT says. The SDK
// reads the other OTEL_* variables itself: sampling, headers, limits, the name of the service.
package traces

import (
	"context"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Traces are where spans go. A service without traces has none (nil).
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Start sends spans from now on. OTEL_SERVICE_NAME wins over the service's own name.
func Start(ctx context.Context, service string) (*Traces, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	named := resource.NewSchemaless(attribute.String("service.name", service))
	told, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	all, err := resource.Merge(named, told)
	if err != nil {
		return nil, err
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(all))
	return &Traces{provider, provider.Tracer("service")}, nil
}

// Stop sends what is left.
func (t *Traces) Stop(ctx context.Context) error { return t.provider.Shutdown(ctx) }

var propagator propagation.TraceContext

// Request begins the span of a request, in the trace that the caller is in.
func (t *Traces) Request(ctx context.Context, r *http.Request) (context.Context, trace.Span) {
	return t.tracer.Start(
		propagator.Extract(ctx, propagation.HeaderCarrier(r.Header)), r.Method, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path)))
}

// Answered ends the span of a request. The route is a template such as /v1/things/{id}; empty where there is none.
func Answered(span trace.Span, method, route string, status int) {
	if route != "" {
		span.SetName(method + " " + route)
		span.SetAttributes(attribute.String("http.route", route))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Statements is what pgx tells of the statements that it runs. The values in them are never told.
func (t *Traces) Statements() pgx.QueryTracer { return statements{t.tracer} }

type statements struct{ tracer trace.Tracer }

func (s statements) start(ctx context.Context, sql string) context.Context {
	operation := "STATEMENT"
	if words := strings.Fields(sql); len(words) > 0 {
		operation = strings.ToUpper(words[0])
	}
	ctx, _ = s.tracer.Start(ctx, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", "postgresql"),
		attribute.String("db.operation.name", operation),
		attribute.String("db.query.text", sql)))
	return ctx
}

func end(ctx context.Context, err error) {
	span := trace.SpanFromContext(ctx)
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

func (s statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return s.start(ctx, data.SQL)
}

func (s statements) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	end(ctx, data.Err)
}

// TraceBatchStart: a batch is one statement, after the settings that it needs.
func (s statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	queued := data.Batch.QueuedQueries
	if len(queued) == 0 {
		return s.start(ctx, "")
	}
	return s.start(ctx, queued[len(queued)-1].SQL)
}

// TraceBatchQuery is of no interest: the batch has a span.
func (statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (s statements) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	end(ctx, data.Err)
}
