package pgstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
)

const (
	touchEvery  = 100 * time.Millisecond // uses of tokens within this time share a commit
	touchBuffer = 4096                   // uses that may wait for it
)

// touch is a use of a session token.
type touch struct {
	token         tokenKey
	at, expiresAt time.Time
}

type tokenKey struct {
	env checkout.Environment
	id  string
}

func (k tokenKey) compare(other tokenKey) int {
	return cmp.Or(cmp.Compare(k.env, other.env), cmp.Compare(k.id, other.id))
}

// Touch implements auth.Tokens. While the database does not keep up, uses are lost.
func (db *DB) Touch(env checkout.Environment, t auth.Token, at int64) {
	select {
	case db.touched <- touch{tokenKey{env, t.ID}, time.UnixMilli(at), time.UnixMilli(t.ExpiresAt)}:
	default:
	}
}

// writeTouches stores uses of tokens until the context ends, and then those that still wait.
func (db *DB) writeTouches(ctx context.Context) {
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-time.After(touchEvery):
		}
		if err := db.writeTouched(); err != nil {
			db.log.Warn("cannot record the use of session tokens", "error", err)
		}
	}
}

// writeTouched stores the uses that wait, the last one of each token.
func (db *DB) writeTouched() error {
	last := make(map[tokenKey]touch)
	for range len(db.touched) {
		if t := <-db.touched; t.at.After(last[t.token].at) {
			last[t.token] = t
		}
	}
	if len(last) == 0 {
		return nil
	}
	var envs, ids []string
	var at, expiresAt []time.Time
	for _, key := range slices.SortedFunc(maps.Keys(last), tokenKey.compare) {
		envs, ids = append(envs, string(key.env)), append(ids, key.id)
		at, expiresAt = append(at, last[key].at), append(expiresAt, last[key].expiresAt)
	}
	return db.write(context.Background(), statement{sql: `INSERT INTO session_tokens (environment, id, last_used, spent, expires_at)
		SELECT environment, id, last_used, false, expires_at
		FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) AS uses(environment, id, last_used, expires_at)
		ON CONFLICT (environment, id) DO UPDATE SET last_used = excluded.last_used
		WHERE session_tokens.last_used IS NULL OR session_tokens.last_used < excluded.last_used`, args: []any{envs, ids, at, expiresAt}})
}
