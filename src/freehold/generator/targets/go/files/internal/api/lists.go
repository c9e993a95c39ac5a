package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"service/internal/access"
	"service/internal/db"
	"service/internal/problem"
	"service/internal/wire"
)

const (
	defaultLimit = 25
	mostRows     = 100
	mostOffset   = 10_000
	mostSorts    = 3
	mostValues   = 100
	mostCursor   = 2000
	mostWords    = 200
	mostIncludes = 5
)

// List is how a resource can be filtered and sorted.
type List[Row any] struct {
	// Sorts are what it can be sorted by, the id among them.
	Sorts   []SortKey[Row]
	Filters []Filter
	// Deleted tells whether deleted rows can be asked for.
	Deleted bool
	// Searched are the fields that `q` looks into.
	Searched []string
}

// Filter is a parameter that leaves only some rows.
type Filter struct {
	parameter string
	repeats   bool
	condition func(values []string) (*condition, error)
}

// condition has its SQL around the placeholder of its value; without a value, the SQL is all.
type condition struct {
	parameter string
	before    string
	after     string
	value     any
}

// FilterBy are the filters of a field: `=` has its name, and the other operators follow that after a dot.
func FilterBy[T any](field, column string, parse wire.Parser[T], operators ...string) []Filter {
	return filters(field, column, true, parse, operators)
}

// FilterText are those of a field whose values can have commas in them.
func FilterText[T any](field, column string, parse wire.Parser[T], operators ...string) []Filter {
	return filters(field, column, false, parse, operators)
}

var signs = map[string]string{"ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

func filters[T any](field, column string, commas bool, parse wire.Parser[T], operators []string) []Filter {
	found := make([]Filter, len(operators))
	for place, operator := range operators {
		parameter := field + "." + operator
		switch operator {
		case "=":
			found[place] = compare(field, column, "=", parse)
		case "in":
			found[place] = in(parameter, column, commas, parse)
		case "contains":
			found[place] = like(parameter, column, db.Contains)
		case "starts_with":
			found[place] = like(parameter, column, db.StartsWith)
		case "is_null":
			found[place] = isNull(parameter, column)
		default:
			found[place] = compare(parameter, column, signs[operator], parse)
		}
	}
	return found
}

// compare is `column sign value`.
func compare[T any](parameter, column, sign string, parse wire.Parser[T]) Filter {
	return Filter{parameter: parameter, condition: func(values []string) (*condition, error) {
		found, err := parse(values[0])
		return &condition{before: column + " " + sign + " ", value: found}, err
	}}
}

// in is one of several values: the parameter is repeated or, where commas cannot be part of a value, has them.
func in[T any](parameter, column string, commas bool, parse wire.Parser[T]) Filter {
	return Filter{parameter: parameter, repeats: true, condition: func(values []string) (*condition, error) {
		if commas {
			values = strings.Split(strings.Join(values, ","), ",")
		}
		if len(values) > mostValues {
			return nil, fmt.Errorf("at most %d values", mostValues)
		}
		found := make([]T, len(values))
		for place, each := range values {
			var err error
			if found[place], err = parse(each); err != nil {
				return nil, err
			}
		}
		return &condition{before: column + " = any(", value: found, after: ")"}, nil
	}}
}

// like finds texts by a part of them, whatever the case.
func like(parameter, column string, pattern func(string) string) Filter {
	return Filter{parameter: parameter, condition: func(values []string) (*condition, error) {
		found, err := wire.ParseText(values[0])
		return &condition{before: column + " ilike ", value: pattern(found)}, err
	}}
}

// isNull is `column is null`, or with false that it is not.
func isNull(parameter, column string) Filter {
	return Filter{parameter: parameter, condition: func(values []string) (*condition, error) {
		null, err := wire.ParseBool(values[0])
		if null {
			return &condition{before: column + " is null"}, err
		}
		return &condition{before: column + " is not null"}, err
	}}
}

// SortKey is a field to sort by.
type SortKey[Row any] struct {
	name     string
	column   string
	nullable bool
	of       func(row *Row) *string
	parse    func(text string) (any, error)
}

// By sorts by a column that is never null.
func By[Row, T any](name, column string, parse wire.Parser[T], of func(row *Row) T) SortKey[Row] {
	return SortKey[Row]{
		name: name, column: column, parse: untyped(parse),
		of: func(row *Row) *string { return spelled(of(row)) },
	}
}

// ByNullable sorts by a column in which nulls come last.
func ByNullable[Row, T any](name, column string, parse wire.Parser[T], of func(row *Row) *T) SortKey[Row] {
	return SortKey[Row]{
		name: name, column: column, parse: untyped(parse), nullable: true,
		of: func(row *Row) *string {
			if value := of(row); value != nil {
				return spelled(*value)
			}
			return nil
		},
	}
}

func untyped[T any](parse wire.Parser[T]) func(string) (any, error) {
	return func(text string) (any, error) { return parse(text) }
}

func spelled(value any) *string {
	text := fmt.Sprint(value)
	if number, isFloat := value.(float64); isFloat {
		text = strconv.FormatFloat(number, 'g', -1, 64)
	}
	return &text
}

// Query is what a caller asks of a list.
type Query[Row any] struct {
	Limit   int
	Offset  int
	Count   bool
	Deleted string
	Words   *string
	Include []string

	searched    []string
	conditions  []condition
	order       []ordered[Row]
	after       []any
	fingerprint string
}

type ordered[Row any] struct {
	SortKey[Row]
	descends bool
}

type parameter struct {
	name   string
	values []string
}

// parameters are those of the query string, each with its values, in the order in which they came.
func (c *Call) parameters() ([]parameter, error) {
	var found []parameter
	for part := range strings.SplitSeq(c.URL.RawQuery, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, problem.InvalidParameter("query", "is not encoded as a query string should be")
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, problem.InvalidParameter(name, "is not encoded as a query string should be")
		}
		place := slices.IndexFunc(found, func(each parameter) bool { return each.name == name })
		if place < 0 {
			found = append(found, parameter{name: name, values: []string{value}})
		} else {
			found[place].values = append(found[place].values, value)
		}
	}
	return found, nil
}

