package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Inject sets the hook of a store. It is called with these steps: "read" and "statement" before one is sent, which it may change;
// "commit" and "committed" around a COMMIT; "retry" before a transaction is tried again. Its error is the step's; after "retry" it only
// ends the tries. A nil hook ends that.
func (db *DB) Inject(hook func(step string, sql *string, args *[]any) error) {
	if db.fault = nil; hook == nil {
		return
	}
	db.fault = func(step string, s *statement) error { return hook(step, &s.sql, &s.args) }
}

// MaxTries is how often a transaction is tried.
const MaxTries = maxTries

// Backoff is the pause after a try.
func Backoff(try int) time.Duration { return backoff(try) }

// Newest is the version of the schema.
const Newest = newest

// Prepares reports whether the store's statements are prepared.
func (db *DB) Prepares() bool {
	return db.pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement
}

// Queued is how many writes wait for a group commit.
func (db *DB) Queued() int {
	db.queue.mu.Lock()
	defer db.queue.mu.Unlock()
	return len(db.queue.waiting)
}

// RemoveExpired removes what has expired at an instant.
func (db *DB) RemoveExpired(ctx context.Context, now time.Time) error { return db.remove(ctx, now) }

// KeepCountsFrom sets from how many rows on a count is kept.
func (db *DB) KeepCountsFrom(rows int) { db.longCount = rows }
