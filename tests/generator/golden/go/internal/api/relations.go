package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"acme-works/internal/access"
	"acme-works/internal/db"
	"acme-works/internal/problem"
	"acme-works/internal/wire"
)

// MostIncluded bounds the rows that one relation may reach in one answer.
const MostIncluded = 2000

// Link is a table of links: the columns of both ends, and the one of the tenant, if it has one.
type Link struct {
	Table  string
	Here   string
	There  string
	Tenant string
}

// Relation is how to get from rows to the rows that belong to them.
type Relation struct {
	// Entity is at the other end.
	Entity string
	Many   bool
	// Key is the field of a row that is looked up.
	Key string
	// Keys reads values of that field, as a slice that can be bound.
	Keys func(texts []string) (any, error)
	// Column is compared with the keys; of links, it is the id of the other end.
	Column string
	// Only who may read GuardField of Guard may follow the relation.
	Guard      string
	GuardField string
	Load       Load
	Link       *Link
	// Lookup tells when what a body refers to is looked up.
	Lookup Lookup
	// Deleted tells whether rows that are deleted softly are reached.
	Deleted bool
}

// Load finds the rows that keys lead to and that the caller may read, each with its key.
type Load func(ctx context.Context, tx *db.Tx, relation Relation, keys any) ([]Related, error)

// One leads to at most one row of an entity: whose column is what the field key holds.
func One(
	entity string, load Load, key string, keys func(texts []string) (any, error), column, guard, guardField string,
) Relation {
	return Relation{
		Entity: entity, Load: load, Key: key, Keys: keys, Column: column, Guard: guard, GuardField: guardField,
	}
}

// Many leads to any number of them.
func Many(
	entity string, load Load, key string, keys func(texts []string) (any, error), column, guard, guardField string,
) Relation {
	found := One(entity, load, key, keys, column, guard, guardField)
	found.Many = true
	return found
}

// Linked leads there over a table of links; the tenant is empty if that has no such column.
func (r Relation) Linked(table, here, there, tenant string) Relation {
	r.Link = &Link{Table: table, Here: here, There: there, Tenant: tenant}
	return r
}

// LookedUp is looked up when a body refers to it.
func (r Relation) LookedUp(when Lookup) Relation {
	r.Lookup = when
	return r
}

// Lookup tells when what a body refers to is looked up under the caller's read rule.
type Lookup int

// Never, unless the caller may read every row at the other end, or always.
const (
	Never Lookup = iota
	UnlessAll
	Always
)

// Relations are those of each resource, by name.
type Relations map[string]map[string]Relation

// Related is a row that was reached, with the key by which it was found.
type Related struct {
	Key string
	Row json.RawMessage
}

// ScanRelated reads a key and the fields of a row, which is shown as lists show it.
func ScanRelated(from pgx.CollectableRow, row any, fields []any) (Related, error) {
	var key any
	if err := from.Scan(append([]any{&key}, fields...)...); err != nil {
		return Related{}, err
	}
	found, err := encode(row, nil)
	return Related{keyText(key), found}, err
}

// Keys reads texts as values that can be bound.
func Keys[T any](parse wire.Parser[T]) func(texts []string) (any, error) {
	return func(texts []string) (any, error) {
		found := make([]T, len(texts))
		for place, text := range texts {
			var err error
			if found[place], err = parse(text); err != nil {
				return nil, err
			}
		}
		return found, nil
	}
}

// keyText is an id as text, whatever PostgreSQL or JSON made of it.
func keyText(key any) string {
	switch key := key.(type) {
	case [16]byte:
		return uuid.UUID(key).String()
	case json.RawMessage:
		if text, fault := wire.Quoted(wire.ParseText)(key); fault == nil {
			return text
		}
		return string(key)
	}
	return fmt.Sprint(key)
}

// Branch is a relation to include, and those to include of its rows.
type Branch struct {
	name  string
	below []*Branch
}

// Tree makes a tree of paths such as owner.team. A relation that the caller may not follow is refused.
func (r Relations) Tree(caller access.Principal, entity string, paths []string) ([]*Branch, error) {
	root := &Branch{}
	for _, path := range paths {
		at, branch := entity, root
		parts := strings.Split(path, ".")
		for _, name := range parts {
			relation, known := r[at][name]
			if !known || len(parts) > 2 {
				return nil, problem.InvalidParameter("include", fmt.Sprintf("there is no relation %.100q", path))
			}
			if caller.Hides(relation.Guard, relation.GuardField) {
				return nil, problem.InvalidParameter("include", "your role may not include "+path)
			}
			if err := caller.Require(relation.Entity + ":read"); err != nil {
				return nil, err
			}
			at, branch = relation.Entity, branch.child(name)
		}
	}
	return root.below, nil
}

