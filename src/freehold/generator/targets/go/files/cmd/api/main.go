// Command api serves.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"service/internal/api"
	"service/internal/config"
	"service/internal/db"
	"service/internal/migrate"
	"service/internal/server"
	"service/internal/traces"
)

func main() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, syscall.SIGTERM, os.Interrupt)
	go func() {
		<-asked
		stop()
		<-asked // whoever asks twice does not want to wait
		os.Exit(1)
	}()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "The service cannot run:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	settings, err := config.Load(os.Getenv)
	if err != nil {
		return err
	}
	lines := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: settings.LogLevel})
	slog.SetDefault(slog.New(api.OfRequests(lines)))
	if settings.AutoMigrate {
		if err := migrate.Command(ctx, "up", false); err != nil {
			return err
		}
	}
	var spans *traces.Traces
	var tracer pgx.QueryTracer
	if settings.Traces {
		if spans, err = traces.Start(ctx, settings.Service); err != nil {
			return err
		}
		tracer = spans.Statements()
		defer flush(spans)
	}
	database, err := db.Open(ctx, settings, tracer)
	if err != nil {
		return err
	}
	defer database.Close()
	return server.New(settings, database, spans).Run(ctx)
}

const flushTimeout = 5 * time.Second

func flush(spans *traces.Traces) {
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	if err := spans.Stop(ctx); err != nil {
		slog.Warn("the last spans were not sent", "error", err)
	}
}
