package auditlog

import (
	"encoding/json"
	"slices"

	"acme-works/internal/api"
	"acme-works/internal/wire"
)

// AuditEntryAction is one of the values of action.
type AuditEntryAction string

// The values of action.
const (
	AuditEntryActionCreate AuditEntryAction = "create"
	AuditEntryActionUpdate AuditEntryAction = "update"
	AuditEntryActionDelete AuditEntryAction = "delete"
)

// AuditEntry is an audit entry.
type AuditEntry struct {
	ID        int64            `json:"id"`
	At        wire.Timestamp   `json:"at"`
	ActorID   *string          `json:"actor_id"`
	RequestID *string          `json:"request_id"`
	Entity    string           `json:"entity"`
	EntityID  string           `json:"entity_id"`
	Action    AuditEntryAction `json:"action"`
	Before    json.RawMessage  `json:"before"`
	After     json.RawMessage  `json:"after"`
}

// What the fields take.
var (
	parseAction = wire.ParseEnum(AuditEntryActionCreate, AuditEntryActionUpdate, AuditEntryActionDelete)
)

// listed is how audit log can be filtered and sorted.
var listed = &api.List[AuditEntry]{
	Sorts: []api.SortKey[AuditEntry]{
		api.By("id", "id", wire.ParseInt53, func(row *AuditEntry) int64 { return row.ID }),
	},
	Filters: slices.Concat(
		api.FilterBy("id", "id", wire.ParseInt53, "in"),
		api.FilterBy("at", "at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
		api.FilterText("actor_id", "actor_id", wire.ParseText, "=", "in", "is_null"),
		api.FilterText("request_id", "request_id", wire.ParseText, "=", "in"),
		api.FilterText("entity", "entity", wire.ParseText, "=", "in"),
		api.FilterText("entity_id", "entity_id", wire.ParseText, "=", "in"),
		api.FilterBy("action", "action", parseAction, "=", "ne", "in"),
	),
}
