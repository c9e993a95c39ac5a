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
		"owner": {
			Entity:     "person",
			Many:       false,
			Key:        "owner_id",
			Keys:       api.Keys(wire.ParseUUID),
			Column:     "id",
			Guard:      "project",
			GuardField: "owner_id",
			Load:       people.Related,
		},
	},
	"person": {
		"projects": {
			Entity:     "project",
			Many:       true,
			Key:        "id",
			Keys:       api.Keys(wire.ParseUUID),
			Column:     "owner_id",
			Guard:      "project",
			GuardField: "owner_id",
			Load:       projects.Related,
		},
	},
}
