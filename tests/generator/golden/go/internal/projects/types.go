package projects

import (
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"acme-works/internal/api"
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
	Deleted:  true,
	Searched: []string{"name"},
	Sorts: []api.SortKey[ProjectSummary]{
		api.By("id", "id", wire.ParseUUID, func(row *ProjectSummary) uuid.UUID { return row.ID }),
		api.By("code", "code", wire.ParseText, func(row *ProjectSummary) string { return row.Code }),
		api.By("status", "status", parseStatus, func(row *ProjectSummary) ProjectStatus { return row.Status }),
		api.By("created_at", "created_at", wire.ParseTimestamp, func(row *ProjectSummary) wire.Timestamp { return row.CreatedAt }),
		api.By("updated_at", "updated_at", wire.ParseTimestamp, func(row *ProjectSummary) wire.Timestamp { return row.UpdatedAt }),
	},
	Filters: slices.Concat(
		api.FilterBy("id", "id", wire.ParseUUID, "in"),
		api.FilterText("name", "name", wire.ParseText, "=", "in", "contains", "starts_with"),
		api.FilterText("code", "code", wire.ParseText, "=", "in", "contains", "starts_with"),
		api.FilterBy("status", "status", parseStatus, "=", "ne", "in"),
		api.FilterBy("budget", "budget", wire.ParseDecimal(12, 2), "=", "in", "gt", "gte", "lt", "lte", "is_null"),
		api.FilterBy("owner_id", "owner_id", wire.ParseUUID, "=", "in", "is_null"),
		api.FilterBy("created_at", "created_at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
		api.FilterBy("updated_at", "updated_at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
	),
}
