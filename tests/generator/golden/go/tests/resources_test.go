package tests

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// resources.json is what the tests know about each resource and each role.
//
//go:embed resources.json
var told []byte

var world struct {
	Roles        []string
	User         string
	TenantTables []string `json:"tenant_tables"`
	// statements that take away the unique keys which allow fewer rows than the tests make
	ScarceKeys []string `json:"scarce_keys"`
	// role, permission, and the ways in which it is given; one without conditions reaches every row
	Permissions map[string]map[string][][]condition
	Resources   []*resource
}

func init() {
	if err := json.Unmarshal(told, &world); err != nil {
		panic(err)
	}
}

type condition struct {
	Link   string
	Column string
	Me     bool
	Tenant bool
	Values []any
}

type row = map[string]any

type resource struct {
	Name         string
	Path         string
	Table        string
	Tenant       string
	TenantColumn string `json:"tenant_column"`
	IDKind       string `json:"id_kind"`
	// field to its column, as SQL spells it
	Columns map[string]string
	// field to how a value of it is made
	Recipes map[string]recipe `json:"sample"`
	// field to the resource that it refers to
	References map[string]string
	// the references that cannot be null
	Required []string
	// the fields that hold points, lines and polygons
	Places []string
	// value to the query parameters that take it
	ByValue map[string][]string `json:"filters"`
	Sorts   []string
	// the fields that q looks into
	Search []string
	// one of them that takes any words
	Words string
	// the field by which people know a row
	NaturalKey string `json:"natural_key"`
	// whether it is unique at all, and not in each tenant
	NaturalKeyGlobal bool `json:"natural_key_global"`

	Relations  map[string]relation
	Audited    bool
	Versioned  bool
	SoftDelete bool                `json:"soft_delete"`
	ReadOnly   bool                `json:"read_only"`
	ReadableBy map[string][]string `json:"readable_by"`
	WritableBy map[string][]string `json:"writable_by"`
}

// relation is how one gets from a row to the rows that belong to it.
type relation struct {
	Target string
	Many   bool
	// resource and field: only who may read it may follow the relation
	Guard []string
	// the field of the row that is looked up: a reference, or its id
	Key string
	// the key of a body that sets the links
	Body string
	// the table of links, and its columns
	Link       string
	LinkHere   string `json:"link_here"`
	LinkThere  string `json:"link_there"`
	LinkTenant string `json:"link_tenant"`
}

