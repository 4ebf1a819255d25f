// Package storetest says in tests what the ports ask of a database: [Run] holds for every one that implements them.
//
// A [Check] returns an error instead of failing a test, so that the suite itself can be tested: stores that are broken on
// purpose must fail it.
package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crepe-checkout/crepe/edge/record"
)

// Check is one thing that a store must do. It leaves records behind under ids of its own, so that checks can share a store.
type Check struct {
	Name string
	Do   func(record.Store) error
}

// Checks are all of them.
func Checks() []Check {
	return []Check{
		{"a session is found by its id", sessionByID},
		{"an order belongs to its environment", orderEnvironment},
		{"what is read belongs to the reader", ownership},
		{"a stale write changes nothing", stale},
		{"one racer of many wins a session", sessionRace},
		{"no write is lost", counting},
		{"a token is spent once", spending},
		{"one racer of many spends a token", spendingRace},
		{"an event counts once", repeated},
		{"one racer of many applies an event", eventRace},
		{"what is due comes in order", due},
		{"everybody gets the same deployment", deployment},
		{"quarantine", quarantine},
		{"refunds due", refunds},
		{"an answer is kept until its time", answers},
		{"the use of a token is remembered", touching},
		{"signing keys belong to their environment", signingKeys},
		{"the catalogue", records},
		{"a slug has one store", slugs},
		{"everybody gets the same webhook key", webhookKey},
	}
}

// Run checks a store. open returns an empty one, which it closes when the test ends.
func Run(t *testing.T, open func(testing.TB) record.Store) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Do(open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

const (
	racers = 32
	rounds = 8
)

var last atomic.Int64

// fresh is an id that no other check uses.
func fresh(prefix string) string { return fmt.Sprintf("%s_%06d", prefix, last.Add(1)) }

// race lets all racers do something at once; it returns how many of them had no error, and the errors of the others.
func race(do func(racer int) error) (won int, lost []error) {
	errs := make([]error, racers)
	start, all := make(chan struct{}), sync.WaitGroup{}
	for i := range racers {
		all.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			lost = append(lost, err)
		}
	}
	return won, lost
}

// oneWinner is what a race for something that there is once must end in.
func oneWinner(what string, loser error, do func(racer int) error) error {
	won, lost := race(do)
	if won != 1 {
		return fmt.Errorf("%s: %d of %d won", what, won, racers)
	}
	for _, err := range lost {
		if !errors.Is(err, loser) {
			return fmt.Errorf("%s: a loser got %v, want %v", what, err, loser)
		}
	}
	return nil
}

// want compares an error.
func want(what string, got, wanted error) error {
	if !errors.Is(got, wanted) {
		return fmt.Errorf("%s: %v, want %v", what, got, wanted)
	}
	return nil
}

// need is want for a success.
func need(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
