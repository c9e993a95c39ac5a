// Command peer is customers by hand: net/http and pgx, as one would write them for these tables and no others.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const columns = "id, name, email, status, city, revenue::text, created_at, updated_at, version"

type customer struct {
	ID        uuid.UUID `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Status    string    `json:"status"`
	City      *string   `json:"city"`
	Revenue   *string   `json:"revenue"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Version   int64     `json:"version"`
}

type customerCreate struct {
	Name    string  `json:"name"`
	Email   string  `json:"email"`
	Status  string  `json:"status"`
	City    *string `json:"city"`
	Revenue *string `json:"revenue"`
}

var (
	address  = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	decimal  = regexp.MustCompile(`^-?[0-9]{1,10}(\.[0-9]{1,2})?$`)
	statuses = []string{"lead", "active", "former"}
)

func (c customerCreate) valid() bool {
	return c.Name != "" && len(c.Name) <= 120 && len(c.Email) <= 320 && address.MatchString(c.Email) &&
		slices.Contains(statuses, c.Status) && (c.City == nil || len(*c.City) <= 80) &&
		(c.Revenue == nil || decimal.MatchString(*c.Revenue))
}

type server struct {
	pool   *pgxpool.Pool
	secret []byte
	parser *jwt.Parser
}

type handler func(w http.ResponseWriter, r *http.Request, tenant uuid.UUID) error

// authenticated finds the tenant of the caller, who has to be an admin.
func (s server) authenticated(next handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		var claims struct {
			jwt.RegisteredClaims
			Roles    []string  `json:"roles"`
			TenantID uuid.UUID `json:"tenant_id"`
		}
		_, err := s.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return s.secret, nil })
		if err != nil || !strings.EqualFold(scheme, "bearer") {
			http.Error(w, "unauthenticated", http.StatusUnauthorized)
			return
		}
		if !slices.Contains(claims.Roles, "admin") {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		if err := next(w, r, claims.TenantID); err != nil {
			log.Print(err)
			http.Error(w, "internal", http.StatusInternalServerError)
		}
	}
}

// within is a transaction in which row-level security knows the tenant.
func (s server) within(ctx context.Context, tenant uuid.UUID, work func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select set_config('app.tenant_id', $1, true)", tenant.String()); err != nil {
			return err
		}
		return work(tx)
	})
}

func (s server) get(w http.ResponseWriter, r *http.Request, tenant uuid.UUID) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		http.Error(w, "bad id", http.StatusBadRequest)
		return nil
	}
	var found customer
	err = s.within(r.Context(), tenant, func(tx pgx.Tx) error {
		rows, _ := tx.Query(r.Context(), "select "+columns+" from customer where tenant_id = $1 and id = $2", tenant, id)
		found, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[customer])
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		http.Error(w, "not found", http.StatusNotFound)
		return nil
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, found)
}

func (s server) list(w http.ResponseWriter, r *http.Request, tenant uuid.UUID) error {
	limit := 25
	if text := r.URL.Query().Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > 100 {
			http.Error(w, "bad limit", http.StatusBadRequest)
			return nil
		}
	}
	var found []customer
	err := s.within(r.Context(), tenant, func(tx pgx.Tx) error {
		rows, _ := tx.Query(r.Context(),
			"select "+columns+" from customer where tenant_id = $1 order by id limit $2", tenant, limit+1)
		var err error
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[customer])
		return err
	})
	if err != nil {
		return err
	}
	page := map[string]any{"limit": limit, "has_more": len(found) > limit}
	return answer(w, http.StatusOK, map[string]any{"data": found[:min(limit, len(found))], "page": page})
}

func (s server) create(w http.ResponseWriter, r *http.Request, tenant uuid.UUID) error {
	body := customerCreate{Status: "lead"}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1_000_000))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil || !body.valid() {
		http.Error(w, "bad body", http.StatusUnprocessableEntity)
		return nil
	}
	var created customer
	err := s.within(r.Context(), tenant, func(tx pgx.Tx) error {
		rows, _ := tx.Query(r.Context(), "insert into customer (tenant_id, id, name, email, status, city, revenue)"+
			" values ($1, $2, $3, $4, $5, $6, $7::text::numeric) returning "+columns,
			tenant, uuid.New(), body.Name, body.Email, body.Status, body.City, body.Revenue)
		var err error
		created, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[customer])
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, created)
}

func answer(w http.ResponseWriter, status int, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(value)
}

func main() {
	options, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal("DATABASE_URL is no address of PostgreSQL")
	}
	options.MaxConns = 10
	options.ConnConfig.RuntimeParams = map[string]string{"role": "app_api", "timezone": "UTC"}
	pool, err := pgxpool.NewWithConfig(context.Background(), options)
	if err != nil {
		log.Fatal(err)
	}
	s := server{pool, []byte(os.Getenv("AUTH_DEV_SECRET")), jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("dev"), jwt.WithExpirationRequired())}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/customers/{id}", s.authenticated(s.get))
	mux.HandleFunc("GET /v1/customers", s.authenticated(s.list))
	mux.HandleFunc("POST /v1/customers", s.authenticated(s.create))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}
