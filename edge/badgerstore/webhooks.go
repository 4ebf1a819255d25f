package badgerstore

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// WebhookKey implements webhooks.Keys.
func (db *DB) WebhookKey(_ context.Context, env checkout.Environment, fallback func() ([]byte, error)) ([]byte, error) {
	key := string(env) + "/-/wk"
	der, err := db.read(key)
	if !errors.Is(err, errNoKey) {
		return der, err
	}
	made, err := fallback() // outside the writer: making a key takes a while
	if err != nil {
		return nil, err
	}
	err = db.update(func(s *step) (err error) {
		if der, err = s.get(key); errors.Is(err, errNoKey) {
			der, err = made, nil
			s.put(key, made)
		}
		return err
	})
	return der, err
}
