// Package organizations is the resource /v1/organizations
package organizations

import (
	"context"

	"github.com/google/uuid"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

const entity = "organization"

var table = api.Table{Name: "organizations", Texts: []string{"name", "slug"}}

type routes struct {
	db        *db.DB
	relations api.Relations
}

// Routes are organizations over HTTP.
func Routes(database *db.DB, relations api.Relations) []api.Route {
	r := routes{database, relations}
	return []api.Route{
		{Pattern: "GET /v1/organizations", Endpoint: r.list},
		{Pattern: "GET /v1/organizations/{id}", Endpoint: r.get},
		{Pattern: "POST /v1/organizations", Endpoint: api.Plain(r.create)},
		{Pattern: "PATCH /v1/organizations/{id}", Endpoint: api.Plain(r.update)},
		{Pattern: "DELETE /v1/organizations/{id}", Endpoint: api.Plain(r.delete)},
	}
}

// list shows the organizations that the caller may read, one page at a time.
func (r routes) list(call *api.Call) (*api.Reply, error) {
	query, err := listed.Parse(call)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("organization:read"); err != nil {
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
		return api.ReplyCSV(call, entity, table, r.db, query, ExportOrganizations)
	}
	page, included, err := api.ReadPage(call, r.db, r.relations, entity, query, ListOrganizations)
	if err != nil {
		return nil, err
	}
	return api.ReplyPage(call, entity, query, page, included)
}

// create makes an organization.
func (r routes) create(call *api.Call) (*api.Reply, error) {
	body, err := wire.Read(call.Body, createFrom)
	if err != nil {
		return nil, err
	}
	if err := call.MayWrite("organization:create", entity); err != nil {
		return nil, err
	}
	// A new organization is a tenant of its own, and is made inside of itself.
	tenant := db.NewID()
	return call.WriteOnce(r.db, &tenant, func(tx *db.Tx) (*api.Reply, error) {
		created, err := r.createIn(call.Context(), tx, body)
		if err != nil {
			return nil, err
		}
		return call.Created(entity, created, created.ID, &created.Version)
	})
}

// get shows one organization.
func (r routes) get(call *api.Call) (*api.Reply, error) {
	paths, err := call.OnlyInclude()
	if err != nil {
		return nil, err
	}
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("organization:read"); err != nil {
		return nil, err
	}
	found, included, err := api.ReadRow(call, r.db, r.relations, entity, paths, func(tx *db.Tx) (*Organization, error) {
		return GetOrganization(call.Context(), tx, id)
	})
	if err != nil {
		return nil, err
	}
	if included != nil {
		return api.Included(included), nil
	}
	return call.Row(entity, found, &found.Version)
}

// update changes an organization: fields that are absent stay as they are.
func (r routes) update(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	patch, err := wire.Read(call.Body, updateFrom)
	if err != nil {
		return nil, err
	}
	if err := call.MayWrite("organization:update", entity); err != nil {
		return nil, err
	}
	var updated *Organization
	err = r.db.Write(call.Context(), call.Caller, nil, func(tx *db.Tx) error {
		updated, err = r.updateIn(call.Context(), tx, id, patch, call.Versions())
		return err
	})
	if err != nil {
		return nil, err
	}
	return call.Row(entity, updated, &updated.Version)
}

// delete removes an organization.
func (r routes) delete(call *api.Call) (*api.Reply, error) {
	id, err := api.ID(call, "id", wire.ParseUUID)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("organization:delete"); err != nil {
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

func (r routes) createIn(ctx context.Context, tx *db.Tx, body OrganizationCreate) (*Organization, error) {
	if err := beforeCreate(ctx, tx, &body); err != nil {
		return nil, err
	}
	created, err := CreateOrganization(ctx, tx, body)
	if err != nil {
		return nil, err
	}
	return created, afterCreate(ctx, tx, created)
}

func (r routes) updateIn(
	ctx context.Context, tx *db.Tx, id uuid.UUID, patch OrganizationUpdate, versions []int64,
) (*Organization, error) {
	if err := beforeUpdate(ctx, tx, id, &patch); err != nil {
		return nil, err
	}
	updated, err := UpdateOrganization(ctx, tx, id, patch, versions)
	if err != nil {
		return nil, err
	}
	return updated, afterUpdate(ctx, tx, updated)
}

func (r routes) deleteIn(ctx context.Context, tx *db.Tx, id uuid.UUID, versions []int64) error {
	if err := beforeDelete(ctx, tx, id); err != nil {
		return err
	}
	if err := DeleteOrganization(ctx, tx, id, versions); err != nil {
		return err
	}
	return afterDelete(ctx, tx, id)
}
