// Package people is the resource /v1/people
package people

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

const entity = "person"

var table = api.Table{Name: "people", Texts: []string{"email"}}

type routes struct {
	db        *db.DB
	relations api.Relations
}

// Routes are people over HTTP.
func Routes(database *db.DB, relations api.Relations) []api.Route {
	r := routes{database, relations}
	return []api.Route{
		{Pattern: "GET /v1/people", Endpoint: r.list},
		{Pattern: "GET /v1/people/{id}", Endpoint: r.get},
		{Pattern: "POST /v1/people", Endpoint: api.Plain(r.create)},
		{Pattern: "PATCH /v1/people/{id}", Endpoint: api.Plain(r.update)},
		{Pattern: "DELETE /v1/people/{id}", Endpoint: api.Plain(r.delete)},
		{Pattern: "POST /v1/people/batch", Endpoint: api.Plain(r.batchCreate)},
		{Pattern: "POST /v1/people/batch-update", Endpoint: api.Plain(r.batchUpdate)},
		{Pattern: "POST /v1/people/batch-delete", Endpoint: api.Plain(r.batchDelete)},
	}
}

// list shows the people that the caller may read, one page at a time.
func (r routes) list(call *api.Call) (*api.Reply, error) {
	query, err := listed.Parse(call)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:read"); err != nil {
		return nil, err
	}
	if err := query.Check(entity, call.Caller); err != nil {
		return nil, err
	}
	isCSV, err := call.WantsCSV()
	if err != nil {
		return nil, err
	}
	if isCSV {
		return api.ReplyCSV(call, entity, table, r.db, query, ExportPeople)
	}
	page, included, err := api.ReadPage(call, r.db, r.relations, entity, query, ListPeople)
	if err != nil {
		return nil, err
	}
	return api.ReplyPage(call, entity, query, page, included)
}

// create makes a person.
func (r routes) create(call *api.Call) (*api.Reply, error) {
	body, err := wire.Read(call.Body, createFrom)
	if err != nil {
		return nil, err
	}
	if err := call.MayWrite("person:create", entity); err != nil {
		return nil, err
	}
	return call.WriteOnce(r.db, nil, func(tx *db.Tx) (*api.Reply, error) {
		created, err := r.createIn(call.Context(), tx, body)
		if err != nil {
			return nil, err
		}
		return call.Created(entity, created, created.ID, &created.Version)
	})
}

// get shows one person.
func (r routes) get(call *api.Call) (*api.Reply, error) {
	paths, err := call.OnlyInclude()
	if err != nil {
		return nil, err
	}
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:read"); err != nil {
		return nil, err
	}
	found, included, err := api.ReadRow(call, r.db, r.relations, entity, paths, func(tx *db.Tx) (*Person, error) {
		return GetPerson(call.Context(), tx, id)
	})
	if err != nil {
		return nil, err
	}
	if included != nil {
		return api.Included(included), nil
	}
	return call.Row(entity, found, &found.Version)
}

// update changes a person: fields that are absent stay as they are.
func (r routes) update(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	patch, err := wire.Read(call.Body, updateFrom)
	if err != nil {
		return nil, err
	}
	if err := call.MayWrite("person:update", entity); err != nil {
		return nil, err
	}
	var updated *Person
	err = r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
		updated, err = r.updateIn(call.Context(), tx, id, patch, call.Versions())
		return err
	})
	if err != nil {
		return nil, err
	}
	return call.Row(entity, updated, &updated.Version)
}

// delete removes a person.
func (r routes) delete(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:delete"); err != nil {
		return nil, err
	}
	err = r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
		return r.deleteIn(call.Context(), tx, id, call.Versions())
	})
	if err != nil {
		return nil, err
	}
	return api.NoContent(), nil
}

// batchCreate makes many people, or none.
func (r routes) batchCreate(call *api.Call) (*api.Reply, error) {
	items := wire.Items(call.Body, "items", api.MostItems, createFrom)
	return api.WriteEach(call, r.db, entity, items, http.StatusCreated, r.createIn, "person:create")
}

// batchUpdate changes many people, or none.
func (r routes) batchUpdate(call *api.Call) (*api.Reply, error) {
	items := wire.Items(call.Body, "items", api.MostItems, changeFrom)
	return api.WriteEach(call, r.db, entity, items, http.StatusOK, r.changeIn, "person:update")
}

// batchDelete deletes many people, or none.
func (r routes) batchDelete(call *api.Call) (*api.Reply, error) {
	ids := wire.Required(call.Body, "ids", wire.Many(wire.UUID, 1, api.MostItems))
	return api.DeleteEach(call, r.db, ids, "person:delete", func(tx *db.Tx, id uuid.UUID) error {
		return r.deleteIn(call.Context(), tx, id, nil)
	})
}

func (r routes) createIn(ctx context.Context, tx *db.Tx, body PersonCreate) (*Person, error) {
	if err := beforeCreate(ctx, tx, &body); err != nil {
		return nil, err
	}
	created, err := CreatePerson(ctx, tx, body)
	if err != nil {
		return nil, err
	}
	return created, afterCreate(ctx, tx, created)
}

func (r routes) updateIn(
	ctx context.Context, tx *db.Tx, id uuid.UUID, patch PersonUpdate, versions []int64,
) (*Person, error) {
	if err := beforeUpdate(ctx, tx, id, &patch); err != nil {
		return nil, err
	}
	updated, err := UpdatePerson(ctx, tx, id, patch, versions)
	if err != nil {
		return nil, err
	}
	return updated, afterUpdate(ctx, tx, updated)
}

func (r routes) changeIn(ctx context.Context, tx *db.Tx, change PersonChange) (*Person, error) {
	return r.updateIn(ctx, tx, change.ID, change.PersonUpdate, api.Seen(change.SeenVersion))
}

func (r routes) deleteIn(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	if err := beforeDelete(ctx, tx, id); err != nil {
		return err
	}
	if err := DeletePerson(ctx, tx, id, versions); err != nil {
		return err
	}
	return afterDelete(ctx, tx, id)
}
