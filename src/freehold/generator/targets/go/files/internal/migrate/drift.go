package migrate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	service "service"
)

// ErrDrift is that the database is not what its migrations say.
var ErrDrift = errors.New("the database is not what its migrations say")

// Drift is an object that is not as the applied migrations make it.
type Drift struct {
	Object string `json:"object"`
	// Kind is missing, extra or differs.
	Kind string `json:"drift"`
	*Difference
}

// Difference is a fact of an object, as it is and as it should be.
type Difference struct {
	Fact     string  `json:"fact"`
	Is       *string `json:"is"`
	ShouldBe *string `json:"should_be"`
}

func (d Drift) String() string {
	line := fmt.Sprintf("%-7s  %s", d.Kind, d.Object)
	if d.Difference == nil {
		return line
	}
	value := func(text *string) string {
		if text == nil {
			return "not there"
		}
		return cmp.Or(*text, "empty")
	}
	return fmt.Sprintf("%s: %s is %s, and should be %s", line, d.Fact, value(d.Is), value(d.ShouldBe))
}

// TellDrift says what Drifts finds. It fails with ErrDrift when there is anything.
func (s *Session) TellDrift(ctx context.Context, asJSON bool) error {
	found, err := s.Drifts(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		text, err := json.Marshal(map[string][]Drift{"drift": found})
		if err != nil {
			return err
		}
		s.log(string(text))
	} else {
		for _, each := range found {
			s.log(each.String())
		}
	}
	if len(found) > 0 {
		return ErrDrift
	}
	if !asJSON {
		s.log("The database is what its applied migrations say.")
	}
	return nil
}

// Drifts compares what is there with what the applied migrations make.
func (s *Session) Drifts(ctx context.Context) ([]Drift, error) {
	done, err := s.Applied(ctx)
	if err != nil {
		return nil, err
	}
	var made Files
	for _, version := range slices.Sorted(maps.Keys(done)) {
		file, known := s.files.find(version)
		if !known {
			return nil, fmt.Errorf("%s was applied by a newer version of the service: ask that one", version)
		}
		if then := done[version]; then != nil && *then != file.Checksum() {
			return nil, fmt.Errorf("%s was edited after it was applied: restore it", file.Name)
		}
		made = append(made, file)
	}
	actual, err := s.facts(ctx)
	if err != nil {
		return nil, err
	}
	var wanted facts
	err = s.madeAnew(ctx, made, func(string) error {
		wanted, err = s.facts(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return drifts(wanted, actual), nil
}

type facts map[string]map[string]string

func (s *Session) facts(ctx context.Context) (facts, error) {
	query, err := service.Database.ReadFile("db/catalog.sql")
	if err != nil {
		return nil, err
	}
	rows, err := s.Query(ctx, string(query))
	if err != nil {
		return nil, err
	}
	found := facts{}
	var name, fact, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &fact, &value}, func() error {
		if found[name] == nil {
			found[name] = map[string]string{}
		}
		found[name][fact] = value
		return nil
	})
	return found, err
}

// drifts are each object that is missing or extra, without what belongs to it, and each fact that differs.
func drifts(wanted, actual facts) []Drift {
	found := []Drift{}
	lopsided := func(object, kind string, there, elsewhere facts) {
		_, rest, _ := strings.Cut(object, " ")
		owner, _, _ := strings.Cut(rest, ".")
		table := "table " + owner
		if object == table || there[table] == nil || elsewhere[table] != nil {
			found = append(found, Drift{Object: object, Kind: kind})
		}
	}
	for _, object := range both(wanted, actual) {
		is, should := actual[object], wanted[object]
		switch {
		case is == nil:
			lopsided(object, "missing", wanted, actual)
		case should == nil:
			lopsided(object, "extra", actual, wanted)
		default:
			for _, fact := range both(is, should) {
				value, other := at(is, fact), at(should, fact)
				if value == nil || other == nil || *value != *other {
					found = append(found, Drift{object, "differs", &Difference{fact, value, other}})
				}
			}
		}
	}
	return found
}

func both[V any](one, other map[string]V) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(one)), maps.Keys(other))
	slices.Sort(names)
	return slices.Compact(names)
}

func at(facts map[string]string, fact string) *string {
	value, known := facts[fact]
	if !known {
		return nil
	}
	return &value
}
