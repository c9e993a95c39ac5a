package people

import (
	"slices"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/wire"
)

// Person is a person.
type Person struct {
	ID        uuid.UUID      `json:"id"`
	Email     string         `json:"email"`
	CreatedAt wire.Timestamp `json:"created_at"`
	UpdatedAt wire.Timestamp `json:"updated_at"`
	Version   int64          `json:"version"`
}

// PersonCreate is a new person.
type PersonCreate struct {
	Email string
}

// PersonUpdate is what should change about a person. A field that is absent stays as it is.
type PersonUpdate struct {
	Email wire.Opt[string]
}

// PersonChange is what should change about one of many people.
type PersonChange struct {
	ID          uuid.UUID
	SeenVersion *int64

	PersonUpdate
}

func createFrom(body *wire.Body) PersonCreate {
	return PersonCreate{
		Email: wire.Required(body, "email", wire.Email),
	}
}

func updateFrom(body *wire.Body) PersonUpdate {
	return PersonUpdate{
		Email: wire.Patched(body, "email", wire.Email),
	}
}

func changeFrom(item *wire.Body) PersonChange {
	return PersonChange{
		ID:           wire.Required(item, "id", wire.UUID),
		SeenVersion:  wire.Nullable(item, "version", wire.Int53()),
		PersonUpdate: updateFrom(item),
	}
}

// listed is how people can be filtered and sorted.
var listed = &api.List[Person]{
	Sorts: []api.SortKey[Person]{
		api.By("id", "id", wire.ParseUUID, func(row *Person) uuid.UUID { return row.ID }),
		api.By("email", "email", wire.ParseText, func(row *Person) string { return row.Email }),
		api.By("created_at", "created_at", wire.ParseTimestamp, func(row *Person) wire.Timestamp { return row.CreatedAt }),
		api.By("updated_at", "updated_at", wire.ParseTimestamp, func(row *Person) wire.Timestamp { return row.UpdatedAt }),
	},
	Filters: slices.Concat(
		api.FilterBy("id", "id", wire.ParseUUID, "in"),
		api.FilterText("email", "email", wire.ParseText, "=", "in", "contains", "starts_with"),
		api.FilterBy("created_at", "created_at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
		api.FilterBy("updated_at", "updated_at", wire.ParseTimestamp, "gt", "gte", "lt", "lte"),
	),
}
