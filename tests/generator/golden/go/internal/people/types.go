package people

import (
	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
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

// ReadPersonCreate reads the body of a create. An error names every field that is wrong.
func ReadPersonCreate(body *wire.Body) (PersonCreate, error) {
	created := createFrom(body)
	return created, body.Refusal()
}

func createFrom(body *wire.Body) PersonCreate {
	return PersonCreate{
		Email: wire.Required(body, "email", wire.Email),
	}
}

// ReadPersonUpdate reads the body of a change. An error names every field that is wrong.
func ReadPersonUpdate(body *wire.Body) (PersonUpdate, error) {
	patch := updateFrom(body)
	return patch, body.Refusal()
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
	ID: api.By("id", "id", wire.ParseUUID, func(row *Person) uuid.UUID { return row.ID }),
	Sorts: []api.SortKey[Person]{
		api.By("id", "id", wire.ParseUUID, func(row *Person) uuid.UUID { return row.ID }),
		api.By("email", "email", wire.ParseText, func(row *Person) string { return row.Email }),
		api.By("created_at", "created_at", wire.ParseTimestamp, func(row *Person) wire.Timestamp { return row.CreatedAt }),
		api.By("updated_at", "updated_at", wire.ParseTimestamp, func(row *Person) wire.Timestamp { return row.UpdatedAt }),
	},
	Filters: []api.Filter{
		api.In("id.in", "id", true, wire.ParseUUID),
		api.Compare("email", "email", "=", wire.ParseText),
		api.In("email.in", "email", false, wire.ParseText),
		api.Like("email.contains", "email", db.Contains),
		api.Like("email.starts_with", "email", db.StartsWith),
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
