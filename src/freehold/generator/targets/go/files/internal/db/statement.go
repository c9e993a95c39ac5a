package db

import (
	"strconv"
	"strings"

	"service/internal/access"
	"service/internal/wire"
)

// Statement collects the changing parts of a statement. Only names that this service wrote become part of the
// SQL text; values are bound.
type Statement struct {
	values     []any
	conditions []string
}

// Bind keeps the value, and answers with its placeholder.
func (s *Statement) Bind(value any) string {
	s.values = append(s.values, value)
	return "$" + strconv.Itoa(len(s.values))
}

// Values are what was bound, in order.
func (s *Statement) Values() []any { return s.values }

// Where adds a condition that has to hold.
func (s *Statement) Where(condition string) { s.conditions = append(s.conditions, condition) }

// Conditions are all of them, as SQL.
func (s *Statement) Conditions() string {
	if len(s.conditions) == 0 {
		return "true"
	}
	return strings.Join(s.conditions, " and ")
}

// Allow leaves only the rows on which the caller has the permission, or for which one of the others holds.
func (s *Statement) Allow(caller access.Principal, permission string, unless ...string) {
	grants := caller.Grants(permission)
	var ways []string
	for _, grant := range grants {
		if len(grant) == 0 {
			return
		}
		var rules []string
		for _, condition := range grant {
			rules = append(rules, s.rule(caller, condition))
		}
		ways = append(ways, strings.Join(rules, " and "))
	}
	ways = append(ways, unless...)
	if len(ways) == 0 {
		ways = []string{"false"}
	}
	s.Where("(" + strings.Join(ways, " or ") + ")")
}

func (s *Statement) rule(caller access.Principal, condition access.Condition) string {
	if condition.Link != "" {
		return condition.Column + " in (select " + condition.LinkRow + " from " + condition.Link +
			" where " + condition.LinkCaller + " = " + s.Bind(caller.ID) + ")"
	}
	var bound []string
	for _, value := range condition.Values {
		switch value {
		case access.Me:
			value = caller.ID
		case access.Tenant:
			value = caller.TenantID
		}
		bound = append(bound, s.Bind(value))
	}
	return condition.Column + " in (" + strings.Join(bound, ", ") + ")"
}

// Version leaves only the row whose version the caller has seen, if it said which; nil is any.
func (s *Statement) Version(column string, versions []int64) {
	if versions != nil {
		s.Where(column + " = any(" + s.Bind(versions) + "::bigint[])")
	}
}

// Search leaves only the rows that have the words of a web search, if there is one.
func (s *Statement) Search(column string, words *string) {
	if words != nil {
		s.Where(column + " @@ websearch_to_tsquery('simple', " + s.Bind(*words) + ")")
	}
}

// Assignments are what an update sets.
type Assignments struct {
	statement *Statement
	text      strings.Builder
}

// Assignments starts with none.
func (s *Statement) Assignments() *Assignments { return &Assignments{statement: s} }

// Assign adds a field of a merge patch, if it was sent.
func Assign[T any](to *Assignments, column string, value wire.Opt[T]) {
	if value.Set {
		to.text.WriteString(column + " = " + to.statement.Bind(value.Any()) + ", ")
	}
}

// String ends in a comma, since `version` and its like follow.
func (a *Assignments) String() string { return a.text.String() }

// Contains is the pattern of a text with others around it.
func Contains(text string) string { return "%" + escapeLike(text) + "%" }

// StartsWith is the pattern of a text that others follow.
func StartsWith(text string) string { return escapeLike(text) + "%" }

func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
