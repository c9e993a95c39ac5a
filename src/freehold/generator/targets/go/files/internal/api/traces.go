package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// Trace is where a request stands in a trace over several services (W3C Trace Context).
type Trace struct {
	TraceID string
	SpanID  string
	Flags   string
}

// String is the `traceparent` to send along with requests to other services.
func (t Trace) String() string { return "00-" + t.TraceID + "-" + t.SpanID + "-" + t.Flags }

var traceparent = regexp.MustCompile(`^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$`)

type traceKey struct{}

// TraceOf is the trace of the request that the context belongs to.
func TraceOf(ctx context.Context) Trace {
	found, _ := ctx.Value(traceKey{}).(Trace)
	return found
}

// traced is the caller's trace, with a span of our own; a new one when it sent none that is well formed.
func traced(r *http.Request) Trace {
	span := randomHex(8)
	found := traceparent.FindStringSubmatch(r.Header.Get("Traceparent"))
	if found != nil && strings.Trim(found[1], "0") != "" && strings.Trim(found[2], "0") != "" {
		return Trace{found[1], span, found[3]}
	}
	return Trace{randomHex(16), span, "00"}
}

func of(span trace.SpanContext) Trace {
	return Trace{span.TraceID().String(), span.SpanID().String(), span.TraceFlags().String()}
}

func randomHex(size int) string {
	found := make([]byte, size)
	// It never fails: see crypto/rand.
	_, _ = rand.Read(found)
	return hex.EncodeToString(found)
}
