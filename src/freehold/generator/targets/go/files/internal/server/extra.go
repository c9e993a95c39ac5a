package server

import (
	"service/internal/api"
	"service/internal/db"
)

// extra are routes of your own. This file is yours: it was written once, and is never written again. What the routes
// promise is said in openapi.extra.yaml.
//
// A route with the pattern of a resource's takes its place:
//
//	{Pattern: "GET /v1/hello", Endpoint: func(call *api.Call) (*api.Reply, error) { ... }}
func extra(_ *db.DB) []api.Route {
	return nil
}