// Parse reads the query string. Anything unknown, given twice or out of range is refused by name.
func (l *List[Row]) Parse(call *Call) (*Query[Row], error) {
	parameters, err := call.parameters()
	if err != nil {
		return nil, err
	}
	query := &Query[Row]{Limit: defaultLimit, Deleted: "exclude", searched: l.Searched}
	var sorts []string
	var cursor, offset *string
	for _, each := range parameters {
		text := each.values[0]
		var err error
		switch {
		case each.name == "limit":
			query.Limit, err = whole(text, 1, mostRows)
		case each.name == "offset":
			offset = &text
			query.Offset, err = whole(text, 0, mostOffset)
		case each.name == "cursor":
			cursor = &text
		case each.name == "count":
			query.Count = text == "exact"
			err = oneOf(text, "none", "exact")
		case each.name == "sort":
			sorts = each.values
		case each.name == "include":
			query.Include, err = includes(each.values)
		case each.name == "q" && l.Searched != nil:
			query.Words = &text
			err = words(text)
		case each.name == "deleted" && l.Deleted:
			query.Deleted = text
			err = oneOf(text, "exclude", "include", "only")
		default:
			err = l.filter(query, each)
		}
		if err == nil && len(each.values) > 1 && !l.repeats(each.name) {
			err = errors.New("given more than once")
		}
		if err != nil {
			return nil, refusal(each.name, err)
		}
	}
	if err := l.sort(query, sorts); err != nil {
		return nil, err
	}
	query.fingerprint = query.digest()
	if cursor == nil {
		return query, nil
	}
	if offset != nil {
		return nil, problem.InvalidParameter("offset", "not together with cursor")
	}
	return query, query.read(*cursor)
}