func (b *Branch) child(name string) *Branch {
	for _, each := range b.below {
		if each.name == name {
			return each
		}
	}
	found := &Branch{name: name}
	b.below = append(b.below, found)
	return found
}

// ReadRow reads one row, and where relations are wanted the row with them.
func ReadRow[Row any](
	call *Call, database *db.DB, relations Relations, entity string, paths []string,
	read func(tx *db.Tx) (*Row, error),
) (found *Row, included json.RawMessage, err error) {
	wanted, err := relations.Tree(call.Caller, entity, paths)
	if err != nil {
		return nil, nil, err
	}
	err = database.Read(call.Context(), call.Caller, func(tx *db.Tx) error {
		found, err = read(tx)
		if err != nil || wanted == nil {
			return err
		}
		rows, err := includeIn(call.Context(), tx, relations, entity, []Row{*found}, wanted)
		if err == nil {
			included = rows[0]
		}
		return err
	})
	return found, included, err
}

// includeIn are the rows as the caller may see them, with the rows that belong to them: one statement for each relation.
func includeIn[Row any](
	ctx context.Context, tx *db.Tx, relations Relations, entity string, rows []Row, wanted []*Branch,
) ([]json.RawMessage, error) {
	encoded, err := encodeAll(rows, nil)
	if err != nil {
		return nil, err
	}
	return relations.include(ctx, tx, entity, encoded, wanted)
}

func (r Relations) include(
	ctx context.Context, tx *db.Tx, entity string, rows []json.RawMessage, wanted []*Branch,
) ([]json.RawMessage, error) {
	shown := make([][]member, len(rows))
	for place, row := range rows {
		var err error
		if shown[place], err = members(row); err != nil {
			return nil, err
		}
	}
	for _, branch := range wanted {
		relation := r[entity][branch.name]
		keys := make([]string, len(rows))
		for place := range shown {
			keys[place] = keyOf(shown[place], relation.Key)
		}
		found, err := r.reach(ctx, tx, relation, branch, keys)
		if err != nil {
			return nil, err
		}
		for place := range shown {
			shown[place] = append(shown[place], member{branch.name, among(relation, found[keys[place]])})
		}
	}
	hidden := tx.Caller.Hidden(entity)
	found := make([]json.RawMessage, len(rows))
	for place := range shown {
		found[place] = object(shown[place], hidden)
	}
	return found, nil
}

// reach finds the rows of a branch, by key.
func (r Relations) reach(
	ctx context.Context, tx *db.Tx, relation Relation, branch *Branch, keys []string,
) (map[string][]json.RawMessage, error) {
	sought := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(keys))), func(key string) bool {
		return key == ""
	})
	if len(sought) == 0 {
		return nil, nil
	}
	bound, err := relation.Keys(sought)
	if err != nil {
		return nil, err
	}
	found, err := relation.Load(ctx, tx, relation, bound)
	if err != nil {
		return nil, err
	}
	if len(found) > MostIncluded {
		return nil, problem.InvalidParameter("include", fmt.Sprintf(
			"%s reaches more than %d rows; ask for fewer rows with limit", branch.name, MostIncluded))
	}
	rows := make([]json.RawMessage, len(found))
	for place, each := range found {
		rows[place] = each.Row
	}
	rows, err = r.include(ctx, tx, relation.Entity, rows, branch.below)
	byKey := map[string][]json.RawMessage{}
	for place, row := range rows {
		byKey[found[place].Key] = append(byKey[found[place].Key], row)
	}
	return byKey, err
}

func keyOf(row []member, field string) string {
	for _, each := range row {
		if each.name == field && string(each.value) != "null" {
			return keyText(each.value)
		}
	}
	return ""
}

func among(relation Relation, rows []json.RawMessage) json.RawMessage {
	if !relation.Many {
		if len(rows) == 0 {
			return json.RawMessage("null")
		}
		return rows[0]
	}
	joined := []byte{'['}
	for place, row := range rows {
		if place > 0 {
			joined = append(joined, ',')
		}
		joined = append(joined, row...)
	}
	return append(joined, ']')
}

// Sent is a reference that a body sends, and the column that holds it.
type Sent struct {
	Relation string
	Field    string
	Column   string
	// Value is nil when nothing is referred to.
	Value any
}

// Maybe is the value, or nil.
func Maybe[T any](value *T) any {
	if value == nil {
		return nil
	}
	return *value
}

