package badgerstore

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/lease"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// Options configure a store. Log, NoSync and Reserve are those of [durable.Options].
type Options struct {
	Log     *slog.Logger
	NoSync  bool // for tests
	Reserve uint64

	EncryptionKey []byte // see [durable.Options]; nil is no encryption

	// KeepSessions is how long a checkout session without an order is kept after it has expired; 0 is for ever.
	KeepSessions time.Duration

	Metrics *metrics.Set // nil for none
}

// DB is an open store. It is safe for concurrent use.
type DB struct {
	*durable.DB
	lease.Memory // one process has the database
	claims       claims
	log          *slog.Logger
	keepSessions time.Duration
	built        bool // the indexes are complete; set before Open returns

	// By id; token states by key.
	sessions *cache[*sessions.Session]
	orders   *cache[*orders.Order]
	stores   *cache[*catalog.Store]
	tokens   *cache[auth.TokenState]
}

var _ record.Store = (*DB)(nil)

// Open opens or creates the store in a directory, with the errors of [durable.Open]. The first Open of a directory of an older
// version builds the indexes, and reports the paid orders that have no receipt.
func Open(dir string, o Options) (*DB, error) {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	db, err := durable.Open(dir, durable.Options{Log: o.Log, NoSync: o.NoSync, Reserve: o.Reserve, Metrics: o.Metrics, EncryptionKey: o.EncryptionKey})
	if err != nil {
		return nil, err
	}
	store := &DB{DB: db, log: o.Log, keepSessions: o.KeepSessions,
		sessions: newCache[*sessions.Session](cacheSlots), orders: newCache[*orders.Order](cacheSlots), stores: newCache[*catalog.Store](cacheSlots), tokens: newCache[auth.TokenState](cacheSlots)}
	if err := errors.Join(store.build(), store.reportReceipts()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return store, nil
}

const (
	useKey        = shared + "/-/use"
	deploymentKey = shared + "/-/de"
)

// Claim implements [record.Store].
func (db *DB) Claim(_ context.Context, use string) (string, error) {
	if use == "" {
		stored, err := db.Get(useKey)
		if errors.Is(err, durable.ErrNotFound) {
			err = nil
		}
		return string(stored), err
	}
	stored, err := db.getOrPut(useKey, func() ([]byte, error) { return []byte(use), nil })
	return string(stored), err
}

// Deployment implements orders.Store.
func (db *DB) Deployment(_ context.Context, made string) (string, error) {
	id, err := db.getOrPut(deploymentKey, func() ([]byte, error) { return []byte(made), nil })
	return string(id), err
}

// WebhookKey implements notify.Keys.
func (db *DB) WebhookKey(_ context.Context, env checkout.Environment, fallback func() ([]byte, error)) ([]byte, error) {
	return db.getOrPut(webhookKey(env), fallback)
}

// getOrPut returns the value of a key. If there is none, it stores and returns the result of create, unless another caller does
// so first. It calls create outside the writer, because generating a key is slow.
func (db *DB) getOrPut(key string, create func() ([]byte, error)) ([]byte, error) {
	stored, err := db.Get(key)
	if !errors.Is(err, durable.ErrNotFound) {
		return stored, err
	}
	created, err := create()
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *durable.Tx) (err error) {
		if stored, err = tx.Get(key); errors.Is(err, durable.ErrNotFound) {
			stored, err = created, nil
			tx.Put(key, created)
		}
		return err
	})
	return stored, err
}

func webhookKey(env checkout.Environment) string { return string(env) + "/-/wk" }
