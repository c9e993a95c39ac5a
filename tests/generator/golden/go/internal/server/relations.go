package server

import (
	"acme-works/internal/api"
	"acme-works/internal/people"
	"acme-works/internal/projects"
	"acme-works/internal/wire"
)

// relations are what `include` follows and what bodies link, by resource and name.
var relations = api.Relations{
	"project": {
		"owner": api.One("person", people.Related, "owner_id", api.Keys(wire.ParseUUID), "id", "project", "owner_id"),
	},
	"person": {
		"projects": api.Many("project", projects.Related, "id", api.Keys(wire.ParseUUID), "owner_id", "project", "owner_id"),
	},
}
