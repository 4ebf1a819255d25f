package pgstore

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/edge/idempotency"
)

// IdempotentAnswer implements idempotency.Store.
func (db *DB) IdempotentAnswer(ctx context.Context, id idempotency.ID) (*idempotency.Answer, error) {
	return one[idempotency.Answer](ctx, db, idempotency.ErrNotFound,
		"SELECT record FROM idempotent_answers WHERE environment = $1 AND hash = $2 AND expires_at > $3", id.Environment, id.Hash, time.Now())
}

// errClaimed is the outcome of a claim that finds a row: another claim, or an answer.
var errClaimed = errors.New("pgstore: the key is taken")

// ClaimKey implements idempotency.Store, by the database's clock. A claim is the row of an answer, with its text in place of the
// answer. A row that is neither is an answer of a version that counts as none.
func (db *DB) ClaimKey(ctx context.Context, id idempotency.ID, claim string, life time.Duration) (*idempotency.Answer, error) {
	err := db.write(ctx, statement{sql: `INSERT INTO idempotent_answers (environment, hash, expires_at, record)
		VALUES ($1, $2, clock_timestamp() + $3::bigint * INTERVAL '1 millisecond', json_build_object('version', 1, 'claim', $4::text))
		ON CONFLICT (environment, hash) DO UPDATE SET expires_at = excluded.expires_at, record = excluded.record
		WHERE idempotent_answers.expires_at <= clock_timestamp()
			OR (idempotent_answers.record->>'requestDigest' IS NULL AND idempotent_answers.record->>'claim' IS NULL)`,
		args: []any{id.Environment, id.Hash, life.Milliseconds(), claim}, otherwise: errClaimed})
	if !errors.Is(err, errClaimed) {
		return nil, err
	}
	kept, err := db.IdempotentAnswer(ctx, id)
	if errors.Is(err, idempotency.ErrNotFound) || err == nil && kept.Request == [32]byte{} {
		return nil, idempotency.ErrRunning
	}
	return kept, err
}

// FreeKey implements idempotency.Store.
func (db *DB) FreeKey(ctx context.Context, id idempotency.ID, claim string) error {
	return db.write(ctx, statement{sql: "DELETE FROM idempotent_answers WHERE environment = $1 AND hash = $2 AND record->>'claim' = $3",
		args: []any{id.Environment, id.Hash, claim}})
}

// KeepAnswer implements idempotency.Store.
func (db *DB) KeepAnswer(ctx context.Context, id idempotency.ID, a *idempotency.Answer, until time.Time) error {
	text, err := encoded(a)
	if err != nil {
		return err
	}
	return db.write(ctx, statement{sql: `INSERT INTO idempotent_answers (environment, hash, expires_at, record) VALUES ($1, $2, $3, $4)
		ON CONFLICT (environment, hash) DO UPDATE SET expires_at = excluded.expires_at, record = excluded.record`,
		args: []any{id.Environment, id.Hash, until, text}})
}
