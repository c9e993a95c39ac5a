package api

import (
	"strconv"

	"acme-works/internal/access"
	"acme-works/internal/db"
	"acme-works/internal/problem"
	"acme-works/internal/wire"
)

// MostItems bounds a batch.
const MostItems = 500

// OnConflict is what to do about a natural key that is there already.
var OnConflict = wire.Quoted(wire.ParseEnum("error", "update", "ignore"))

// EachOf does the work for every item. The first that fails ends it, and the transaction with it; the refusal points at
// the item.
func EachOf[Item, Result any](
	field string, items []Item, deleting bool, work func(item Item) (Result, error),
) ([]Result, error) {
	found := make([]Result, len(items))
	for place, item := range items {
		var err error
		if found[place], err = work(item); err != nil {
			if db.IsLostRace(err) { // the whole request is run again
				return nil, err
			}
			return nil, pointedAt(field, place, db.Problem(err, deleting))
		}
	}
	return found, nil
}

// CheckItems refuses fields that the caller may not set, wherever they are.
func CheckItems[T any](caller access.Principal, entity string, items []wire.Item[T]) error {
	for place, item := range items {
		if err := caller.CheckWritable(entity, item.Sent); err != nil {
			return pointedAt("items", place, problem.Of(err))
		}
	}
	return nil
}

func pointedAt(field string, place int, refusal *problem.Problem) error {
	pointer := problem.Pointer(field, strconv.Itoa(place))
	moved := *refusal
	moved.Faults = nil
	for _, each := range refusal.Faults {
		each.Pointer = pointer + each.Pointer
		moved.Faults = append(moved.Faults, each)
	}
	if moved.Faults == nil {
		moved.Faults = []problem.Fault{{Pointer: pointer, Code: refusal.Code, Message: refusal.Detail}}
	}
	return &moved
}
