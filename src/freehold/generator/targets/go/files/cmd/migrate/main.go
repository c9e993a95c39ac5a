// Command migrate brings the database to the version of the service: migrate up|down|status|baseline|roles.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"service/internal/migrate"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: migrate", migrate.Commands())
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := migrate.Command(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
