package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	groupSize    = 32 // the most writes of one group commit
	groupWriters = 4  // the most group commits at once
)

// commitQueue holds the writes that wait to be committed together. While few wait, one transaction is in progress, so that the next one
// takes all that have come meanwhile. A write that comes alone does not wait.
type commitQueue struct {
	mu      sync.Mutex
	waiting []*queued
	writers int // that are running
}

// queued is a write in the queue.
type queued struct {
	statements []statement
	deadline   time.Time
	result     chan error // takes one
}

// errGroup is the outcome of a group commit that was rolled back because of one of its writes. It decides none of them: a write that
// was refused because of another one of the group must be refused by what is stored.
var errGroup = errors.New("pgstore: a group commit was rolled back")

// commitInGroup executes statements in a transaction together with those of other calls. The context must have a deadline. It ends the
// wait for the transaction, and no transaction lasts longer than one of its writes may.
func (db *DB) commitInGroup(ctx context.Context, statements []statement) error {
	deadline, _ := ctx.Deadline()
	w := &queued{statements, deadline, make(chan error, 1)}
	if db.queue.add(w) {
		db.background.Go(db.commitGroups)
	}
	select {
	case err := <-w.result:
		return err
	case <-ctx.Done():
		if db.queue.remove(w) {
			return ctx.Err()
		}
		return <-w.result
	}
}

// commitGroups commits until no write waits.
func (db *DB) commitGroups() {
	for group := db.queue.take(); group != nil; group = db.queue.take() {
		err := db.commitGroup(group)
		for _, w := range group {
			w.result <- err
		}
	}
}

// commitGroup commits the writes of a group. Its error is that of each of them.
func (db *DB) commitGroup(group []*queued) error {
	first, statements := group[0].deadline, []statement(nil)
	for _, w := range group {
		statements = append(statements, w.statements...)
		if w.deadline.Before(first) {
			first = w.deadline
		}
	}
	ctx, cancel := context.WithDeadline(context.Background(), first)
	defer cancel()
	err := db.transaction(ctx, statements)
	if len(group) == 1 || err == nil || errors.Is(err, ErrOutcomeUnknown) || passing(err) {
		return err
	}
	return fmt.Errorf("%w: %v", errGroup, err)
}

// add adds a write. It reports whether the caller has to start another writer.
func (q *commitQueue) add(w *queued) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, w)
	if q.writers == groupWriters || len(q.waiting) <= q.writers*groupSize {
		return false
	}
	q.writers++
	return true
}

// remove reports whether the write was still waiting.
func (q *commitQueue) remove(w *queued) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	}
	return i >= 0
}

// take takes the writes of the next transaction, in the order of what they write, so that two transactions do not wait for each other.
// If there are none, the writer ends.
func (q *commitQueue) take() []*queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), groupSize)
	if n == 0 {
		q.writers--
		return nil
	}
	group := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	slices.SortStableFunc(group, func(a, b *queued) int { return strings.Compare(a.key(), b.key()) })
	return group
}

// key is that of the last row of a write: the order's, if it has one.
func (w *queued) key() string {
	for _, s := range slices.Backward(w.statements) {
		if s.row != nil {
			return fmt.Sprint(s.row.cells[0].value)
		}
	}
	return ""
}
