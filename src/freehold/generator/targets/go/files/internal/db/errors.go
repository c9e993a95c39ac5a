package db

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"service/internal/problem"
)

var errUnreachable = errors.New("the database cannot be reached")

// IsLostRace tells whether PostgreSQL chose the work as the victim of a deadlock or a write conflict: running it
// again is the cure.
func IsLostRace(err error) bool {
	state := sqlState(err)
	return state == "40001" || state == "40P01"
}

func sqlState(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// Problem is what an error of the database means to the caller; its text never leaves the service. Problems stay as
// they are.
func Problem(ctx context.Context, err error, deleting bool) *problem.Problem {
	var known *problem.Problem
	if errors.As(err, &known) {
		return known
	}
	var refused *pgconn.PgError
	var network net.Error
	var connecting *pgconn.ConnectError
	switch {
	case errors.As(err, &refused):
		return ofState(ctx, refused, deleting)
	case errors.Is(err, context.Canceled): // by the caller, who has gone
		return problem.Unavailable()
	case errors.Is(err, errUnreachable), errors.As(err, &connecting), errors.As(err, &network):
		slog.WarnContext(ctx, "database unreachable", "error", err)
		return problem.Unavailable()
	case strings.Contains(err.Error(), "failed to encode"):
		return outOfRange()
	}
	slog.ErrorContext(ctx, "unexpected error", "error", err)
	return problem.Internal()
}

func ofState(ctx context.Context, refused *pgconn.PgError, deleting bool) *problem.Problem {
	state := refused.Code
	fields := Constraints[refused.ConstraintName]
	switch {
	case state == "23505":
		return problem.Taken(fields...)
	case state == "23001", state == "23503" && deleting:
		return problem.New(http.StatusConflict, "still_referenced", "Other rows still refer to this one.")
	case state == "23503":
		pointers := make([]string, len(fields))
		for place, field := range fields {
			pointers[place] = problem.Pointer(field)
		}
		return problem.UnknownReference(pointers...)
	case state == "23514", state == "23502":
		return problem.NotAllowed(fields...)
	case strings.HasPrefix(state, "22"), strings.HasPrefix(state, "54"):
		return outOfRange()
	case slices.Contains([]string{"40001", "40P01", "55P03", "57014"}, state),
		strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "533"), strings.HasPrefix(state, "08"):
		slog.WarnContext(ctx, "database unavailable", "sqlstate", state)
		return problem.Unavailable()
	}
	// 42501 is row-level security refusing a write: it always means a mistake in this service.
	slog.ErrorContext(ctx, "unexpected database error", "sqlstate", state, "error", refused.Message)
	return problem.Internal()
}

func outOfRange() *problem.Problem {
	return problem.New(
		http.StatusUnprocessableEntity, "validation_failed", "A value is outside of what can be stored.")
}
