// Package config is every setting of the service: its environment variable, and what is refused at the start.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Provider is how to read the tokens of an identity provider. Each value can be set by AUTH_<NAME>.
type Provider struct {
	Name          string
	Issuer        string
	JWKSURL       string
	Algorithms    []string
	AudienceClaim string
	Audience      []string
	UserClaim     string
	TenantClaim   string
	RolesClaim    string
	ServiceClaim  string
	ServiceValue  string
	Require       map[string]string
	// Refetch is how long the keys are not asked for again, whatever key is named meanwhile.
	Refetch time.Duration
}

// Settings are what the process was told. They are read once, at the start.
type Settings struct {
	Service          string
	Production       bool
	DatabaseURL      string
	DatabaseRole     string
	DatabaseSchema   string
	DatabasePoolSize int
	PgBouncer        bool
	AutoMigrate      bool
	Provider         Provider
	AuthDevSecret    string
	Host             string
	Port             int
	MetricsPort      int
	MaxBodyBytes     int
	RateLimit        int
	DrainSeconds     int
	Traces           bool
	LogLevel         slog.Level
}

// LogValue keeps secrets out of logs.
func (s Settings) LogValue() slog.Value {
	return slog.GroupValue(slog.String("service", s.Service), slog.Bool("production", s.Production))
}

var asymmetric = []string{"ES256", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}

// Load reads the settings from the environment; an error tells everything that is wrong with it.
func Load(getenv func(string) string) (Settings, error) {
	reader := &reader{getenv: getenv}
	production := reader.oneOf("ENVIRONMENT", "development", "development", "production") == "production"
	metricsPort, drainSeconds := 0, 0
	if production {
		metricsPort, drainSeconds = 9090, 5
	}
	settings := Settings{
		Service:          Service,
		Production:       production,
		DatabaseURL:      reader.required("DATABASE_URL", "such as postgresql://app_api:...@host/db"),
		DatabaseRole:     reader.text("DATABASE_ROLE", ""),
		DatabaseSchema:   reader.text("DATABASE_SCHEMA", "public"),
		DatabasePoolSize: reader.number("DATABASE_POOL_SIZE", 10, 1, 200),
		PgBouncer:        reader.flag("PGBOUNCER"),
		AutoMigrate:      reader.flag("AUTO_MIGRATE"),
		Provider:         reader.provider(production),
		AuthDevSecret:    reader.text("AUTH_DEV_SECRET", ""),
		Host:             reader.text("HOST", "127.0.0.1"),
		Port:             reader.number("PORT", 8000, 0, 65535),
		MetricsPort:      reader.number("METRICS_PORT", metricsPort, 0, 65535),
		MaxBodyBytes:     reader.number("MAX_BODY_BYTES", 1_000_000, 1_000, 100_000_000),
		RateLimit:        reader.number("RATE_LIMIT", 0, 0, 1_000_000),
		DrainSeconds:     reader.number("DRAIN_SECONDS", drainSeconds, 0, 60),
		Traces:           reader.traces(),
		LogLevel:         reader.logLevel(),
	}
	if settings.Provider.Name == "dev" && len(settings.AuthDevSecret) < 32 {
		reader.fault("AUTH_DEV_SECRET should have at least 32 characters (make token needs it too)")
	}
	if production && settings.AutoMigrate {
		reader.fault("AUTO_MIGRATE is for development; in production run `migrate up`")
	}
	if len(reader.faults) == 0 {
		return settings, nil
	}
	advice := ""
	if !production {
		advice = "\nFor development `make dev` reads .env, a copy of .env.example."
	}
	return settings, errors.New("settings are missing or unsafe:\n  " + strings.Join(reader.faults, "\n  ") + advice)
}