func refusal(name string, err error) error {
	var known *problem.Problem
	if errors.As(err, &known) {
		return known
	}
	return problem.InvalidParameter(name, err.Error())
}

func (l *List[Row]) find(name string) *Filter {
	for place := range l.Filters {
		if l.Filters[place].parameter == name {
			return &l.Filters[place]
		}
	}
	return nil
}

func (l *List[Row]) repeats(name string) bool {
	found := l.find(name)
	return name == "sort" || name == "include" || found != nil && found.repeats
}

func (l *List[Row]) filter(query *Query[Row], asked parameter) error {
	known := l.find(asked.name)
	if known == nil {
		return problem.UnknownParameter(asked.name)
	}
	found, err := known.condition(asked.values)
	if err != nil {
		return err
	}
	found.parameter = asked.name
	query.conditions = append(query.conditions, *found)
	return nil
}

func (l *List[Row]) sort(query *Query[Row], sorts []string) error {
	if len(sorts) > mostSorts {
		return problem.InvalidParameter("sort", fmt.Sprintf("at most %d", mostSorts))
	}
	for _, each := range sorts {
		name := strings.TrimPrefix(each, "-")
		key := l.key(name)
		if key == nil {
			return problem.InvalidParameter("sort", "there is no such field to sort by")
		}
		query.order = append(query.order, ordered[Row]{*key, name != each})
	}
	if !slices.ContainsFunc(query.order, func(key ordered[Row]) bool { return key.name == "id" }) {
		descends := len(query.order) > 0 && query.order[len(query.order)-1].descends
		query.order = append(query.order, ordered[Row]{*l.key("id"), descends})
	}
	return nil
}

func (l *List[Row]) key(name string) *SortKey[Row] {
	for place := range l.Sorts {
		if l.Sorts[place].name == name {
			return &l.Sorts[place]
		}
	}
	return nil
}

// Check refuses fields that the caller may not see: filtering or sorting by them would tell what is in them.
func (q *Query[Row]) Check(entity string, caller access.Principal) error {
	for _, each := range q.conditions {
		if field, _, _ := strings.Cut(each.parameter, "."); caller.Hides(entity, field) {
			return problem.InvalidParameter(each.parameter, "your role may not filter by it")
		}
	}
	hidden := func(field string) bool { return caller.Hides(entity, field) }
	if q.Words != nil && slices.ContainsFunc(q.searched, hidden) {
		return problem.InvalidParameter("q", "your role may not search here")
	}
	for _, each := range q.order {
		if caller.Hides(entity, each.name) {
			return problem.InvalidParameter("sort", "your role may not sort by "+each.name)
		}
	}
	return nil
}

// Filter adds the conditions to the statement.
func (q *Query[Row]) Filter(statement *db.Statement) {
	for _, each := range q.conditions {
		if each.value == nil {
			statement.Where(each.before)
			continue
		}
		statement.Where(each.before + statement.Bind(each.value) + each.after)
	}
}

// OrderBy is the order as SQL; the id makes it total.
func (q *Query[Row]) OrderBy() string {
	var keys []string
	for _, each := range q.order {
		key := each.column
		if each.descends {
			key += " desc"
		}
		if each.nullable {
			key += " nulls last"
		}
		keys = append(keys, key)
	}
	return strings.Join(keys, ", ")
}

