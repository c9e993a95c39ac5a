package auth

import (
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Issue is a signed token for development. The service only takes it while AUTH_PROVIDER is `dev`.
func Issue(secret, role, tenant, user string, lifetime time.Duration) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": "dev", "iat": now.Unix(), "exp": now.Add(lifetime).Unix(), "roles": []string{role},
	}
	if role == "service" {
		claims["kind"] = "service"
	}
	if tenant != "" {
		claims["tenant_id"] = tenant
	}
	if user != "" {
		claims["sub"] = user
	}
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
}