func (r *reader) provider(production bool) Provider {
	var names []string
	for _, each := range Providers {
		names = append(names, each.Name)
	}
	name := r.oneOf("AUTH_PROVIDER", defaultProvider, names...)
	if name == "dev" && production {
		r.fault("AUTH_PROVIDER=dev is refused when ENVIRONMENT=production: anyone could sign tokens")
	}
	place := max(slices.Index(names, name), 0)
	found := Providers[place]
	found.Issuer = r.text("AUTH_ISSUER", found.Issuer)
	found.JWKSURL = r.text("AUTH_JWKS_URL", strings.ReplaceAll(found.JWKSURL, "{issuer}", found.Issuer))
	found.Algorithms = r.words("AUTH_ALGORITHMS", found.Algorithms)
	found.AudienceClaim = r.text("AUTH_AUDIENCE_CLAIM", found.AudienceClaim)
	found.Audience = r.words("AUTH_AUDIENCE", found.Audience)
	found.UserClaim = r.text("AUTH_USER_CLAIM", found.UserClaim)
	found.TenantClaim = r.text("AUTH_TENANT_CLAIM", found.TenantClaim)
	found.RolesClaim = r.text("AUTH_ROLES_CLAIM", found.RolesClaim)
	found.ServiceClaim = r.text("AUTH_SERVICE_CLAIM", found.ServiceClaim)
	found.ServiceValue = r.text("AUTH_SERVICE_VALUE", found.ServiceValue)
	found.Refetch = time.Duration(r.number("AUTH_REFETCH_SECONDS", 60, 1, 3600)) * time.Second
	if found.Name == "dev" {
		if !slices.Equal(found.Algorithms, []string{"HS256"}) {
			r.fault("AUTH_ALGORITHMS cannot be set for AUTH_PROVIDER=dev")
		}
		return found
	}
	if found.Issuer == "" {
		r.fault("AUTH_ISSUER is missing: the exact `iss` of your provider's tokens")
	}
	isLocal := !production && strings.Contains(found.JWKSURL, "localhost")
	if !strings.HasPrefix(found.JWKSURL, "https://") && !isLocal {
		r.fault("AUTH_JWKS_URL should begin with https://")
	}
	if len(found.Audience) == 0 {
		r.fault(fmt.Sprintf("AUTH_AUDIENCE is missing: what `%s` must contain", found.AudienceClaim))
	}
	for _, each := range found.Algorithms {
		if !slices.Contains(asymmetric, each) {
			r.fault("AUTH_ALGORITHMS may only name " + strings.Join(asymmetric, ", "))
			break
		}
	}
	return found
}

// traces: whether spans are sent. They are when the standard variables of OpenTelemetry name a place, and nobody
// switched it off.
func (r *reader) traces() bool {
	place := r.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", r.text("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
	off := strings.EqualFold(r.text("OTEL_SDK_DISABLED", ""), "true") || r.text("OTEL_TRACES_EXPORTER", "") == "none"
	if place == "" || off {
		return false
	}
	if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
		r.fault("OTEL_EXPORTER_OTLP_ENDPOINT should begin with http:// or https://")
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		r.oneOf(name, "http/protobuf", "http/protobuf")
	}
	return true
}

// reader reads variables, or the files that NAME_FILE points at, and collects what is wrong.
type reader struct {
	getenv func(string) string
	faults []string
}

func (r *reader) fault(text string) { r.faults = append(r.faults, text) }

func (r *reader) text(name, fallback string) string {
	if path := r.getenv(name + "_FILE"); path != "" {
		text, err := os.ReadFile(path)
		if err == nil {
			return strings.TrimSpace(string(text))
		}
		r.fault(fmt.Sprintf("%s_FILE cannot be read: %v", name, err))
	}
	if text := r.getenv(name); text != "" {
		return text
	}
	return fallback
}

func (r *reader) required(name, hint string) string {
	text := r.text(name, "")
	if text == "" {
		r.fault(name + " is missing: " + hint)
	}
	return text
}

func (r *reader) words(name string, fallback []string) []string {
	words := strings.Fields(strings.ReplaceAll(r.text(name, ""), ",", " "))
	if len(words) == 0 {
		return fallback
	}
	return words
}

func (r *reader) flag(name string) bool { return r.oneOf(name, "0", "0", "1") == "1" }

func (r *reader) number(name string, fallback, least, most int) int {
	found, err := strconv.Atoi(r.text(name, strconv.Itoa(fallback)))
	if err != nil || found < least || found > most {
		r.fault(fmt.Sprintf("%s should be a whole number from %d to %d", name, least, most))
		return fallback
	}
	return found
}

func (r *reader) oneOf(name, fallback string, choices ...string) string {
	found := r.text(name, fallback)
	if !slices.Contains(choices, found) {
		r.fault(fmt.Sprintf("%s should be one of: %s", name, strings.Join(choices, ", ")))
	}
	return found
}

func (r *reader) logLevel() slog.Level {
	switch r.oneOf("LOG_LEVEL", "info", "debug", "info", "warning", "error") {
	case "debug":
		return slog.LevelDebug
	case "warning":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