// After leaves only the rows that come after the cursor's.
func (q *Query[Row]) After(statement *db.Statement) {
	if q.after == nil {
		return
	}
	if q.isPlain() {
		var columns, values []string
		for place, key := range q.order {
			columns = append(columns, key.column)
			values = append(values, statement.Bind(q.after[place]))
		}
		statement.Where("(" + strings.Join(columns, ", ") + ") " + q.order[0].beyond() +
			" (" + strings.Join(values, ", ") + ")")
		return
	}
	var ways, equal []string
	for place, key := range q.order {
		if q.after[place] == nil { // nulls come last, so that nothing comes after them
			equal = append(equal, key.column+" is null")
			continue
		}
		bound := statement.Bind(q.after[place])
		beyond := key.column + " " + key.beyond() + " " + bound
		if key.nullable {
			beyond = "(" + beyond + " or " + key.column + " is null)"
		}
		ways = append(ways, strings.Join(append(slices.Clone(equal), beyond), " and "))
		equal = append(equal, key.column+" = "+bound)
	}
	statement.Where("(" + strings.Join(ways, " or ") + ")")
}

// isPlain tells whether rows can be compared as a whole.
func (q *Query[Row]) isPlain() bool {
	for _, each := range q.order {
		if each.nullable || each.descends != q.order[0].descends {
			return false
		}
	}
	return true
}

func (o ordered[Row]) beyond() string {
	if o.descends {
		return "<"
	}
	return ">"
}

type cursor struct {
	Version     int       `json:"v"`
	Sort        string    `json:"s"`
	Key         []*string `json:"k"`
	Fingerprint string    `json:"f"`
}

func (q *Query[Row]) sorts() string {
	var found []string
	for _, each := range q.order {
		name := each.name
		if each.descends {
			name = "-" + name
		}
		found = append(found, name)
	}
	return strings.Join(found, ",")
}

func (q *Query[Row]) write(row *Row) (string, error) {
	found := cursor{Version: 1, Sort: q.sorts(), Fingerprint: q.fingerprint}
	for _, each := range q.order {
		found.Key = append(found.Key, each.of(row))
	}
	text, err := json.Marshal(found)
	return base64.RawURLEncoding.EncodeToString(text), err
}

// read takes the cursor's values. They are only ever bound as parameters, so that a forged one shows nothing new.
func (q *Query[Row]) read(text string) error {
	foreign := problem.InvalidParameter("cursor", "not one that this list gave you")
	if len(text) > mostCursor {
		return foreign
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return foreign
	}
	var found cursor
	if err := json.Unmarshal(raw, &found); err != nil || found.Version != 1 {
		return foreign
	}
	if found.Sort != q.sorts() || found.Fingerprint != q.fingerprint {
		return problem.New(
			http.StatusBadRequest, "cursor_mismatch", "The cursor belongs to another sort or filter.")
	}
	if len(found.Key) != len(q.order) {
		return foreign
	}
	for place, key := range q.order {
		var value any
		if text := found.Key[place]; text != nil {
			if value, err = key.parse(*text); err != nil {
				return foreign
			}
		} else if !key.nullable {
			return foreign
		}
		q.after = append(q.after, value)
	}
	return nil
}

// digest tells two sets of filters apart: a cursor is only good for the list that it came from.
func (q *Query[Row]) digest() string {
	var parts []string
	for _, each := range q.conditions {
		parts = append(parts, fmt.Sprintf("%q %q %q", each.parameter, each.before, fmt.Sprint(each.value)))
	}
	slices.Sort(parts)
	if q.Words != nil {
		parts = append(parts, fmt.Sprintf("q %q", *q.Words))
	}
	digest := sha256.Sum256([]byte(q.Deleted + "\n" + strings.Join(parts, "\n")))
	return hex.EncodeToString(digest[:4])
}

// Page is some rows of a list, and where the next ones begin.
type Page[Row any] struct {
	Rows  []Row
	Next  *string
	Total *int64
}

// Page cuts rows that were read with one more than the limit.
func (q *Query[Row]) Page(rows []Row, total *int64) (*Page[Row], error) {
	page := &Page[Row]{Rows: rows, Total: total}
	if len(rows) <= q.Limit {
		return page, nil
	}
	page.Rows = rows[:q.Limit]
	next, err := q.write(&page.Rows[q.Limit-1])
	page.Next = &next
	return page, err
}

