// Package auditlog is the resource /v1/audit-log: Who changed what, and when.
package auditlog

import (
	"acme-works/internal/api"
	"acme-works/internal/db"
	"acme-works/internal/wire"
)

const entity = "audit_entry"

var table = api.Table{Name: "audit-log", Texts: []string{"actor_id", "request_id", "entity", "entity_id", "action"}}

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
		return api.ReplyCSV(call, entity, table, r.db, query, ExportAuditLog)
	}
	page, included, err := api.ReadPage(call, r.db, r.relations, entity, query, ListAuditLog)
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
	found, included, err := api.ReadRow(call, r.db, r.relations, entity, paths, func(tx *db.Tx) (*AuditEntry, error) {
		return GetAuditEntry(call.Context(), tx, id)
	})
	if err != nil {
		return nil, err
	}
	if included != nil {
		return api.Included(included), nil
	}
	return call.Row(entity, found, nil)
}
