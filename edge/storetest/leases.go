package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/edge/record"
)

var errNotHeld = errors.New("not held")

// hold returns nil if the holder has the task.
func hold(s record.Store, task, holder string, duration time.Duration) error {
	held, err := s.Hold(background, task, holder, duration)
	if err == nil && !held {
		err = errNotHeld
	}
	return err
}

// holds returns nil if the lease of a task is the holder's, or with "" nobody's.
func holds(s record.Store, task, holder string) error {
	switch l, err := s.Lease(background, task); {
	case err != nil:
		return err
	case l.Holder != holder:
		return fmt.Errorf("%s has the lease of %s, want %s", l.Holder, task, holder)
	case l.Holder != "" && (time.Until(l.Until) < 50*time.Minute || time.Until(l.Until) > 70*time.Minute):
		return fmt.Errorf("a lease for an hour ends in %s", time.Until(l.Until))
	}
	return nil
}

// leases: a task has one holder until its lease ends or is released.
func leases(s record.Store) error {
	task, other := fresh("task"), fresh("task")
	if err := cmp.Or(
		need("the first holder", hold(s, task, "a", time.Hour)),
		want("another holder", hold(s, task, "b", time.Hour), errNotHeld),
		need("another task", hold(s, other, "b", time.Hour)),
		holds(s, task, "a"), holds(s, other, "b"), holds(s, fresh("task"), ""),
		need("extending it", hold(s, task, "a", 50*time.Millisecond)),
		want("another holder, before its end", hold(s, task, "b", time.Hour), errNotHeld),
		need("releasing it as another one", s.Release(background, other, "a")),
		want("a holder after that", hold(s, other, "a", time.Hour), errNotHeld),
		need("releasing it", s.Release(background, other, "b")),
		holds(s, other, ""),
		need("a holder after its release", hold(s, other, "a", time.Hour)),
	); err != nil {
		return err
	}
	time.Sleep(60 * time.Millisecond)
	return cmp.Or(need("another holder, after its end", hold(s, task, "b", time.Hour)),
		want("the first one after that", hold(s, task, "a", time.Hour), errNotHeld))
}

// leaseRace: one of many concurrent holders gets a task.
func leaseRace(s record.Store) error {
	task := fresh("task")
	return oneWinner("holding a task", errNotHeld, func(racer int) error { return hold(s, task, fmt.Sprint("holder", racer), time.Hour) })
}
