package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"service/internal/db"
	"service/internal/problem"
	"service/internal/wire"
)

// MostExported bounds the rows of a CSV.
const MostExported = 100_000

const partTimeout = time.Minute

var notWithCSV = []string{"limit", "cursor", "offset", "count", "include"}

// WantsCSV tells whether CSV is the first media type of Accept that a list can be. Pages and relations are refused then.
func (c *Call) WantsCSV() (bool, error) {
	first := ""
	for each := range strings.SplitSeq(strings.ToLower(c.Header.Get("Accept")), ",") {
		media, _, _ := strings.Cut(each, ";")
		media = strings.TrimSpace(media)
		if slices.Contains([]string{"application/json", "text/csv", "*/*"}, media) {
			first = media
			break
		}
	}
	if first != "text/csv" {
		return false, nil
	}
	parameters, err := c.parameters()
	if err != nil {
		return false, err
	}
	for _, name := range notWithCSV {
		if slices.ContainsFunc(parameters, func(each parameter) bool { return each.name == name }) {
			return false, problem.InvalidParameter(name, "not with text/csv, which holds every row")
		}
	}
	return true, nil
}

// Table is what a CSV is told of a resource.
type Table struct {
	Name string
	// Texts are fields that people write, and that a spreadsheet might take for formulas.
	Texts []string
}

// ReplyCSV sends the rows as they are read. What fails before the first of them is an ordinary refusal.
func ReplyCSV[Row any](
	call *Call, entity string, table Table, database *db.DB, query *Query[Row],
	export func(ctx context.Context, tx *db.Tx, query *Query[Row], take func(rows []Row) error) error,
) (*Reply, error) {
	fields, err := fieldsOf[Row]()
	if err != nil {
		return nil, err
	}
	shown := slices.DeleteFunc(fields, func(field string) bool { return call.Caller.Hides(entity, field) })
	return &Reply{
		status: http.StatusOK,
		header: map[string]string{
			"Cache-Control":       "private, no-cache",
			"Content-Type":        "text/csv; charset=utf-8",
			"Content-Disposition": `attachment; filename="` + table.Name + `.csv"`,
		},
		stream: func(begin func() io.Writer) error {
			var to io.Writer
			return database.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
				return export(call.Context(), tx, query, func(rows []Row) error {
					var part bytes.Buffer
					if to == nil {
						to = begin()
						line(&part, shown)
					}
					for place := range rows {
						cells, err := cellsOf(&rows[place], shown, table.Texts)
						if err != nil {
							return err
						}
						line(&part, cells)
					}
					_, err := to.Write(part.Bytes())
					return err
				})
			})
		},
	}, nil
}

// fieldsOf are the fields that a row is written with, in their order.
func fieldsOf[Row any]() ([]string, error) {
	encoded, err := encode(new(Row), nil)
	if err != nil {
		return nil, err
	}
	written, err := members(encoded)
	found := make([]string, len(written))
	for place, each := range written {
		found[place] = each.name
	}
	return found, err
}

func cellsOf(row any, shown, texts []string) ([]string, error) {
	encoded, err := encode(row, nil)
	if err != nil {
		return nil, err
	}
	found, err := members(encoded)
	if err != nil {
		return nil, err
	}
	cells := make([]string, len(shown))
	for _, each := range found {
		if place := slices.Index(shown, each.name); place >= 0 {
			cells[place] = cell(each.value, slices.Contains(texts, each.name))
		}
	}
	return cells, nil
}

func cell(value json.RawMessage, isText bool) string {
	if string(value) == "null" {
		return ""
	}
	text, fault := wire.Quoted(wire.ParseText)(value)
	if fault != nil {
		return string(value)
	}
	if isText && text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// line writes a line of RFC 4180. The writer of encoding/csv would change line breaks within a cell.
func line(to *bytes.Buffer, cells []string) {
	for place, each := range cells {
		if place > 0 {
			to.WriteByte(',')
		}
		if strings.ContainsAny(each, ",\"\r\n") || len(cells) == 1 && each == "" {
			each = `"` + strings.ReplaceAll(each, `"`, `""`) + `"`
		}
		to.WriteString(each)
	}
	to.WriteString("\r\n")
}

// stream answers part by part. Once it has begun, a failure can only break the connection off.
func (h Handler) stream(w http.ResponseWriter, r *http.Request, reply *Reply) {
	begun := false
	err := reply.stream(func() io.Writer {
		begun = true
		for name, value := range reply.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(reply.status)
		return &patient{w, http.NewResponseController(w)}
	})
	if err == nil {
		return
	}
	refusal := db.Problem(r.Context(), err, false)
	if begun {
		slog.ErrorContext(r.Context(), "an export broke off", "error", err)
		panic(http.ErrAbortHandler)
	}
	problem.Write(w, r, db.RequestID(r.Context()), refusal)
}

// patient gives each part the time that otherwise a whole answer has.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (p *patient) Write(part []byte) (int, error) {
	// Writers of tests have no deadlines.
	_ = p.control.SetWriteDeadline(time.Now().Add(partTimeout))
	return p.ResponseWriter.Write(part)
}
