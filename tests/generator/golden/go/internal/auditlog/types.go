package auditlog

import (
	"encoding/json"

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
	ID: api.By("id", "id", wire.ParseInt53, func(row *AuditEntry) int64 { return row.ID }),
	Sorts: []api.SortKey[AuditEntry]{
		api.By("id", "id", wire.ParseInt53, func(row *AuditEntry) int64 { return row.ID }),
	},
	Filters: []api.Filter{
		api.In("id.in", "id", true, wire.ParseInt53),
		api.Compare("at.gt", "at", ">", wire.ParseTimestamp),
		api.Compare("at.gte", "at", ">=", wire.ParseTimestamp),
		api.Compare("at.lt", "at", "<", wire.ParseTimestamp),
		api.Compare("at.lte", "at", "<=", wire.ParseTimestamp),
		api.Compare("actor_id", "actor_id", "=", wire.ParseText),
		api.In("actor_id.in", "actor_id", false, wire.ParseText),
		api.IsNull("actor_id.is_null", "actor_id"),
		api.Compare("request_id", "request_id", "=", wire.ParseText),
		api.In("request_id.in", "request_id", false, wire.ParseText),
		api.Compare("entity", "entity", "=", wire.ParseText),
		api.In("entity.in", "entity", false, wire.ParseText),
		api.Compare("entity_id", "entity_id", "=", wire.ParseText),
		api.In("entity_id.in", "entity_id", false, wire.ParseText),
		api.Compare("action", "action", "=", parseAction),
		api.Compare("action.ne", "action", "<>", parseAction),
		api.In("action.in", "action", true, parseAction),
	},
}
