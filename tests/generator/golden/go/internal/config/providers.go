package config

// Service names this service in logs and to PostgreSQL.
const Service = "acme-works"

const defaultProvider = "auth0"

// Providers are the identity providers that AUTH_PROVIDER can name.
var Providers = []Provider{
	{
		// The issuer ends in a slash. Roles come as permissions: switch RBAC on for the API.
		Name:          "auth0",
		JWKSURL:       "{issuer}.well-known/jwks.json",
		Algorithms:    []string{"RS256"},
		AudienceClaim: "aud",
		UserClaim:     "sub",
		TenantClaim:   "org_id",
		RolesClaim:    "permissions",
		ServiceClaim:  "gty",
		ServiceValue:  "client-credentials",
	},
	{
		// Every value is yours to set.
		Name:          "custom",
		Algorithms:    []string{"RS256"},
		AudienceClaim: "aud",
		UserClaim:     "sub",
		TenantClaim:   "tenant_id",
		RolesClaim:    "roles",
	},
	{
		// Tokens of `make token`, signed with AUTH_DEV_SECRET. Refused in production.
		Name:          "dev",
		Issuer:        "dev",
		Algorithms:    []string{"HS256"},
		AudienceClaim: "aud",
		UserClaim:     "sub",
		TenantClaim:   "tenant_id",
		RolesClaim:    "roles",
		ServiceClaim:  "kind",
		ServiceValue:  "service",
	},
}