type recipe struct {
	List    *recipe
	Value   any
	UUID    bool
	Number  []int
	Spelled []string
	Text    int
	Before  string
	After   string
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789"

var (
	start = rand.IntN(1_000_000_000)
	given = map[string]int{}
)

// next counts each kind by itself, so that the others use up none of which there are few.
func next(kind string) int {
	given[kind]++
	return start + given[kind]
}

// make follows the recipe; the values differ each time where they must.
func (r recipe) make() any {
	switch {
	case r.List != nil:
		return []any{r.List.make()}
	case r.Value != nil:
		return r.Value
	case r.UUID:
		return uuid.NewString()
	case r.Number != nil:
		value := r.Number[0] + next(fmt.Sprint(r.Number))%(r.Number[1]-r.Number[0]+1)
		if r.Before != "" {
			return fmt.Sprintf("%s%d", r.Before, value)
		}
		return json.Number(fmt.Sprint(value))
	}
	alphabets := r.Spelled
	for range r.Text {
		alphabets = append(alphabets, letters)
	}
	count := next(strings.Join(alphabets, " "))
	var spelled []string
	for _, alphabet := range slices.Backward(alphabets) {
		choices := []rune(alphabet)
		spelled = append(spelled, string(choices[count%len(choices)]))
		count /= len(choices)
	}
	slices.Reverse(spelled)
	return r.Before + strings.Join(spelled, "") + r.After
}

// sample is a valid body, less its references.
func (r *resource) sample() row {
	found := row{}
	for name, recipe := range r.Recipes {
		found[name] = recipe.make()
	}
	return found
}

// filters are the query parameters, each with a value that it takes.
func (r *resource) filters() map[string]string {
	found := map[string]string{}
	for value, parameters := range r.ByValue {
		for _, parameter := range parameters {
			found[parameter] = value
		}
	}
	return found
}

// writable is a sample of the fields that the role may set.
func (r *resource) writable(role string) row {
	found := r.sample()
	for name, writers := range r.WritableBy {
		if !overlap(writers, rolesOf(role)) {
			delete(found, name)
		}
	}
	return found
}

// hides tells whether the role does not see the field of the parameter.
func (r *resource) hides(role, parameter string) bool {
	field, _, _ := strings.Cut(strings.TrimPrefix(parameter, "-"), ".")
	readers, limited := r.ReadableBy[field]
	return limited && !overlap(readers, rolesOf(role))
}

// mayWrite tells whether the role may set the key of a body.
func (r *resource) mayWrite(role, key string) bool {
	writers, limited := r.WritableBy[key]
	return !limited || overlap(writers, rolesOf(role))
}

// unknownID is one that no row has.
func (r *resource) unknownID() any {
	if r.IDKind == "serial" {
		return json.Number("999999999")
	}
	return uuid.NewString()
}

func named(name string) *resource {
	for _, each := range world.Resources {
		if each.Name == name {
			return each
		}
	}
	panic("there is no resource " + name)
}

// tenants is the resource whose rows are the tenants; nil in a service without any.
func tenants() *resource {
	for _, each := range world.Resources {
		if each.Tenant == "self" {
			return each
		}
	}
	return nil
}

// rolesOf are the roles that a caller with a token for this one has.
func rolesOf(role string) []string {
	if role == "public" {
		return []string{"public"}
	}
	return []string{role, "public", "authenticated"}
}

func everyRole() []string {
	return slices.Concat([]string{"public", "authenticated"}, world.Roles, []string{"service"})
}

func grantsOf(role, permission string) [][]condition {
	var found [][]condition
	for _, held := range slices.Compact(slices.Sorted(slices.Values(rolesOf(role)))) {
		found = append(found, world.Permissions[held][permission]...)
	}
	return found
}

func reachesAll(role, permission string) bool {
	return slices.ContainsFunc(grantsOf(role, permission), func(grant []condition) bool { return len(grant) == 0 })
}

// roleWith is the least role that has the permission on every row; empty if none has.
func roleWith(permission string) string {
	roles := slices.Clone(world.Roles)
	slices.Reverse(roles)
	for _, role := range append(roles, "service", "authenticated", "public") {
		if reachesAll(role, permission) {
			return role
		}
	}
	return ""
}

func overlap(left, right []string) bool {
	return slices.ContainsFunc(left, func(each string) bool { return slices.Contains(right, each) })
}

// each runs the test for every resource that is wanted.
func each(t *testing.T, wanted func(*resource) bool, test func(t *testing.T, of *resource)) {
	t.Helper()
	for _, of := range world.Resources {
		if wanted(of) {
			t.Run(of.Name, func(t *testing.T) { test(t, of) })
		}
	}
}

// ableToAll is the least role that has each of the permissions on every row; empty if none has.
func ableToAll(permissions ...string) string {
	roles := slices.Clone(world.Roles)
	slices.Reverse(roles)
	for _, role := range append(roles, "service", "authenticated", "public") {
		if !slices.ContainsFunc(permissions, func(each string) bool { return !reachesAll(role, each) }) {
			return role
		}
	}
	return ""
}

func every(*resource) bool        { return true }
func scoped(of *resource) bool    { return of.Tenant == "scoped" }
func softly(of *resource) bool    { return of.SoftDelete }
func writable(of *resource) bool  { return !of.ReadOnly }
func versioned(of *resource) bool { return of.Versioned && of.Tenant != "self" }
