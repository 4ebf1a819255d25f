package badgerstore

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/idempotency"
)

func answerKey(id idempotency.ID) string { return string(id.Environment) + "/-/ik/" + id.Hash }

// IdempotentAnswer implements idempotency.Store.
func (db *DB) IdempotentAnswer(_ context.Context, id idempotency.ID) (*idempotency.Answer, error) {
	return load[idempotency.Answer](db.Get, answerKey(id), idempotency.ErrNotFound)
}

// KeepAnswer implements idempotency.Store.
func (db *DB) KeepAnswer(_ context.Context, id idempotency.ID, a *idempotency.Answer, until time.Time) error {
	value, err := encode(a)
	if err != nil {
		return err
	}
	return db.Update(func(tx *durable.Tx) error {
		tx.PutUntil(answerKey(id), value, until)
		return nil
	})
}
