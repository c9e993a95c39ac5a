package server

import (
	"slices"

	"acme-works/internal/api"
	"acme-works/internal/auditlog"
	"acme-works/internal/db"
	"acme-works/internal/organizations"
	"acme-works/internal/people"
	"acme-works/internal/projects"
)

// features are the resources of the API, in the order of the schema. Your own routes are in extra.go.
func features(database *db.DB) []api.Route {
	return slices.Concat(
		organizations.Routes(database, relations),
		projects.Routes(database, relations),
		people.Routes(database, relations),
		auditlog.Routes(database, relations),
	)
}
