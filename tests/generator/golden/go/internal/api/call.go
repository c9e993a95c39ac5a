// Package api is HTTP around the resources: calls, answers, lists, and what is refused before anything runs.
package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode/utf8"

	"acme-works/internal/access"
	"acme-works/internal/auth"
	"acme-works/internal/db"
	"acme-works/internal/problem"
	"acme-works/internal/wire"
)

// Call is one request: who makes it, and what it says.
type Call struct {
	*http.Request
	Caller access.Principal
	Body   *wire.Body
	raw    []byte
}

// Endpoint answers a call. It may run again when the database chose it as the victim of a deadlock.
type Endpoint func(call *Call) (*Reply, error)

// Route is an endpoint with its place, such as "GET /v1/things/{id}".
type Route struct {
	Pattern  string
	Endpoint Endpoint
}

const mostRetries = 3

// Handler runs endpoints.
type Handler struct {
	Verifier     *auth.Verifier
	Limiter      *Limiter
	MaxBodyBytes int64
}

// Handle reads the body, finds out who calls, runs the endpoint and answers.
func (h Handler) Handle(endpoint Endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply, err := h.answer(w, r, endpoint)
		if err != nil {
			problem.Write(w, r, db.RequestID(r.Context()), db.Problem(r.Context(), err, r.Method == http.MethodDelete))
			return
		}
		if reply.stream != nil {
			h.stream(w, r, reply)
			return
		}
		reply.write(w)
	})
}

func (h Handler) answer(w http.ResponseWriter, r *http.Request, endpoint Endpoint) (reply *Reply, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			slog.ErrorContext(r.Context(), "panic", "fault", fault, "stack", string(debug.Stack()))
			err = problem.Internal()
		}
	}()
	raw, err := h.body(w, r)
	if err != nil {
		return nil, err
	}
	caller, err := h.Verifier.Authenticate(r)
	if err != nil {
		// Guesses are counted as well.
		if problem.Of(err).Status < http.StatusInternalServerError {
			err = cmp.Or(h.Limiter.Take("refused "+network(r), w.Header()), err)
		}
		return nil, err
	}
	note(r.Context(), caller)
	if err := h.Limiter.Take(limited(caller, r), w.Header()); err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		reply, err = endpoint(&Call{Request: r, Caller: caller, Body: wire.NewBody(raw), raw: raw})
		if attempt == mostRetries || !db.IsLostRace(err) {
			return reply, err
		}
	}
}

func (h Handler) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPatch && r.Method != http.MethodPut {
		return nil, nil
	}
	tooLarge := problem.New(http.StatusRequestEntityTooLarge, "content_too_large",
		"A body has at most "+strconv.FormatInt(h.MaxBodyBytes, 10)+" bytes.")
	if r.ContentLength > h.MaxBodyBytes {
		return nil, tooLarge
	}
	if r.ContentLength != 0 {
		media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if media != "application/json" && media != "application/merge-patch+json" {
			return nil, problem.New(
				http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as application/json.")
		}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBodyBytes))
	var overrun *http.MaxBytesError
	if errors.As(err, &overrun) {
		return nil, tooLarge
	}
	if err != nil || len(raw) > 0 && (!utf8.Valid(raw) || !json.Valid(raw)) {
		return nil, problem.New(http.StatusBadRequest, "malformed_json", "The body is not valid JSON.")
	}
	return raw, nil
}

// Plain is an endpoint that takes no parameters: every one is refused.
func Plain(endpoint Endpoint) Endpoint {
	return func(call *Call) (*Reply, error) {
		if err := call.noParameters(); err != nil {
			return nil, err
		}
		return endpoint(call)
	}
}

func (c *Call) noParameters() error {
	parameters, err := c.parameters()
	if err != nil {
		return err
	}
	if len(parameters) > 0 {
		return problem.UnknownParameter(parameters[0].name)
	}
	return nil
}

// MayWrite refuses the caller who has not the permission, or may not set every field of the body.
func (c *Call) MayWrite(permission, entity string) error {
	if err := c.Caller.Require(permission); err != nil {
		return err
	}
	return c.Caller.CheckWritable(entity, c.Body.Sent())
}

// OnlyInclude reads the relations to include; every other parameter is refused.
func (c *Call) OnlyInclude() ([]string, error) {
	parameters, err := c.parameters()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, each := range parameters {
		if each.name != "include" {
			return nil, problem.UnknownParameter(each.name)
		}
		if found, err = includes(each.values); err != nil {
			return nil, problem.InvalidParameter("include", err.Error())
		}
	}
	return found, nil
}

// ID reads an id in the path.
func ID[T any](call *Call, name string, parse wire.Parser[T]) (T, error) {
	found, err := parse(call.PathValue(name))
	if err != nil {
		return found, problem.InvalidParameter(name, err.Error())
	}
	return found, nil
}

var (
	tag      = regexp.MustCompile(`(?:W/)?"(\d{1,18})"`)
	anything = []string{"", "*"}
)

// Versions are the versions that the caller will accept to change (If-Match); nil is any. Weak tags count, since
// proxies make them.
func (c *Call) Versions() []int64 {
	header := strings.TrimSpace(c.Header.Get("If-Match"))
	for _, each := range anything {
		if header == each {
			return nil
		}
	}
	found := []int64{}
	for _, match := range tag.FindAllStringSubmatch(header, -1) {
		if version, err := strconv.ParseInt(match[1], 10, 64); err == nil {
			found = append(found, version)
		}
	}
	return found
}
