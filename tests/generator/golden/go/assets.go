// Package service is what the binaries carry with them, so that nothing has to be shipped beside them.
package service

import "embed"

// OpenAPI is the contract.
//
//go:embed openapi.json
var OpenAPI []byte

// Database holds db/migrations, db/roles.sql and db/seed.sql.
//
//go:embed db/migrations/*.sql db/roles.sql db/seed.sql
var Database embed.FS
