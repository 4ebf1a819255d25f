package badgerstore

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/idempotency"
)

func answerKey(env checkout.Environment, id string) string { return string(env) + "/-/ik/" + id }

// IdempotentAnswer implements idempotency.Store.
func (db *DB) IdempotentAnswer(_ context.Context, env checkout.Environment, id string) (*idempotency.Answer, error) {
	return load[idempotency.Answer](db.read, answerKey(env, id), idempotency.ErrNotFound)
}

// KeepAnswer implements idempotency.Store.
func (db *DB) KeepAnswer(_ context.Context, env checkout.Environment, id string, a *idempotency.Answer, until time.Time) error {
	value, err := encode(a)
	if err != nil {
		return err
	}
	return db.update(func(s *step) error {
		s.putUntil(answerKey(env, id), value, until)
		return nil
	})
}
