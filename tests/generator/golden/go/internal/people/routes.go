// Package people is the resource /v1/people
package people

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

const entity = "person"

var table = api.Table{
	Name: "people",
	Fields: []string{
		"id",
		"email",
		"created_at",
		"updated_at",
		"version",
	},
	Texts: []string{
		"email",
	},
}

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
		{Pattern: "POST /v1/people", Endpoint: r.create},
		{Pattern: "PATCH /v1/people/{id}", Endpoint: r.update},
		{Pattern: "DELETE /v1/people/{id}", Endpoint: r.delete},
		{Pattern: "POST /v1/people/batch", Endpoint: r.batchCreate},
		{Pattern: "POST /v1/people/batch-update", Endpoint: r.batchUpdate},
		{Pattern: "POST /v1/people/batch-delete", Endpoint: r.batchDelete},
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
		return api.ReplyCSV(call, entity, table, r.db,
			func(ctx context.Context, tx *db.Tx, take func(rows []Person) error) error {
				return ExportPeople(ctx, tx, query, take)
			}), nil
	}
	wanted, err := r.relations.Tree(call.Caller, entity, query.Include)
	if err != nil {
		return nil, err
	}
	var page *api.Page[Person]
	var included []json.RawMessage
	err = r.db.Read(call.Context(), call.Caller, func(tx *db.Tx) error {
		page, err = ListPeople(call.Context(), tx, query)
		if err == nil && wanted != nil {
			included, err = api.IncludeIn(call.Context(), tx, r.relations, entity, page.Rows, wanted)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.ReplyPage(call, entity, query, page, included)
}

// create makes a person.
func (r routes) create(call *api.Call) (*api.Reply, error) {
	if err := call.NoParameters(); err != nil {
		return nil, err
	}
	body, err := ReadPersonCreate(call.Body)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:create"); err != nil {
		return nil, err
	}
	if err := call.Caller.CheckWritable(entity, call.Body.Sent()); err != nil {
		return nil, err
	}
	var reply *api.Reply
	err = r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
		reply, err = api.Once(call.Context(), call, tx, func() (*api.Reply, error) {
			created, err := r.createIn(call.Context(), tx, body)
			if err != nil {
				return nil, err
			}
			return call.Created(entity, created, created.ID, &created.Version)
		})
		return err
	})
	return reply, err
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
	wanted, err := r.relations.Tree(call.Caller, entity, paths)
	if err != nil {
		return nil, err
	}
	var found *Person
	var included []json.RawMessage
	err = r.db.Read(call.Context(), call.Caller, func(tx *db.Tx) error {
		found, err = GetPerson(call.Context(), tx, id)
		if err == nil && wanted != nil {
			included, err = api.IncludeIn(call.Context(), tx, r.relations, entity, []Person{*found}, wanted)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if included != nil {
		return api.Included(included[0]), nil
	}
	return call.Row(entity, found, &found.Version)
}

// update changes a person: fields that are absent stay as they are.
func (r routes) update(call *api.Call) (*api.Reply, error) {
	if err := call.NoParameters(); err != nil {
		return nil, err
	}
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	patch, err := ReadPersonUpdate(call.Body)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:update"); err != nil {
		return nil, err
	}
	if err := call.Caller.CheckWritable(entity, call.Body.Sent()); err != nil {
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
	if err := call.NoParameters(); err != nil {
		return nil, err
	}
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
	if err := call.NoParameters(); err != nil {
		return nil, err
	}
	items := wire.Items(call.Body, "items", api.MostItems, createFrom)
	if err := call.Body.Refusal(); err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:create"); err != nil {
		return nil, err
	}
	if err := api.CheckItems(call.Caller, entity, items); err != nil {
		return nil, err
	}
	var reply *api.Reply
	err := r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) (err error) {
		reply, err = api.Once(call.Context(), call, tx, func() (*api.Reply, error) {
			rows, err := api.EachOf("items", items, false, func(item wire.Item[PersonCreate]) (*Person, error) {
				return r.createIn(call.Context(), tx, item.Value)
			})
			if err != nil {
				return nil, err
			}
			return api.Rows(call, entity, http.StatusCreated, rows)
		})
		return err
	})
	return reply, err
}

// batchUpdate changes many people, or none.
func (r routes) batchUpdate(call *api.Call) (*api.Reply, error) {
	if err := call.NoParameters(); err != nil {
		return nil, err
	}
	items := wire.Items(call.Body, "items", api.MostItems, changeFrom)
	if err := call.Body.Refusal(); err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:update"); err != nil {
		return nil, err
	}
	if err := api.CheckItems(call.Caller, entity, items); err != nil {
		return nil, err
	}
	var reply *api.Reply
	err := r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) (err error) {
		reply, err = api.Once(call.Context(), call, tx, func() (*api.Reply, error) {
			rows, err := api.EachOf("items", items, false, func(item wire.Item[PersonChange]) (*Person, error) {
				change := item.Value
				var versions []int64
				if change.SeenVersion != nil {
					versions = []int64{*change.SeenVersion}
				}
				return r.updateIn(call.Context(), tx, change.ID, change.PersonUpdate, versions)
			})
			if err != nil {
				return nil, err
			}
			return api.Rows(call, entity, http.StatusOK, rows)
		})
		return err
	})
	return reply, err
}

// batchDelete deletes many people, or none.
func (r routes) batchDelete(call *api.Call) (*api.Reply, error) {
	if err := call.NoParameters(); err != nil {
		return nil, err
	}
	ids := wire.Required(call.Body, "ids", wire.Many(wire.UUID, 1, api.MostItems))
	if err := call.Body.Refusal(); err != nil {
		return nil, err
	}
	if err := call.Caller.Require("person:delete"); err != nil {
		return nil, err
	}
	var reply *api.Reply
	err := r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) (err error) {
		reply, err = api.Once(call.Context(), call, tx, func() (*api.Reply, error) {
			_, err := api.EachOf("ids", ids, true, func(id uuid.UUID) (struct{}, error) {
				return struct{}{}, r.deleteIn(call.Context(), tx, id, nil)
			})
			return api.NoContent(), err
		})
		return err
	})
	return reply, err
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

func (r routes) deleteIn(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	if err := beforeDelete(ctx, tx, id); err != nil {
		return err
	}
	if err := DeletePerson(ctx, tx, id, versions); err != nil {
		return err
	}
	return afterDelete(ctx, tx, id)
}
