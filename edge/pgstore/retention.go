package pgstore

import (
	"context"
	"fmt"
	"time"
)

// expiring are the tables whose rows have an end: the column of that instant, and the primary key.
var expiring = []struct{ table, end, key string }{
	{"sessions", "kept_until", "id"},
	{"session_tokens", "expires_at", "environment, id"},
	{"idempotent_answers", "expires_at", "environment, hash"},
	{"provider_events", "expires_at", "environment, provider, id"},
	{"mails", "kept_until", "token"},
	{"deliveries", "kept_until", "id"},
}

const (
	removeEvery = time.Minute
	removeBatch = 1000 // rows of one transaction
)

// removeExpired removes what has expired, every minute until the context ends. Reads do not return it anyway.
func (db *DB) removeExpired(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(removeEvery):
			if err := db.remove(ctx, time.Now()); err != nil && ctx.Err() == nil {
				db.log.Warn("expired rows cannot be removed", "error", err)
			}
		}
	}
}

// remove removes what has expired at an instant. It looks at the end of each row again, which another transaction may have changed since
// the row was found.
func (db *DB) remove(ctx context.Context, now time.Time) error {
	for _, t := range expiring {
		sql := fmt.Sprintf("DELETE FROM %[1]s WHERE (%[3]s) IN (SELECT %[3]s FROM %[1]s WHERE %[2]s <= $1 LIMIT %[4]d) AND %[2]s <= $1", t.table, t.end, t.key, removeBatch)
		for removed := int64(removeBatch); removed == removeBatch; {
			tag, err := db.pool.Exec(ctx, sql, now)
			if err != nil {
				return fmt.Errorf("%s: %w", t.table, db.unavailable(err))
			}
			removed = tag.RowsAffected()
		}
	}
	return nil
}
