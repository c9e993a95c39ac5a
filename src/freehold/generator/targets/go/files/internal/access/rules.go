// Package access is who may do what: the table of permissions.go, what its rules mean, and who calls.
package access

// CallerValue is a value that is only known when someone calls.
type CallerValue int

// The caller's own id, and its tenant's.
const (
	Me CallerValue = iota
	Tenant
)

// Condition is one rule about a row: its column holds one of the values, or a table links its id to the caller.
type Condition struct {
	Column     string
	Values     []any
	Link       string
	LinkRow    string
	LinkCaller string
}

// Grant is a way to a row: all of its conditions must hold. One without conditions reaches every row.
type Grant []Condition

// Permissions are the ways in which each permission is given; one that is missing is refused.
type Permissions map[string][]Grant

// Is says that the column holds one of the values.
func Is(column string, values ...any) Condition { return Condition{Column: column, Values: values} }

// MemberOf says that the link table joins the row, of which the column is the id, and the caller.
func MemberOf(column, link, row, caller string) Condition {
	return Condition{Column: column, Link: link, LinkRow: row, LinkCaller: caller}
}

// EveryRow is a permission without conditions.
var EveryRow = []Grant{{}}
