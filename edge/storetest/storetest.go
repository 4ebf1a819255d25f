// Package storetest tests implementations of [record.Store]. A store's own test calls [Run].
//
// A [Check] returns an error instead of failing a test, so that the suite itself can be tested: it must reject stores that are
// broken on purpose.
package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/crepe-checkout/crepe/edge/record"
)

// Check is one requirement on a store. It leaves records with ids of its own, so that checks can share a store.
type Check struct {
	Name string
	Do   func(record.Store) error
}

// Checks returns all checks.
func Checks() []Check {
	return []Check{
		{"a session is found by its id", sessionByID},
		{"an order belongs to its environment", orderEnvironment},
		{"the caller owns what it reads", ownership},
		{"a stale write changes nothing", stale},
		{"one of many concurrent orders wins a session", sessionRace},
		{"concurrent updates are not lost", counting},
		{"a token is spent once", spending},
		{"one of many concurrent spends wins", spendingRace},
		{"an event is applied once", repeated},
		{"one of many concurrent deliveries applies an event", eventRace},
		{"due orders are sorted", due},
		{"all callers get the same deployment", deployment},
		{"quarantine", quarantine},
		{"refunds due", refunds},
		{"an order is found by its payments and tickets", paymentsFound},
		{"open tickets", openTickets},
		{"facts stay in their order until they are taken", facts},
		{"a fact is stored with its change or not at all", factsWithChange},
		{"one of many concurrent workers takes a fact", factRace},
		{"endpoints belong to a store and an environment", endpoints},
		{"concurrent endpoints are not lost", endpointRace},
		{"deliveries are listed newest first", deliveries},
		{"a fact is taken with its deliveries or not at all", deliveriesWithFact},
		{"due deliveries are found endpoint by endpoint", dueDeliveries},
		{"deliveries are counted by their state", countedDeliveries},
		{"orders are listed as they are published, the newest first", listing},
		{"lists belong to their store and environment", listTenants},
		{"lists are narrowed", narrowing},
		{"payments are listed and found", payments},
		{"sales are summed by day", sales},
		{"concurrent changes leave exact counts", countRace},
		{"documents are numbered without gaps", numbers},
		{"each series has its own numbers", seriesApart},
		{"a document is found by its token and its event", documentFound},
		{"a document is written with its fact or not at all", documentWithFact},
		{"one of many concurrent workers gets a number", numberRace},
		{"sessions are listed, the newest first", sessionLists},
		{"a mail is due until it is sent", mails},
		{"a mail is written with its document or not at all", mailWithDocument},
		{"a VAT check is due until it is answered", vatChecks},
		{"a VAT check belongs to its environment and store", vatCheckTenants},
		{"VAT checks to review are listed", vatCheckReview},
		{"a VAT check is written with its document or not at all", vatCheckWithDocument},
		{"an answer expires", answers},
		{"a key has one claim until it has an answer", keyClaims},
		{"one of many concurrent calls gets a key", keyRace},
		{"the last use of a token is recorded", touching},
		{"signing keys belong to their environment", signingKeys},
		{"the catalogue", records},
		{"a stale write of the catalogue changes nothing", staleCatalog},
		{"a merchant is written by compare-and-set", merchantRevisions},
		{"merchants are listed by pages", merchantPages},
		{"the catalogue is listed, the newest first", lists},
		{"a slug has one store", slugs},
		{"origins are listed as long as a store lists them", origins},
		{"all callers get the same webhook key", webhookKey},
		{"the first claim stays", claim},
		{"records of buyers are read once, page by page", personal},
		{"a document is replaced", replacedDocument},
		{"an order loses its external id with its session", lostExternalID},
		{"erasures are listed, and have one key", erasures},
		{"rules have versions with contents", rules},
		{"rules are written by compare-and-set", staleRules},
		{"a task has one holder until its lease ends", leases},
		{"one of many concurrent holders gets a task", leaseRace},
	}
}

// Run runs all checks, each on the store that open returns. It is empty at first, and checks can share it. open's test closes it.
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

// fresh returns an id that no other check uses.
func fresh(prefix string) string { return fmt.Sprintf("%s_%06d", prefix, last.Add(1)) }

// race calls do from all racers concurrently. It returns how many calls succeeded, and the errors of the others.
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

// oneWinner runs a race and returns an error unless one call succeeds and all others return the error loser.
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

// want returns an error unless got is the error wanted.
func want(what string, got, wanted error) error {
	if !errors.Is(got, wanted) {
		return fmt.Errorf("%s: %v, want %v", what, got, wanted)
	}
	return nil
}

// need adds to an error what failed.
func need(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
