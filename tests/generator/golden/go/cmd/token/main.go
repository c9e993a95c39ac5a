// Command token prints a token for development: token --role admin --tenant <id> --user <id>.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"acme-works/internal/access"
	"acme-works/internal/auth"
)

func main() {
	roles := append(slices.Clone(access.Roles), "service")
	role := flag.String("role", "", "one of "+strings.Join(roles, ", "))
	tenant := flag.String("tenant", "", "id of the tenant")
	user := flag.String("user", "", "id of the user")
	hours := flag.Int("hours", 8, "how long it is good")
	flag.Parse()
	if !slices.Contains(roles, *role) {
		fail("--role should be one of: " + strings.Join(roles, ", "))
	}
	secret := os.Getenv("AUTH_DEV_SECRET")
	if len(secret) < 32 {
		fail("AUTH_DEV_SECRET should have at least 32 characters; see .env.example")
	}
	token, err := auth.Issue(secret, *role, *tenant, *user, time.Duration(*hours)*time.Hour)
	if err != nil {
		fail(err.Error())
	}
	fmt.Println(token)
}

func fail(reason string) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(2)
}
