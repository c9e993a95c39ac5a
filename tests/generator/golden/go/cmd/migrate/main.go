// Command migrate brings the database to the version of the service: migrate up|down|status|drift|baseline|roles|seed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"acme-works/internal/migrate"
)

func main() {
	asJSON := len(os.Args) == 3 && os.Args[2] == "--json"
	if len(os.Args) != 2 && !asJSON {
		fmt.Fprintln(os.Stderr, "usage: migrate", migrate.Commands())
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := migrate.Command(ctx, os.Args[1], asJSON)
	switch {
	case errors.Is(err, migrate.ErrDrift):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
