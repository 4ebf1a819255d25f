package pgstore

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Counting reads an index entry for each row. So the count of a long list is kept for a while: a query that is repeated
// does not make the database count all the time. See [orders.Reader].
const (
	longCount  = 100_000          // rows; the count of a shorter list is never kept
	freshCount = 10 * time.Second // after which a count is renewed, while the one that is kept is still returned
	oldCount   = time.Minute      // after which a kept count is not returned
	mostCounts = 1000             // that are kept
)

// keptCounts are the counts of long lists, by their queries. The zero value is empty.
type keptCounts struct {
	mu  sync.Mutex
	all map[string]keptCount
}

type keptCount struct {
	count    int
	at       time.Time // when it was asked for
	renewing bool
}

// countRows counts the rows of a list.
func (l *list) countRows(ctx context.Context, db *DB) (int, error) {
	sql := fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", l.table, l.condition("ANY($2)", "ANY($3)"))
	query := fmt.Sprint(sql, l.args)
	kept, renew := db.counts.find(query, time.Now())
	if renew {
		db.background.Go(func() {
			if _, err := db.countAnew(context.Background(), query, sql, l.args); err != nil {
				db.log.Warn("a count is not renewed", "table", l.table, "error", err)
			}
		})
	}
	if kept > 0 {
		return kept, nil
	}
	return db.countAnew(ctx, query, sql, l.args)
}

func (db *DB) countAnew(ctx context.Context, query, sql string, args []any) (int, error) {
	at := time.Now()
	n, err := count(ctx, db, sql, args...)
	db.counts.keep(query, n, at, db.longCount)
	return n, err
}

// find returns the count that is kept for a query, 0 if there is none, and whether the caller has to renew it.
func (k *keptCounts) find(query string, now time.Time) (count int, renew bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, kept := k.all[query]
	if !kept || now.Sub(c.at) > oldCount {
		return 0, false
	}
	renew = now.Sub(c.at) > freshCount && !c.renewing
	c.renewing = c.renewing || renew
	k.all[query] = c
	return c.count, renew
}

// keep keeps a count of at least long rows, and forgets a shorter one.
func (k *keptCounts) keep(query string, count int, at time.Time, long int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if count < long {
		delete(k.all, query)
		return
	}
	if k.all == nil || len(k.all) >= mostCounts {
		k.all = make(map[string]keptCount)
	}
	k.all[query] = keptCount{count: count, at: at}
}
