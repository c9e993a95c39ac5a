package access

import (
	"github.com/google/uuid"

	"acme-works/internal/wire"
)

// TenantID names a tenant.
type TenantID = uuid.UUID

// UserID names a user.
type UserID = uuid.UUID

const noTenant = "Your credential names no tenant."

// outsideTenants is how the permissions begin that need no tenant.
var outsideTenants = []string{"organization:create"}

// The ids in a token.
var (
	ParseTenantID wire.Parser[TenantID] = wire.ParseUUID
	ParseUserID   wire.Parser[UserID]   = wire.ParseUUID
)

// Roles are those that a token can name.
var Roles = []string{
	"owner",
	"admin",
	"member",
	"viewer",
}

// Table says who may do what: role, permission, and the rows that it reaches. Inheritance is resolved already. A
// permission that is not in the table of a role is refused. `public` is everybody, `authenticated` everybody with a
// valid token, `service` a machine.
var Table = map[string]Permissions{
	"owner": {
		"organization:read":    EveryRow,
		"organization:update":  EveryRow,
		"project:read":         EveryRow,
		"project:create":       EveryRow,
		"project:update":       EveryRow,
		"project:delete":       EveryRow,
		"project:read_deleted": EveryRow,
		"project:restore":      EveryRow,
		"person:read":          EveryRow,
		"person:create":        EveryRow,
		"person:update":        EveryRow,
		"person:delete":        EveryRow,
		"audit_entry:read":     EveryRow,
	},
	"admin": {
		"organization:read":    EveryRow,
		"project:read":         EveryRow,
		"project:create":       EveryRow,
		"project:update":       EveryRow,
		"project:delete":       EveryRow,
		"project:read_deleted": EveryRow,
		"project:restore":      EveryRow,
		"person:read":          EveryRow,
		"person:create":        EveryRow,
		"person:update":        EveryRow,
		"person:delete":        EveryRow,
		"audit_entry:read":     EveryRow,
	},
	"member": {
		"organization:read": EveryRow,
		"project:read":      EveryRow,
		"project:create":    EveryRow,
		"project:update":    {{Is("owner_id", Me)}},
		"person:read":       EveryRow,
	},
	"viewer": {
		"organization:read": EveryRow,
		"project:read":      EveryRow,
		"person:read":       EveryRow,
	},
}

// ReadableBy are the fields that only some roles see, by entity.
var ReadableBy = map[string]map[string][]string{
	"project": {
		"budget": {"owner", "admin"},
	},
}

// WritableBy are the fields that only some roles set, by entity.
var WritableBy = map[string]map[string][]string{
	"project": {
		"budget": {"owner", "admin"},
	},
}
