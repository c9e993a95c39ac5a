package projects

import (
	"encoding/json"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

// ProjectStatus is one of the values of status.
type ProjectStatus string

// The values of status.
const (
	ProjectStatusDraft    ProjectStatus = "draft"
	ProjectStatusActive   ProjectStatus = "active"
	ProjectStatusValue1st ProjectStatus = "1st"
)

// ProjectSummary is a project as lists show it.
type ProjectSummary struct {
	ID        uuid.UUID       `json:"id"`
	Name      string          `json:"name"`
	Code      string          `json:"code"`
	Status    ProjectStatus   `json:"status"`
	Budget    *wire.Decimal   `json:"budget"`
	OwnerID   *uuid.UUID      `json:"owner_id"`
	CreatedAt wire.Timestamp  `json:"created_at"`
	UpdatedAt wire.Timestamp  `json:"updated_at"`
	CreatedBy *string         `json:"created_by"`
	UpdatedBy *string         `json:"updated_by"`
	Version   int64           `json:"version"`
	DeletedAt *wire.Timestamp `json:"deleted_at"`
}

// Project is a project with everything about it.
type Project struct {
	ProjectSummary
	Settings json.RawMessage `json:"settings"`
}

// ProjectCreate is a new project.
type ProjectCreate struct {
	Name     string
	Code     string
	Status   ProjectStatus
	Budget   *wire.Decimal
	Settings *json.RawMessage
	OwnerID  wire.Opt[uuid.UUID]
}

// ProjectUpdate is what should change about a project. A field that is absent stays as it is.
type ProjectUpdate struct {
	Name     wire.Opt[string]
	Code     wire.Opt[string]
	Status   wire.Opt[ProjectStatus]
	Budget   wire.Opt[wire.Decimal]
	Settings wire.Opt[json.RawMessage]
	OwnerID  wire.Opt[uuid.UUID]
}

// ProjectChange is what should change about one of many projects.
type ProjectChange struct {
	ID          uuid.UUID
	SeenVersion *int64

	ProjectUpdate
}

// What the fields take.
var (
	parseStatus = wire.ParseEnum(ProjectStatusDraft, ProjectStatusActive, ProjectStatusValue1st)
	readName    = wire.Text(wire.AtMost(100))
	readCode    = wire.Text(wire.AtMost(20))
	readStatus  = wire.Quoted(parseStatus)
	readBudget  = wire.Exact(12, 2, wire.LeastExact("0"))
)

// ReadProjectCreate reads the body of a create. An error names every field that is wrong.
func ReadProjectCreate(body *wire.Body) (ProjectCreate, error) {
	created := createFrom(body)
	return created, body.Refusal()
}

func createFrom(body *wire.Body) ProjectCreate {
	return ProjectCreate{
		Name:     wire.Required(body, "name", readName),
		Code:     wire.Required(body, "code", readCode),
		Status:   wire.Default(body, "status", readStatus, ProjectStatusDraft),
		Budget:   wire.Nullable(body, "budget", readBudget),
		Settings: wire.Nullable(body, "settings", wire.Document),
		OwnerID:  wire.Cleared(body, "owner_id", wire.UUID),
	}
}

// ReadProjectUpdate reads the body of a change. An error names every field that is wrong.
func ReadProjectUpdate(body *wire.Body) (ProjectUpdate, error) {
	patch := updateFrom(body)
	return patch, body.Refusal()
}

func updateFrom(body *wire.Body) ProjectUpdate {
	return ProjectUpdate{
		Name:     wire.Patched(body, "name", readName),
		Code:     wire.Patched(body, "code", readCode),
		Status:   wire.Patched(body, "status", readStatus),
		Budget:   wire.Cleared(body, "budget", readBudget),
		Settings: wire.Cleared(body, "settings", wire.Document),
		OwnerID:  wire.Cleared(body, "owner_id", wire.UUID),
	}
}

func changeFrom(item *wire.Body) ProjectChange {
	return ProjectChange{
		ID:            wire.Required(item, "id", wire.UUID),
		SeenVersion:   wire.Nullable(item, "version", wire.Int53()),
		ProjectUpdate: updateFrom(item),
	}
}

// upsert is a new project, and what it changes if there is one with its natural key.
type upsert struct {
	ProjectCreate

	patch ProjectUpdate
}

func upsertFrom(item *wire.Body) upsert {
	return upsert{createFrom(item), updateFrom(item.Again())}
}

// listed is how projects can be filtered and sorted.
var listed = &api.List[ProjectSummary]{
	ID:       api.By("id", "id", wire.ParseUUID, func(row *ProjectSummary) uuid.UUID { return row.ID }),
	Deleted:  true,
	Searched: []string{"name"},
	Sorts: []api.SortKey[ProjectSummary]{
		api.By("id", "id", wire.ParseUUID, func(row *ProjectSummary) uuid.UUID { return row.ID }),
		api.By("code", "code", wire.ParseText, func(row *ProjectSummary) string { return row.Code }),
		api.By("status", "status", parseStatus, func(row *ProjectSummary) ProjectStatus { return row.Status }),
		api.By("created_at", "created_at", wire.ParseTimestamp, func(row *ProjectSummary) wire.Timestamp { return row.CreatedAt }),
		api.By("updated_at", "updated_at", wire.ParseTimestamp, func(row *ProjectSummary) wire.Timestamp { return row.UpdatedAt }),
	},
	Filters: []api.Filter{
		api.In("id.in", "id", true, wire.ParseUUID),
		api.Compare("name", "name", "=", wire.ParseText),
		api.In("name.in", "name", false, wire.ParseText),
		api.Like("name.contains", "name", db.Contains),
		api.Like("name.starts_with", "name", db.StartsWith),
		api.Compare("code", "code", "=", wire.ParseText),
		api.In("code.in", "code", false, wire.ParseText),
		api.Like("code.contains", "code", db.Contains),
		api.Like("code.starts_with", "code", db.StartsWith),
		api.Compare("status", "status", "=", parseStatus),
		api.Compare("status.ne", "status", "<>", parseStatus),
		api.In("status.in", "status", true, parseStatus),
		api.Compare("budget", "budget", "=", wire.ParseDecimal(12, 2)),
		api.In("budget.in", "budget", true, wire.ParseDecimal(12, 2)),
		api.Compare("budget.gt", "budget", ">", wire.ParseDecimal(12, 2)),
		api.Compare("budget.gte", "budget", ">=", wire.ParseDecimal(12, 2)),
		api.Compare("budget.lt", "budget", "<", wire.ParseDecimal(12, 2)),
		api.Compare("budget.lte", "budget", "<=", wire.ParseDecimal(12, 2)),
		api.IsNull("budget.is_null", "budget"),
		api.Compare("owner_id", "owner_id", "=", wire.ParseUUID),
		api.In("owner_id.in", "owner_id", true, wire.ParseUUID),
		api.IsNull("owner_id.is_null", "owner_id"),
		api.Compare("created_at.gt", "created_at", ">", wire.ParseTimestamp),
		api.Compare("created_at.gte", "created_at", ">=", wire.ParseTimestamp),
		api.Compare("created_at.lt", "created_at", "<", wire.ParseTimestamp),
		api.Compare("created_at.lte", "created_at", "<=", wire.ParseTimestamp),
		api.Compare("updated_at.gt", "updated_at", ">", wire.ParseTimestamp),
		api.Compare("updated_at.gte", "updated_at", ">=", wire.ParseTimestamp),
		api.Compare("updated_at.lt", "updated_at", "<", wire.ParseTimestamp),
		api.Compare("updated_at.lte", "updated_at", "<=", wire.ParseTimestamp),
	},
}
