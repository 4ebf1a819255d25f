package badgerstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/idempotency"
)

func answerKey(id idempotency.ID) string { return string(id.Environment) + "/-/ik/" + id.Hash }

// IdempotentAnswer implements idempotency.Store.
func (db *DB) IdempotentAnswer(_ context.Context, id idempotency.ID) (*idempotency.Answer, error) {
	return load[idempotency.Answer](db.Get, answerKey(id), idempotency.ErrNotFound)
}

// claims are the keys whose calls run. They need no record, because one process has the database.
type claims struct {
	mu   sync.Mutex
	byID map[idempotency.ID]claimed
}

type claimed struct {
	claim string
	until time.Time
}

// ClaimKey implements idempotency.Store.
func (db *DB) ClaimKey(ctx context.Context, id idempotency.ID, claim string, life time.Duration) (*idempotency.Answer, error) {
	db.claims.mu.Lock()
	defer db.claims.mu.Unlock()
	if time.Now().Before(db.claims.byID[id].until) {
		return nil, idempotency.ErrRunning
	}
	kept, err := db.IdempotentAnswer(ctx, id)
	if err == nil && kept.Request != [32]byte{} || err != nil && !errors.Is(err, idempotency.ErrNotFound) {
		return kept, err
	}
	if db.claims.byID == nil {
		db.claims.byID = make(map[idempotency.ID]claimed)
	}
	db.claims.byID[id] = claimed{claim, time.Now().Add(life)}
	return nil, nil
}

// FreeKey implements idempotency.Store.
func (db *DB) FreeKey(_ context.Context, id idempotency.ID, claim string) error {
	db.claims.mu.Lock()
	defer db.claims.mu.Unlock()
	if db.claims.byID[id].claim == claim {
		delete(db.claims.byID, id)
	}
	return nil
}

// KeepAnswer implements idempotency.Store.
func (db *DB) KeepAnswer(_ context.Context, id idempotency.ID, a *idempotency.Answer, until time.Time) error {
	value, err := encode(a)
	if err != nil {
		return err
	}
	if err := db.Update(func(tx *durable.Tx) error {
		tx.PutUntil(answerKey(id), value, until)
		return nil
	}); err != nil {
		return err
	}
	db.claims.mu.Lock()
	defer db.claims.mu.Unlock()
	delete(db.claims.byID, id)
	return nil
}
