package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Reply is an answer that is ready to be sent.
type Reply struct {
	status int
	header map[string]string
	body   []byte
	stream func(begin func() io.Writer) error
}

func (r *Reply) write(w http.ResponseWriter) {
	for name, value := range r.header {
		w.Header().Set(name, value)
	}
	if len(r.body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	// The caller may have gone: there is nobody left to tell.
	_, _ = w.Write(r.body)
}

// NoContent says that it is done.
func NoContent() *Reply { return &Reply{status: http.StatusNoContent} }

// Row is one row without the fields that the caller may not see; 304 if it has this version already.
func (c *Call) Row(entity string, row any, version *int64) (*Reply, error) {
	reply := &Reply{status: http.StatusOK, header: map[string]string{"Cache-Control": "private, no-cache"}}
	if version != nil {
		etag := fmt.Sprintf(`"%d"`, *version)
		reply.header["ETag"] = etag
		known := tag.FindAllString(c.Header.Get("If-None-Match"), -1)
		isKnown := func(each string) bool { return strings.TrimPrefix(each, "W/") == etag }
		if (c.Method == http.MethodGet || c.Method == http.MethodHead) && slices.ContainsFunc(known, isKnown) {
			reply.status = http.StatusNotModified
			return reply, nil
		}
	}
	body, err := encode(row, c.Caller.Hidden(entity))
	reply.header["Content-Type"] = "application/json"
	reply.body = body
	return reply, err
}

// Created is a new row, and where it is.
func (c *Call) Created(entity string, row any, id any, version *int64) (*Reply, error) {
	reply, err := c.Row(entity, row, version)
	reply.status = http.StatusCreated
	reply.header["Location"] = fmt.Sprintf("%s/%v", c.URL.Path, id)
	return reply, err
}

// Included is one row with its relations. There is no ETag, since those have versions of their own.
func Included(row json.RawMessage) *Reply {
	return &Reply{status: http.StatusOK, body: row, header: map[string]string{
		"Cache-Control": "private, no-cache", "Content-Type": "application/json",
	}}
}

// Rows are the rows of a batch, in the order of its items.
func Rows[Row any](call *Call, entity string, status int, rows []Row) (*Reply, error) {
	data, err := shown(rows, call.Caller.Hidden(entity))
	if err != nil {
		return nil, err
	}
	body, err := encode(struct {
		Data any `json:"data"`
	}{data}, nil)
	return &Reply{status: status, body: body, header: map[string]string{
		"Cache-Control": "private, no-cache", "Content-Type": "application/json",
	}}, err
}

// encode writes the row as JSON, without the hidden fields.
func encode(row any, hidden []string) ([]byte, error) {
	var written bytes.Buffer
	encoder := json.NewEncoder(&written)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(row); err != nil {
		return nil, err
	}
	whole := bytes.TrimSpace(written.Bytes())
	if len(hidden) == 0 {
		return whole, nil
	}
	return without(whole, hidden)
}

// member is a name and a value of an object.
type member struct {
	name  string
	value json.RawMessage
}

// members are those of an object, in their order.
func members(object []byte) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var found []member
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		found = append(found, member{fmt.Sprint(name), value})
	}
	return found, nil
}

// object is the members without those that are hidden.
func object(members []member, hidden []string) json.RawMessage {
	found := []byte{'{'}
	for _, each := range members {
		if slices.Contains(hidden, each.name) {
			continue
		}
		if len(found) > 1 {
			found = append(found, ',')
		}
		found = fmt.Appendf(found, "%q:%s", each.name, each.value)
	}
	return append(found, '}')
}

func without(whole []byte, hidden []string) ([]byte, error) {
	found, err := members(whole)
	return object(found, hidden), err
}
