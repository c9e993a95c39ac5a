package organizations

import (
	"slices"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/wire"
)

// Organization is an organization.
type Organization struct {
	ID        uuid.UUID      `json:"id"`
	Name      string         `json:"name"`
	Slug      string         `json:"slug"`
	CreatedAt wire.Timestamp `json:"created_at"`
	UpdatedAt wire.Timestamp `json:"updated_at"`
	Version   int64          `json:"version"`
}

// OrganizationCreate is a new organization.
type OrganizationCreate struct {
	Name string
	Slug string
}

// OrganizationUpdate is what should change about an organization. A field that is absent stays as it is.
type OrganizationUpdate struct {
	Name wire.Opt[string]
	Slug wire.Opt[string]
}

// What the fields take.
var (
	readName = wire.Text(wire.AtMost(120))
	readSlug = wire.Text(wire.AtMost(60), wire.Matching("^[a-z0-9-]+$"))
)

func createFrom(body *wire.Body) OrganizationCreate {
	return OrganizationCreate{
		Name: wire.Required(body, "name", readName),
		Slug: wire.Required(body, "slug", readSlug),
	}
}

func updateFrom(body *wire.Body) OrganizationUpdate {
	return OrganizationUpdate{
		Name: wire.Patched(body, "name", readName),
		Slug: wire.Patched(body, "slug", readSlug),
	}
}

// listed is how organizations can be filtered and sorted.
var listed = &api.List[Organization]{
	Sorts: []api.SortKey[Organization]{
		api.By("id", "id", wire.ParseUUID, func(row *Organization) uuid.UUID { return row.ID }),
		api.By("slug", "slug", wire.ParseText, func(row *Organization) string { return row.Slug }),
		api.By("created_at", "created_at", wire.ParseTimestamp, func(row *Organization) wire.Timestamp { return row.CreatedAt }),
		api.By("updated_at", "updated_at", wire.ParseTimestamp, func(row *Organization) wire.Timestamp { return row.UpdatedAt }),
	},
	Filters: slices.Concat(
		api.FilterBy("id", "id", wire.ParseUUID, "in"),
		api.FilterText("name", "name", wire.ParseText, "=", "in", "contains", "starts_with"),
		api.FilterText("slug", "slug", wire.ParseText, "=", "in", "contains", "starts_with"),
		api.FilterBy("created_at", "created_at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
		api.FilterBy("updated_at", "updated_at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
	),
}