// Unknown are those of the references that lead to rows which the caller may not see, if there are such rows at all.
func (r Relations) Unknown(ctx context.Context, tx *db.Tx, entity string, sent []Sent) ([]Sent, error) {
	var found []Sent
	for _, each := range sent {
		relation := r[entity][each.Relation]
		if each.Value == nil || relation.Lookup == UnlessAll && tx.Caller.ReadsAll(relation.Entity) {
			continue
		}
		bound, err := relation.Keys([]string{fmt.Sprint(each.Value)})
		if err != nil {
			return nil, err
		}
		relation.Deleted = true
		rows, err := relation.Load(ctx, tx, relation, bound)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			found = append(found, each)
		}
	}
	return found, nil
}

// CheckReferences refuses a new row that refers to what the caller may not see, as if it was not there.
func CheckReferences(unknown []Sent) error {
	for _, each := range unknown {
		return problem.UnknownReference(problem.Pointer(each.Field))
	}
	return nil
}

// Kept asks of each reference whether a row has it already, as an array.
func Kept(statement *db.Statement, references []Sent) string {
	kept := make([]string, len(references))
	for place, each := range references {
		kept[place] = each.Column + " is not distinct from " + statement.Bind(each.Value)
	}
	return "array[" + strings.Join(kept, ", ") + "]"
}

// CheckChanged refuses those of the references that the row does not have already.
func CheckChanged(unknown []Sent, kept []bool) error {
	for place, each := range unknown {
		if !kept[place] {
			return CheckReferences([]Sent{each})
		}
	}
	return nil
}

// SetLinks links the row with exactly these, all of which the caller has to be able to see.
func SetLinks[T any](
	ctx context.Context, tx *db.Tx, relation Relation, field string, id any, others []T,
) error {
	seen, err := visible(ctx, tx, relation, others)
	if err != nil {
		return err
	}
	for place, other := range others {
		if !seen[fmt.Sprint(other)] {
			return problem.UnknownReference(problem.Pointer(field, strconv.Itoa(place)))
		}
	}
	statement, err := relation.ofRow(tx, id)
	if err != nil {
		return err
	}
	statement.Where(relation.Link.There + " <> all(" + statement.Bind(others) + ")")
	err = db.Run(ctx, tx, "delete from "+relation.Link.Table+" where "+statement.Conditions(), statement.Values()...)
	if err != nil {
		return err
	}
	return add(ctx, tx, relation, id, others)
}

// LinkRows links two rows; they may be linked already.
func LinkRows[T any](ctx context.Context, tx *db.Tx, relation Relation, id any, other T) error {
	if err := mustSee(ctx, tx, relation, other); err != nil {
		return err
	}
	return add(ctx, tx, relation, id, []T{other})
}

// UnlinkRows takes the link between two rows away, if there is one.
func UnlinkRows[T any](ctx context.Context, tx *db.Tx, relation Relation, id any, other T) error {
	if err := mustSee(ctx, tx, relation, other); err != nil {
		return err
	}
	statement, err := relation.ofRow(tx, id)
	if err != nil {
		return err
	}
	statement.Where(relation.Link.There + " = " + statement.Bind(other))
	return db.Run(ctx, tx, "delete from "+relation.Link.Table+" where "+statement.Conditions(), statement.Values()...)
}

func mustSee[T any](ctx context.Context, tx *db.Tx, relation Relation, other T) error {
	seen, err := visible(ctx, tx, relation, []T{other})
	if err == nil && len(seen) == 0 {
		return problem.NotFound()
	}
	return err
}

// visible are those of the ids whose rows the caller may see.
func visible[T any](ctx context.Context, tx *db.Tx, relation Relation, ids []T) (map[string]bool, error) {
	found := map[string]bool{}
	if len(ids) == 0 {
		return found, nil
	}
	relation.Link = nil
	rows, err := relation.Load(ctx, tx, relation, ids)
	for _, row := range rows {
		found[row.Key] = true
	}
	return found, err
}

func (r Relation) ofRow(tx *db.Tx, id any) (*db.Statement, error) {
	statement := &db.Statement{}
	if r.Link.Tenant != "" {
		tenant, err := tx.Caller.Tenant()
		if err != nil {
			return nil, err
		}
		statement.Where(r.Link.Tenant + " = " + statement.Bind(tenant))
	}
	statement.Where(r.Link.Here + " = " + statement.Bind(id))
	return statement, nil
}

func add[T any](ctx context.Context, tx *db.Tx, relation Relation, id any, others []T) error {
	link := relation.Link
	columns, places := link.Here+", "+link.There, "$1, $2"
	var tenant []any
	if link.Tenant != "" {
		found, err := tx.Caller.Tenant()
		if err != nil {
			return err
		}
		tenant = []any{found}
		columns, places = columns+", "+link.Tenant, places+", $3"
	}
	values := make([][]any, len(others))
	for place, other := range others {
		values[place] = append([]any{id, other}, tenant...)
	}
	return db.Each(ctx, tx,
		"insert into "+link.Table+" ("+columns+") values ("+places+") on conflict do nothing", values)
}
