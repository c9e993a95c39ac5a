package access

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"service/internal/problem"
)

// Principal is the caller, built once for a request and handed to whatever needs it.
type Principal struct {
	Kind     Kind
	ID       *UserID
	TenantID *TenantID
	KeyID    string
	roles    []string
	// scopes are the permissions that an API key is limited to; none is no limit
	scopes []string
}

// Kind tells people from machines, and both from nobody in particular.
type Kind string

// The kinds of callers.
const (
	Anonymous Kind = "anonymous"
	User      Kind = "user"
	Service   Kind = "service"
	APIKey    Kind = "api_key"
)

// Nobody is who calls without a credential.
func Nobody() Principal { return Principal{Kind: Anonymous, roles: []string{"public"}} }

// Known is a caller with a valid credential. Roles that the schema does not know are dropped, and being a
// service is never one of them.
func Known(kind Kind, id *UserID, tenant *TenantID, claimed []string) Principal {
	roles := []string{"public", "authenticated"}
	for _, each := range claimed {
		if slices.Contains(Roles, each) {
			roles = append(roles, each)
		}
	}
	if kind == Service {
		roles = append(roles, "service")
	}
	slices.Sort(roles)
	return Principal{Kind: kind, ID: id, TenantID: tenant, roles: slices.Compact(roles)}
}

// Key is who comes with an API key, which may be that of a service.
func Key(id string, tenant *TenantID, roles, scopes []string) Principal {
	kind := User
	if slices.Contains(roles, "service") {
		kind = Service
	}
	found := Known(kind, nil, tenant, roles)
	found.Kind, found.KeyID, found.scopes = APIKey, id, scopes
	return found
}

// Roles are the caller's own and those that everyone has, sorted.
func (p Principal) Roles() []string { return p.roles }

// Actor is who this is in created_by, in the audit log and in limits; nil where nobody in particular is known.
func (p Principal) Actor() *string {
	if p.ID == nil {
		if p.KeyID != "" {
			return &p.KeyID
		}
		return nil
	}
	spelled := fmt.Sprint(*p.ID)
	return &spelled
}

// ReadsAll tells whether the caller's roles let it read every row of the entity, within its tenant.
func (p Principal) ReadsAll(entity string) bool {
	return slices.ContainsFunc(p.Grants(entity+":read"), func(grant Grant) bool { return len(grant) == 0 })
}

// Grants are the ways in which the caller's roles give the permission.
func (p Principal) Grants(permission string) []Grant {
	if len(p.scopes) > 0 && !slices.Contains(p.scopes, permission) {
		return nil
	}
	var found []Grant
	for _, role := range p.roles {
		found = append(found, Table[role][permission]...)
	}
	return found
}

// Require refuses the caller whose roles never give the permission, whatever the row.
func (p Principal) Require(permission string) error {
	if len(p.Grants(permission)) > 0 {
		return nil
	}
	begins := func(outside string) bool { return strings.HasPrefix(permission, outside) }
	if !slices.ContainsFunc(outsideTenants, begins) {
		// Who is in no tenant has no role in it.
		if _, err := p.Tenant(); err != nil {
			return err
		}
	}
	if p.Kind == Anonymous {
		return problem.Unauthenticated("A bearer token is needed.", "invalid_token")
	}
	return problem.Forbidden()
}

// Tenant is the caller's tenant; callers without one are refused.
func (p Principal) Tenant() (TenantID, error) {
	if p.TenantID != nil {
		return *p.TenantID, nil
	}
	var none TenantID
	if p.Kind == Anonymous {
		return none, problem.Unauthenticated("A bearer token is needed.", "invalid_token")
	}
	return none, NoTenant()
}

// NoTenant refuses a caller whose tenant is not known.
func NoTenant() error { return problem.New(http.StatusForbidden, "no_tenant", noTenant) }

// Hides tells whether the caller may not see the field, nor filter or sort by it.
func (p Principal) Hides(entity, field string) bool {
	readers, limited := ReadableBy[entity][field]
	return limited && !p.hasOneOf(readers)
}

// Hidden are the fields of the entity that the caller may not see.
func (p Principal) Hidden(entity string) []string {
	var found []string
	for field := range ReadableBy[entity] {
		if p.Hides(entity, field) {
			found = append(found, field)
		}
	}
	return found
}

// CheckWritable refuses fields that the caller's roles may not set.
func (p Principal) CheckWritable(entity string, fields []string) error {
	var faults []problem.Fault
	for _, field := range fields {
		if writers, limited := WritableBy[entity][field]; limited && !p.hasOneOf(writers) {
			faults = append(faults, problem.Fault{
				Pointer: problem.Pointer(field), Code: "forbidden_field", Message: "your role may not set it",
			})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	refusal := problem.New(
		http.StatusForbidden, "forbidden_field", "Your role may not set every field you sent.")
	refusal.Faults = faults
	return refusal
}

func (p Principal) hasOneOf(roles []string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(p.roles, role) })
}
