package people

import (
	"context"

	"github.com/google/uuid"

	"acme-works/internal/db"
)

// What else happens when people change. This file is yours: it was written once, and is never written again.
//
// Each function runs in the transaction of the change, so that an error refuses it and undoes everything: return a
// problem.Problem to say why. Bodies may be changed before they are written. Batches call the same functions, once for
// each item.

// beforeCreate: a person is about to be made.
func beforeCreate(_ context.Context, _ *db.Tx, _ *PersonCreate) error { return nil }

// afterCreate: a person was made.
func afterCreate(_ context.Context, _ *db.Tx, _ *Person) error { return nil }

// beforeUpdate: a person is about to be changed, if the caller may.
func beforeUpdate(_ context.Context, _ *db.Tx, _ uuid.UUID, _ *PersonUpdate) error { return nil }

// afterUpdate: a person was changed.
func afterUpdate(_ context.Context, _ *db.Tx, _ *Person) error { return nil }

// beforeDelete: a person is about to be deleted, if the caller may.
func beforeDelete(_ context.Context, _ *db.Tx, _ uuid.UUID) error { return nil }

// afterDelete: a person was deleted.
func afterDelete(_ context.Context, _ *db.Tx, _ uuid.UUID) error { return nil }
