// Package service is what the binaries carry with them, so that nothing has to be shipped beside them.
package service

import "embed"

// OpenAPI is the contract.
//
//go:embed openapi.json
var OpenAPI []byte

// Database holds db/migrations, db/roles.sql, db/seed.sql and db/catalog.sql.
//
//go:embed db/migrations/*.sql db/roles.sql db/seed.sql db/catalog.sql
var Database embed.FS
