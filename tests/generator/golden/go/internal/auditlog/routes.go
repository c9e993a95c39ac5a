// Package auditlog is the resource /v1/audit-log: Who changed what, and when.
package auditlog

import (
	"context"
	"encoding/json"

	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

const entity = "audit_entry"

var table = api.Table{
	Name: "audit-log",
	Fields: []string{
		"id",
		"at",
		"actor_id",
		"request_id",
		"entity",
		"entity_id",
		"action",
		"before",
		"after",
	},
	Texts: []string{
		"actor_id",
		"request_id",
		"entity",
		"entity_id",
		"action",
	},
}

type routes struct {
	db        *db.DB
	relations api.Relations
}

// Routes are audit log over HTTP.
func Routes(database *db.DB, relations api.Relations) []api.Route {
	r := routes{database, relations}
	return []api.Route{
		{Pattern: "GET /v1/audit-log", Endpoint: r.list},
		{Pattern: "GET /v1/audit-log/{id}", Endpoint: r.get},
	}
}

// list shows the audit log that the caller may read, one page at a time.
func (r routes) list(call *api.Call) (*api.Reply, error) {
	query, err := listed.Parse(call)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("audit_entry:read"); err != nil {
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
			func(ctx context.Context, tx *db.Tx, take func(rows []AuditEntry) error) error {
				return ExportAuditLog(ctx, tx, query, take)
			}), nil
	}
	wanted, err := r.relations.Tree(call.Caller, entity, query.Include)
	if err != nil {
		return nil, err
	}
	var page *api.Page[AuditEntry]
	var included []json.RawMessage
	err = r.db.Read(call.Context(), call.Caller, func(tx *db.Tx) error {
		page, err = ListAuditLog(call.Context(), tx, query)
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

// get shows one audit entry.
func (r routes) get(call *api.Call) (*api.Reply, error) {
	paths, err := call.OnlyInclude()
	if err != nil {
		return nil, err
	}
	id, err := api.ID(call, "id", wire.ParseInt53)
	if err != nil {
		return nil, err
	}
	if err := call.Caller.Require("audit_entry:read"); err != nil {
		return nil, err
	}
	wanted, err := r.relations.Tree(call.Caller, entity, paths)
	if err != nil {
		return nil, err
	}
	var found *AuditEntry
	var included []json.RawMessage
	err = r.db.Read(call.Context(), call.Caller, func(tx *db.Tx) error {
		found, err = GetAuditEntry(call.Context(), tx, id)
		if err == nil && wanted != nil {
			included, err = api.IncludeIn(call.Context(), tx, r.relations, entity, []AuditEntry{*found}, wanted)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if included != nil {
		return api.Included(included[0]), nil
	}
	return call.Row(entity, found, nil)
}
