package api

import (
	"context"
	"strconv"

	"service/internal/access"
	"service/internal/db"
	"service/internal/problem"
	"service/internal/wire"
)

// MostItems bounds a batch.
const MostItems = 500

// OnConflict is what to do about a natural key that is there already.
var OnConflict = wire.Quoted(wire.ParseEnum("error", "update", "ignore"))

// WriteEach writes a row for every item of a body, or none: for callers who have the permissions, and at most once for
// each idempotency key.
func WriteEach[Item, Row any](
	call *Call, database *db.DB, entity string, items []wire.Item[Item], status int,
	work func(ctx context.Context, tx *db.Tx, item Item) (*Row, error), permissions ...string,
) (*Reply, error) {
	if err := call.mayChangeMany(permissions); err != nil {
		return nil, err
	}
	if err := checkItems(call.Caller, entity, items); err != nil {
		return nil, err
	}
	return call.WriteOnce(database, nil, func(tx *db.Tx) (*Reply, error) {
		rows, err := eachOf(call, "items", items, false, func(item wire.Item[Item]) (*Row, error) {
			return work(call.Context(), tx, item.Value)
		})
		if err != nil {
			return nil, err
		}
		return Rows(call, entity, status, rows)
	})
}

// DeleteEach deletes the rows of all ids, or none.
func DeleteEach[ID any](
	call *Call, database *db.DB, ids []ID, permission string, work func(tx *db.Tx, id ID) error,
) (*Reply, error) {
	if err := call.mayChangeMany([]string{permission}); err != nil {
		return nil, err
	}
	return call.WriteOnce(database, nil, func(tx *db.Tx) (*Reply, error) {
		_, err := eachOf(call, "ids", ids, true, func(id ID) (struct{}, error) { return struct{}{}, work(tx, id) })
		return NoContent(), err
	})
}

// Seen are the versions that an item names; nil is any.
func Seen(version *int64) []int64 {
	if version == nil {
		return nil
	}
	return []int64{*version}
}

func (c *Call) mayChangeMany(permissions []string) error {
	if err := c.Body.Refusal(); err != nil {
		return err
	}
	for _, each := range permissions {
		if err := c.Caller.Require(each); err != nil {
			return err
		}
	}
	return nil
}

// eachOf does the work for every item. The first that fails ends it, and the transaction with it; the refusal points at
// the item.
func eachOf[Item, Result any](
	call *Call, field string, items []Item, deleting bool, work func(item Item) (Result, error),
) ([]Result, error) {
	found := make([]Result, len(items))
	for place, item := range items {
		var err error
		if found[place], err = work(item); err != nil {
			if db.IsLostRace(err) { // the whole request is run again
				return nil, err
			}
			return nil, pointedAt(field, place, db.Problem(call.Context(), err, deleting))
		}
	}
	return found, nil
}

// checkItems refuses fields that the caller may not set, wherever they are.
func checkItems[T any](caller access.Principal, entity string, items []wire.Item[T]) error {
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
