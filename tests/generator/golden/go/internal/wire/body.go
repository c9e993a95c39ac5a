// Package wire reads values from bodies and query strings, and writes them as openapi.json promises.
package wire

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"acme-works/internal/problem"
)

// Fault is what is wrong with one value; At is the place within it, such as ["0"].
type Fault struct {
	Code    string
	Message string
	At      []string
}

// Reader reads one value from JSON.
type Reader[T any] func(raw json.RawMessage) (T, *Fault)

// Body is a JSON object that is read field by field. It collects every mistake, so that all are told at once.
type Body struct {
	at     []string
	values map[string]json.RawMessage
	known  map[string]bool
	sent   []string
	faults []problem.Fault
}

// NewBody takes well-formed JSON; nothing at all, or anything but an object, is one fault.
func NewBody(raw []byte) *Body { return bodyAt(nil, raw) }

func bodyAt(at []string, raw []byte) *Body {
	body := &Body{at: at, known: map[string]bool{}}
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		body.fail(at, "required", "a body is needed")
	case json.Unmarshal(raw, &body.values) != nil || body.values == nil:
		body.fail(at, "invalid", "should be an object")
	}
	return body
}

// Sent are the fields that the body had, in the order of the schema.
func (b *Body) Sent() []string { return b.sent }

// Again reads the same fields for another purpose; what is wrong with them is told by the first reading.
func (b *Body) Again() *Body { return &Body{values: b.values, known: map[string]bool{}} }

// Refusal is nil if every field was right and there were no others.
func (b *Body) Refusal() error {
	b.refuseOthers()
	if len(b.faults) > 0 {
		return problem.InvalidBody(b.faults)
	}
	return nil
}

func (b *Body) refuseOthers() {
	for _, name := range slices.Sorted(maps.Keys(b.values)) {
		if !b.known[name] {
			b.fail(append(slices.Clone(b.at), name), "unknown_field", "there is no such field to set")
		}
	}
}

func (b *Body) fail(at []string, code, message string) {
	b.faults = append(b.faults, problem.Fault{Pointer: problem.Pointer(at...), Code: code, Message: message})
}

// Read reads a whole body. An error names every field that is wrong.
func Read[T any](body *Body, read func(body *Body) T) (T, error) {
	found := read(body)
	return found, body.Refusal()
}

// Item is one of many in a body, and the fields that it had.
type Item[T any] struct {
	Value T
	Sent  []string
}

// Items reads an array of objects, of which there has to be one at least.
func Items[T any](body *Body, name string, most int, read func(item *Body) T) []Item[T] {
	raws := Required(body, name, listOf(func(raw json.RawMessage) (json.RawMessage, *Fault) { return raw, nil }, 1, most))
	found := make([]Item[T], len(raws))
	for place, raw := range raws {
		item := bodyAt(append(slices.Clone(body.at), name, strconv.Itoa(place)), raw)
		found[place].Value = read(item)
		found[place].Sent = item.sent
		item.refuseOthers()
		body.faults = append(body.faults, item.faults...)
	}
	return found
}

// Required reads a field that has to be there, and not null.
func Required[T any](body *Body, name string, read Reader[T]) T {
	raw, sent := body.take(name)
	if !sent && body.values != nil {
		body.refuse(name, &Fault{Code: "required", Message: "is required"})
	}
	return value(body, name, raw, sent, read)
}

// Default reads a field that may be absent, but not null.
func Default[T any](body *Body, name string, read Reader[T], fallback T) T {
	raw, sent := body.take(name)
	if !sent {
		return fallback
	}
	return value(body, name, raw, sent, read)
}

// Nullable reads a field that may be absent or null: nil is both.
func Nullable[T any](body *Body, name string, read Reader[T]) *T {
	raw, sent := body.take(name)
	if !sent || isNull(raw) {
		return nil
	}
	found := value(body, name, raw, sent, read)
	return &found
}

// NullableDefault reads a field that may be null, and has a value when it is absent.
func NullableDefault[T any](body *Body, name string, read Reader[T], fallback T) *T {
	if _, sent := body.values[name]; !sent {
		body.take(name)
		return &fallback
	}
	return Nullable(body, name, read)
}

// Opt is a field of which absent, null and a value mean three things.
type Opt[T any] struct {
	Set   bool
	Null  bool
	Value T
}

// Any is what a statement binds: nil for null.
func (o Opt[T]) Any() any {
	if o.Null {
		return nil
	}
	return o.Value
}

// Or is what a statement binds for a field that has another value when it is absent.
func (o Opt[T]) Or(other any) any {
	if !o.Set {
		return other
	}
	return o.Any()
}

// Patched reads a field of a merge patch that may not become null.
func Patched[T any](body *Body, name string, read Reader[T]) Opt[T] {
	raw, sent := body.take(name)
	return Opt[T]{Set: sent, Value: value(body, name, raw, sent, read)}
}

// Cleared reads a field of a merge patch that null clears.
func Cleared[T any](body *Body, name string, read Reader[T]) Opt[T] {
	raw, sent := body.take(name)
	if sent && isNull(raw) {
		return Opt[T]{Set: true, Null: true}
	}
	return Opt[T]{Set: sent, Value: value(body, name, raw, sent, read)}
}

func (b *Body) take(name string) (json.RawMessage, bool) {
	b.known[name] = true
	raw, sent := b.values[name]
	if sent {
		b.sent = append(b.sent, name)
	}
	return raw, sent
}

func (b *Body) refuse(name string, fault *Fault) {
	b.fail(slices.Concat(b.at, []string{name}, fault.At), fault.Code, fault.Message)
}

func value[T any](body *Body, name string, raw json.RawMessage, sent bool, read Reader[T]) T {
	var found T
	if !sent {
		return found
	}
	if isNull(raw) {
		body.refuse(name, &Fault{Code: "invalid", Message: "may not be null"})
		return found
	}
	found, fault := read(raw)
	if fault != nil {
		body.refuse(name, fault)
	}
	return found
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }
