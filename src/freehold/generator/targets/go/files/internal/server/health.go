package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"service/internal/db"
	"service/internal/migrate"
)

// healthz: the process answers. It says nothing about the database, so that a restart is not asked of it in vain.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz: ready for traffic. The database answers, its migrations are ours, and we are not about to stop.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	answer := struct {
		Status string   `json:"status"`
		Faults []string `json:"faults"`
	}{"ok", s.faults(r.Context())}
	status := http.StatusOK
	if len(answer.Faults) > 0 {
		answer.Status, status = "not ready", http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

func (s *Server) faults(ctx context.Context) []string {
	if s.draining.Load() {
		return []string{"shutting down"}
	}
	applied, err := s.db.AppliedMigrations(ctx)
	if err != nil {
		return []string{"the database does not answer"}
	}
	files, err := migrate.Embedded()
	if err != nil {
		return []string{err.Error()}
	}
	missing := slices.DeleteFunc(files.Versions(), func(version string) bool { return applied[version] })
	if len(missing) > 0 {
		return []string{"migrations not applied: " + strings.Join(missing, ", ")}
	}
	return []string{}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller may have gone: there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}

// measure tells Prometheus about the pool. A second server of the same process takes over from the first.
func measure(database *db.DB) {
	gauge := func(state string, count func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "db_pool_connections", Help: "Connections to PostgreSQL.",
			ConstLabels: prometheus.Labels{"state": state},
		}, count)
	}
	for _, each := range []prometheus.Collector{
		gauge("idle", func() float64 { _, idle := database.Connections(); return float64(idle) }),
		gauge("used", func() float64 { total, idle := database.Connections(); return float64(total - idle) }),
	} {
		var taken prometheus.AlreadyRegisteredError
		if err := prometheus.Register(each); errors.As(err, &taken) {
			prometheus.Unregister(taken.ExistingCollector)
			_ = prometheus.Register(each)
		}
	}
}
