// Package projects is the resource /v1/projects: A piece of work with a budget.
package projects

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

const entity = "project"

var table = api.Table{Name: "projects", Texts: []string{"name", "code", "status", "created_by", "updated_by"}}

type routes struct {
	db        *db.DB
	relations api.Relations
}

// Routes are projects over HTTP.
func Routes(database *db.DB, relations api.Relations) []api.Route {
	r := routes{database, relations}
	return []api.Route{
		{Pattern: "GET /v1/projects", Endpoint: r.list},
		{Pattern: "GET /v1/projects/{id}", Endpoint: r.get},
		{Pattern: "POST /v1/projects", Endpoint: api.Plain(r.create)},
		{Pattern: "PATCH /v1/projects/{id}", Endpoint: api.Plain(r.update)},
		{Pattern: "DELETE /v1/projects/{id}", Endpoint: api.Plain(r.delete)},
		{Pattern: "POST /v1/projects/{id}/restore", Endpoint: api.Plain(r.restore)},
		{Pattern: "POST /v1/projects/batch", Endpoint: api.Plain(r.batchCreate)},
		{Pattern: "POST /v1/projects/batch-update", Endpoint: api.Plain(r.batchUpdate)},
		{Pattern: "POST /v1/projects/batch-delete", Endpoint: api.Plain(r.batchDelete)},
	}
}

// list shows the projects that the caller may read, one page at a time.
func (r routes) list(call *api.Call) (*api.Reply, error) {
	query, err := listed.Parse(call)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("project:read"); err != nil {
		return nil, err
	}
	if query.Deleted != "exclude" {
		if err := call.Caller.Require("project:read_deleted"); err != nil {
			return nil, err
		}
	}
	if err := query.Check(entity, call.Caller); err != nil {
		return nil, err
	}
	isCSV, err := call.WantsCSV()
	if err != nil {
		return nil, err
	}
	if isCSV {
		return api.ReplyCSV(call, entity, table, r.db, query, ExportProjects)
	}
	page, included, err := api.ReadPage(call, r.db, r.relations, entity, query, ListProjects)
	if err != nil {
		return nil, err
	}
	return api.ReplyPage(call, entity, query, page, included)
}

// create makes a project.
func (r routes) create(call *api.Call) (*api.Reply, error) {
	body, err := wire.Read(call.Body, createFrom)
	if err != nil {
		return nil, err
	}
	if err := call.MayWrite("project:create", entity); err != nil {
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

// get shows one project.
func (r routes) get(call *api.Call) (*api.Reply, error) {
	paths, err := call.OnlyInclude()
	if err != nil {
		return nil, err
	}
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("project:read"); err != nil {
		return nil, err
	}
	found, included, err := api.ReadRow(call, r.db, r.relations, entity, paths, func(tx *db.Tx) (*Project, error) {
		return GetProject(call.Context(), tx, id)
	})
	if err != nil {
		return nil, err
	}
	if included != nil {
		return api.Included(included), nil
	}
	return call.Row(entity, found, &found.Version)
}

// update changes a project: fields that are absent stay as they are.
func (r routes) update(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	patch, err := wire.Read(call.Body, updateFrom)
	if err != nil {
		return nil, err
	}
	if err := call.MayWrite("project:update", entity); err != nil {
		return nil, err
	}
	var updated *Project
	err = r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
		updated, err = r.updateIn(call.Context(), tx, id, patch, call.Versions())
		return err
	})
	if err != nil {
		return nil, err
	}
	return call.Row(entity, updated, &updated.Version)
}

// delete removes a project; it can be restored.
func (r routes) delete(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("project:delete"); err != nil {
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

// restore brings a project back that was deleted.
func (r routes) restore(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("project:restore"); err != nil {
		return nil, err
	}
	var restored *Project
	err = r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
		restored, err = RestoreProject(call.Context(), tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return call.Row(entity, restored, &restored.Version)
}

// batchCreate makes many projects, or none.
func (r routes) batchCreate(call *api.Call) (*api.Reply, error) {
	items := wire.Items(call.Body, "items", api.MostItems, upsertFrom)
	onConflict := wire.Default(call.Body, "on_conflict", api.OnConflict, "error")
	permissions := []string{"project:create"}
	if onConflict == "update" {
		permissions = append(permissions, "project:update")
	}
	work := func(ctx context.Context, tx *db.Tx, body upsert) (*Project, error) {
		return r.upsertIn(ctx, tx, body, onConflict)
	}
	return api.WriteEach(call, r.db, entity, items, http.StatusCreated, work, permissions...)
}

// batchUpdate changes many projects, or none.
func (r routes) batchUpdate(call *api.Call) (*api.Reply, error) {
	items := wire.Items(call.Body, "items", api.MostItems, changeFrom)
	return api.WriteEach(call, r.db, entity, items, http.StatusOK, r.changeIn, "project:update")
}

// batchDelete deletes many projects, or none.
func (r routes) batchDelete(call *api.Call) (*api.Reply, error) {
	ids := wire.Required(call.Body, "ids", wire.Many(wire.UUID, 1, api.MostItems))
	return api.DeleteEach(call, r.db, ids, "project:delete", func(tx *db.Tx, id uuid.UUID) error {
		return r.deleteIn(call.Context(), tx, id, nil)
	})
}

func (r routes) createIn(ctx context.Context, tx *db.Tx, body ProjectCreate) (*Project, error) {
	if err := beforeCreate(ctx, tx, &body); err != nil {
		return nil, err
	}
	created, err := CreateProject(ctx, tx, body)
	if err != nil {
		return nil, err
	}
	return created, afterCreate(ctx, tx, created)
}

func (r routes) upsertIn(ctx context.Context, tx *db.Tx, body upsert, onConflict string) (*Project, error) {
	if onConflict == "error" {
		return r.createIn(ctx, tx, body.ProjectCreate)
	}
	if err := beforeCreate(ctx, tx, &body.ProjectCreate); err != nil {
		return nil, err
	}
	found, outcome, err := UpsertProject(ctx, tx, body.ProjectCreate, body.patch, onConflict == "update")
	if err != nil || outcome == db.Known {
		return found, err
	}
	if outcome == db.Updated {
		return found, afterUpdate(ctx, tx, found)
	}
	return found, afterCreate(ctx, tx, found)
}

func (r routes) updateIn(
	ctx context.Context, tx *db.Tx, id uuid.UUID, patch ProjectUpdate, versions []int64,
) (*Project, error) {
	if err := beforeUpdate(ctx, tx, id, &patch); err != nil {
		return nil, err
	}
	updated, err := UpdateProject(ctx, tx, id, patch, versions)
	if err != nil {
		return nil, err
	}
	return updated, afterUpdate(ctx, tx, updated)
}

func (r routes) changeIn(ctx context.Context, tx *db.Tx, change ProjectChange) (*Project, error) {
	return r.updateIn(ctx, tx, change.ID, change.ProjectUpdate, api.Seen(change.SeenVersion))
}

func (r routes) deleteIn(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	if err := beforeDelete(ctx, tx, id); err != nil {
		return err
	}
	if err := DeleteProject(ctx, tx, id, versions); err != nil {
		return err
	}
	return afterDelete(ctx, tx, id)
}
