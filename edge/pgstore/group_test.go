package pgstore_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
)

// inOneGroup calls functions that commit, so that they share a transaction, and returns their errors. A commit ahead of them waits
// until all are in the queue. hook is called for the steps after that one.
func inOneGroup(t *testing.T, db *pgstore.DB, hook hook, commits ...func() error) []error {
	t.Helper()
	ahead, reached, release := newSale(t, db), make(chan struct{}), make(chan struct{})
	wait := sync.OnceFunc(func() { close(reached); <-release })
	var mu sync.Mutex
	over := false
	db.Inject(func(step string, sql *string, args *[]any) error {
		wait()
		mu.Lock()
		defer mu.Unlock()
		if !over {
			over = step == "committed"
			return nil
		}
		return hook(step, sql, args)
	})
	defer db.Inject(nil)
	errs := make([]error, len(commits))
	var all sync.WaitGroup
	all.Go(func() {
		if err := steps[0].do(ahead, db); err != nil {
			t.Errorf("ahead of the group: %v", err)
		}
	})
	<-reached
	for i, commit := range commits {
		all.Go(func() { errs[i] = commit() })
	}
	for db.Queued() < len(commits) {
		time.Sleep(time.Millisecond)
	}
	close(release)
	all.Wait()
	return errs
}

func (s *sale) create(db *pgstore.DB) func() error {
	return func() error { return steps[0].do(s, db) }
}

// TestGroup: writes that wait at the same time share a commit. One that is refused does not refuse the others.
func TestGroup(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, reader := openAt(t, url, pgstore.Options{}), poolOf(t, url)
	good, other, twice, stale := newSale(t, db), newSale(t, db), newSale(t, db), newSale(t, db)
	commits := 0
	count := func(step string, _ *string, _ *[]any) error {
		if step == "commit" {
			commits++
		}
		return nil
	}
	for i, err := range inOneGroup(t, db, count, good.create(db), other.create(db)) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if commits != 1 {
		t.Errorf("%d commits of two writes", commits)
	}
	stale.session.ID += "-absent"
	third := newSale(t, db)
	errs := inOneGroup(t, db, count, third.create(db), twice.create(db), twice.create(db), stale.create(db))
	refused := slices.DeleteFunc(slices.Clone(errs[1:3]), func(err error) bool { return err == nil })
	if errs[0] != nil || len(refused) != 1 || !errors.Is(refused[0], orders.ErrSpent) && !errors.Is(refused[0], orders.ErrStale) ||
		!errors.Is(errs[3], orders.ErrStale) {
		t.Errorf("of one that is right, two of the same session and a stale one: %v", errs)
	}
	for i, s := range []*sale{good, other, third, twice} {
		if s.stored(t, reader) != 1 {
			t.Errorf("sale %d is not stored", i)
		}
	}
}

// TestGroupDecidesNothing: a write that was refused because of another one of its group is accepted if that one is not stored in the end.
func TestGroupDecidesNothing(t *testing.T) {
	db := open(t, pgstore.Options{})
	event := &orders.SeenEvent{Environment: checkout.Test, Provider: "stripe", ID: "evt_group"}
	change := func(s *sale) func() error {
		return func() error {
			session := *s.session
			session.Version, session.OrderID = 1, s.order.ID
			return db.Commit(background, orders.Change{Session: &session, Order: s.orderAt(0), Event: event})
		}
	}
	first, second := newSale(t, db), newSale(t, db)
	events, grouped := 0, true
	errs := inOneGroup(t, db, func(step string, sql *string, args *[]any) error {
		switch {
		case step == "retry":
			grouped = false
		case step == "statement" && len(*args) > 0 && (*args)[0] == first.session.ID && !grouped:
			return raised("53300", nil).do(nil, sql, args)
		case step == "statement" && len(*args) > 2 && (*args)[2] == event.ID:
			events++
		}
		return nil
	}, change(first), change(second))
	failed := errors.Is(errs[0], pgstore.ErrUnavailable) || errors.Is(errs[0], orders.ErrRepeated) // if the second one was faster
	if events < 3 || !failed || errs[1] != nil {
		t.Errorf("of two with the same event, whose first one fails: %v, after %d tries", errs, events)
	}
}

// TestFaultInGroup injects each fault at each statement of a transaction that two sales share: what is acknowledged is stored, what is
// refused is not.
func TestFaultInGroup(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, aside := openAt(t, victim(url), pgstore.Options{}), poolOf(t, url)
	for _, fault := range injections {
		t.Run(fault.step+", "+fault.name, func(t *testing.T) {
			places := 1
			for ; ; places++ {
				sales, left := []*sale{newSale(t, db), newSale(t, db)}, places
				errs := inOneGroup(t, db, func(step string, sql *string, args *[]any) error {
					if step != fault.step {
						return nil
					}
					if left--; left != 0 {
						return nil
					}
					return fault.do(aside, sql, args)
				}, sales[0].create(db), sales[1].create(db))
				for i, s := range sales {
					stored := s.stored(t, aside)
					if errs[i] != nil && !errors.Is(errs[i], fault.want) || (errs[i] == nil) != (stored == 1) {
						t.Errorf("at %d, sale %d: %v, want %v; %d stored", places, i, errs[i], fault.want, stored)
					}
				}
				if left > 0 {
					break
				}
			}
			if want := map[string]int{"statement": 7, "commit": 2, "committed": 2}[fault.step]; places < want {
				t.Errorf("it was injected at %d places only", places-1)
			}
		})
	}
}

// TestGroupTimeout: a write whose time is over, in the queue or behind a lock, has no effect, and that is known.
func TestGroupTimeout(t *testing.T) {
	url := server.Schema(t, "store", migrate)
	db, other := openAt(t, url, pgstore.Options{Timeout: 3 * time.Second}), poolOf(t, url)
	locked, behind := newSale(t, db), newSale(t, db)
	queued, cancel := context.WithTimeout(background, time.Second) // less than the one before it waits
	defer cancel()
	behind.ctx = queued
	tx, err := other.Begin(background)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(background, "SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", locked.session.ID); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, 2)
	var all sync.WaitGroup
	for i, s := range []*sale{locked, behind} {
		all.Go(func() { errs[i] = s.create(db)() })
		time.Sleep(20 * time.Millisecond)
	}
	all.Wait()
	if err := tx.Rollback(background); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*sale{locked, behind} {
		if stored := s.stored(t, other); errors.Is(errs[i], pgstore.ErrOutcomeUnknown) || errs[i] == nil || stored != 0 {
			t.Errorf("sale %d: %v; %d stored", i, errs[i], stored)
		}
	}
}
