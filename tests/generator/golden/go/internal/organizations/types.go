package organizations

import (
	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
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

// ReadOrganizationCreate reads the body of a create. An error names every field that is wrong.
func ReadOrganizationCreate(body *wire.Body) (OrganizationCreate, error) {
	created := createFrom(body)
	return created, body.Refusal()
}

func createFrom(body *wire.Body) OrganizationCreate {
	return OrganizationCreate{
		Name: wire.Required(body, "name", readName),
		Slug: wire.Required(body, "slug", readSlug),
	}
}

// ReadOrganizationUpdate reads the body of a change. An error names every field that is wrong.
func ReadOrganizationUpdate(body *wire.Body) (OrganizationUpdate, error) {
	patch := updateFrom(body)
	return patch, body.Refusal()
}

func updateFrom(body *wire.Body) OrganizationUpdate {
	return OrganizationUpdate{
		Name: wire.Patched(body, "name", readName),
		Slug: wire.Patched(body, "slug", readSlug),
	}
}

// listed is how organizations can be filtered and sorted.
var listed = &api.List[Organization]{
	ID: api.By("id", "id", wire.ParseUUID, func(row *Organization) uuid.UUID { return row.ID }),
	Sorts: []api.SortKey[Organization]{
		api.By("id", "id", wire.ParseUUID, func(row *Organization) uuid.UUID { return row.ID }),
		api.By("slug", "slug", wire.ParseText, func(row *Organization) string { return row.Slug }),
		api.By("created_at", "created_at", wire.ParseTimestamp, func(row *Organization) wire.Timestamp { return row.CreatedAt }),
		api.By("updated_at", "updated_at", wire.ParseTimestamp, func(row *Organization) wire.Timestamp { return row.UpdatedAt }),
	},
	Filters: []api.Filter{
		api.In("id.in", "id", true, wire.ParseUUID),
		api.Compare("name", "name", "=", wire.ParseText),
		api.In("name.in", "name", false, wire.ParseText),
		api.Like("name.contains", "name", db.Contains),
		api.Like("name.starts_with", "name", db.StartsWith),
		api.Compare("slug", "slug", "=", wire.ParseText),
		api.In("slug.in", "slug", false, wire.ParseText),
		api.Like("slug.contains", "slug", db.Contains),
		api.Like("slug.starts_with", "slug", db.StartsWith),
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
