// Package problem is every refusal of this API: one shape, application/problem+json (RFC 9457).
package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

var titles = map[int]string{
	http.StatusBadRequest:            "Bad request",
	http.StatusUnauthorized:          "Not authenticated",
	http.StatusForbidden:             "Not allowed",
	http.StatusNotFound:              "Not found",
	http.StatusMethodNotAllowed:      "Method not allowed",
	http.StatusConflict:              "Conflict",
	http.StatusPreconditionFailed:    "Precondition failed",
	http.StatusRequestEntityTooLarge: "Content too large",
	http.StatusUnsupportedMediaType:  "Unsupported media type",
	http.StatusUnprocessableEntity:   "Invalid content",
	http.StatusTooManyRequests:       "Too many requests",
	http.StatusInternalServerError:   "Internal error",
	http.StatusServiceUnavailable:    "Unavailable",
}

// Problem is a refusal: return it as an error from anywhere, and the caller gets it.
type Problem struct {
	Status int
	Code   string
	Detail string
	Faults []Fault
	Header map[string]string
}

func (p *Problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// Fault is one thing that is wrong with a request: a place in the body, or a parameter.
type Fault struct {
	Pointer   string
	Parameter string
	Code      string
	Message   string
}

// MarshalJSON names the parameter, or else the place in the body; the empty pointer is the whole of it.
func (f Fault) MarshalJSON() ([]byte, error) {
	if f.Parameter != "" {
		return json.Marshal(struct {
			Parameter string `json:"parameter"`
			Code      string `json:"code"`
			Message   string `json:"message"`
		}{f.Parameter, f.Code, f.Message})
	}
	return json.Marshal(struct {
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}{f.Pointer, f.Code, f.Message})
}

// Pointer is the JSON Pointer (RFC 6901) to a place in the body.
func Pointer(parts ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var found strings.Builder
	for _, part := range parts {
		found.WriteString("/" + escape.Replace(part))
	}
	return found.String()
}

// New is a refusal without further particulars.
func New(status int, code, detail string) *Problem {
	return &Problem{Status: status, Code: code, Detail: detail}
}

// NotFound: absent, another tenant's, deleted or not readable. The caller cannot tell which.
func NotFound() *Problem {
	return New(http.StatusNotFound, "not_found", "There is no such row.")
}

// Forbidden refuses a caller whose roles do not allow what it asks for.
func Forbidden() *Problem {
	return New(http.StatusForbidden, "forbidden", "Your role does not allow this.")
}

// Unauthenticated refuses a caller whose credential is missing or no good.
func Unauthenticated(detail, reason string) *Problem {
	refusal := New(http.StatusUnauthorized, "unauthenticated", detail)
	refusal.Header = map[string]string{"WWW-Authenticate": fmt.Sprintf("Bearer error=%q", reason)}
	return refusal
}

// UnknownReference: a body refers to rows that are not there, or that the caller may not read. It cannot tell which.
func UnknownReference(pointers ...string) *Problem {
	refusal := New(http.StatusUnprocessableEntity, "unknown_reference", "A reference points at nothing.")
	for _, pointer := range pointers {
		refusal.Faults = append(refusal.Faults, Fault{Pointer: pointer, Code: "unknown_reference", Message: "no such row"})
	}
	return refusal
}

// Taken: another row, which the caller need not be able to see, has values that have to be unique.
func Taken(fields ...string) *Problem {
	return about(New(http.StatusConflict, "unique_violation", "Another row has the same value."),
		fields, "taken", "is taken already")
}

// NotAllowed: a value is one that the database does not take.
func NotAllowed(fields ...string) *Problem {
	return about(New(http.StatusUnprocessableEntity, "check_violation", "A value is not allowed."),
		fields, "check_violation", "is not allowed")
}

func about(refusal *Problem, fields []string, code, message string) *Problem {
	for _, field := range fields {
		refusal.Faults = append(refusal.Faults, Fault{Pointer: Pointer(field), Code: code, Message: message})
	}
	return refusal
}

// VersionConflict: someone else changed the row first. The answer carries the current ETag.
func VersionConflict(version int64) *Problem {
	detail := fmt.Sprintf("The row has changed: it is at version %d now.", version)
	refusal := New(http.StatusPreconditionFailed, "version_conflict", detail)
	refusal.Header = map[string]string{"ETag": fmt.Sprintf(`"%d"`, version)}
	return refusal
}

// NotChanged is why a row that can be read was not changed: it has another version than those that the caller has seen,
// or the caller may not.
func NotChanged(version int64, seen []int64) *Problem {
	if seen != nil && !slices.Contains(seen, version) {
		return VersionConflict(version)
	}
	return Forbidden()
}

// InvalidParameter refuses a parameter of the path or the query string.
func InvalidParameter(name, message string) *Problem {
	return parameter(name, "invalid_parameter", message)
}

// UnknownParameter refuses a parameter that there is none of, since ignoring it would answer another question.
func UnknownParameter(name string) *Problem {
	return parameter(name, "unknown_parameter", "there is no such parameter")
}

func parameter(name, code, message string) *Problem {
	refusal := New(http.StatusBadRequest, code, fmt.Sprintf("Parameter %s: %s.", name, message))
	refusal.Faults = []Fault{{Parameter: name, Code: code, Message: message}}
	return refusal
}

// MostFaults bounds how many mistakes of a body are told at once.
const MostFaults = 50

// InvalidBody refuses a body, and points at each field that is wrong.
func InvalidBody(faults []Fault) *Problem {
	faults = faults[:min(len(faults), MostFaults)]
	detail := fmt.Sprintf("%d fields are invalid.", len(faults))
	if len(faults) == 1 {
		detail = "1 field is invalid."
	}
	refusal := New(http.StatusUnprocessableEntity, "validation_failed", detail)
	refusal.Faults = faults
	return refusal
}

// Unavailable asks the caller to come back.
func Unavailable() *Problem {
	refusal := New(http.StatusServiceUnavailable, "unavailable", "Try again in a moment.")
	refusal.Header = map[string]string{"Retry-After": "1"}
	return refusal
}

// Internal is a mistake of this service. What it was is in the logs and nowhere else.
func Internal() *Problem {
	return New(http.StatusInternalServerError, "internal", "Something went wrong on our side.")
}

// Of is the problem that the error is, or Internal.
func Of(err error) *Problem {
	var found *Problem
	if errors.As(err, &found) {
		return found
	}
	return Internal()
}

// Write answers the request with the problem.
func Write(w http.ResponseWriter, r *http.Request, requestID string, p *Problem) {
	faults := p.Faults
	if faults == nil {
		faults = []Fault{}
	}
	title, known := titles[p.Status]
	if !known {
		title = "Error"
	}
	body, err := json.Marshal(struct {
		Type      string  `json:"type"`
		Title     string  `json:"title"`
		Status    int     `json:"status"`
		Code      string  `json:"code"`
		Detail    string  `json:"detail"`
		Instance  string  `json:"instance"`
		RequestID string  `json:"request_id"`
		Errors    []Fault `json:"errors"`
	}{"urn:problem:" + p.Code, title, p.Status, p.Code, p.Detail, r.URL.Path, requestID, faults})
	if err != nil {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	for name, value := range p.Header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	// The caller may have gone: there is nobody left to tell.
	_, _ = w.Write(body)
}