// ReadPage reads the page that a list asks for, and where relations are wanted its rows with them.
func ReadPage[Row any](
	call *Call, database *db.DB, relations Relations, entity string, query *Query[Row],
	read func(ctx context.Context, tx *db.Tx, query *Query[Row]) (*Page[Row], error),
) (page *Page[Row], included []json.RawMessage, err error) {
	wanted, err := relations.Tree(call.Caller, entity, query.Include)
	if err != nil {
		return nil, nil, err
	}
	err = database.Read(call.Context(), call.Caller, func(tx *db.Tx) error {
		page, err = read(call.Context(), tx, query)
		if err == nil && wanted != nil {
			included, err = includeIn(call.Context(), tx, relations, entity, page.Rows, wanted)
		}
		return err
	})
	return page, included, err
}

// ReplyPage is a page of rows without the fields that the caller may not see, and a link to the next. The included
// ones are the same rows with their relations, if there are any.
func ReplyPage[Row any](
	call *Call, entity string, query *Query[Row], page *Page[Row], included []json.RawMessage,
) (*Reply, error) {
	var rows any = included
	if included == nil {
		var err error
		if rows, err = shown(page.Rows, call.Caller.Hidden(entity)); err != nil {
			return nil, err
		}
	}
	reply := &Reply{status: http.StatusOK, header: map[string]string{
		"Cache-Control": "private, no-cache", "Content-Type": "application/json",
	}}
	if page.Next != nil {
		parameters, err := call.parameters()
		if err != nil {
			return nil, err
		}
		var kept []string
		for _, each := range parameters {
			for _, value := range each.values {
				if each.name != "cursor" && each.name != "offset" {
					kept = append(kept, url.QueryEscape(each.name)+"="+url.QueryEscape(value))
				}
			}
		}
		kept = append(kept, "cursor="+*page.Next)
		reply.header["Link"] = fmt.Sprintf(`<%s?%s>; rel="next"`, call.URL.Path, strings.Join(kept, "&"))
	}
	var err error
	reply.body, err = encode(struct {
		Data any      `json:"data"`
		Page pageInfo `json:"page"`
	}{rows, pageInfo{query.Limit, page.Next != nil, page.Next, page.Total}}, nil)
	return reply, err
}

type pageInfo struct {
	Limit      int     `json:"limit"`
	HasMore    bool    `json:"has_more"`
	NextCursor *string `json:"next_cursor"`
	Total      *int64  `json:"total,omitempty"`
}

// shown are the rows to encode: as they are where the caller may see all of them.
func shown[Row any](rows []Row, hidden []string) (any, error) {
	if len(hidden) == 0 {
		return rows, nil
	}
	return encodeAll(rows, hidden)
}

func encodeAll[Row any](rows []Row, hidden []string) ([]json.RawMessage, error) {
	found := make([]json.RawMessage, len(rows))
	for place := range rows {
		var err error
		if found[place], err = encode(&rows[place], hidden); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func includes(paths []string) ([]string, error) {
	if len(paths) > mostIncludes {
		return nil, fmt.Errorf("at most %d relations", mostIncludes)
	}
	return paths, nil
}

func words(text string) error {
	if count := utf8.RuneCountInString(text); count < 1 || count > mostWords {
		return fmt.Errorf("should have 1 to %d characters", mostWords)
	}
	_, err := wire.ParseText(text)
	return err
}

func whole(text string, least, most int) (int, error) {
	found, err := strconv.Atoi(text)
	if err != nil || text[0] == '+' || found < least || found > most {
		return 0, fmt.Errorf("should be a whole number from %d to %d", least, most)
	}
	return found, nil
}

func oneOf(text string, choices ...string) error {
	if !slices.Contains(choices, text) {
		return fmt.Errorf("should be one of: %s", strings.Join(choices, ", "))
	}
	return nil
}
