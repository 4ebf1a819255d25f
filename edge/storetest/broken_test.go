package storetest_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/storetest"
)

// base is the store under each mistake. An embedded field named Store would hide the method of that name.
type base = record.Store

// Each type below is a store with one mistake.

// lastWriteWins ignores the versions of a change.
type lastWriteWins struct{ base }

func (s lastWriteWins) Commit(ctx context.Context, c orders.Change) error {
	for {
		if c.Session != nil {
			copied := *c.Session
			copied.Version = 0
			if stored, err := s.Session(ctx, copied.ID); err == nil {
				copied.Version = stored.Version
			}
			c.Session = &copied
		}
		if c.Order != nil {
			copied := *c.Order
			copied.Version = 0
			if stored, err := s.Order(ctx, copied.Environment, copied.ID); err == nil {
				copied.Version = stored.Version
			}
			c.Order = &copied
		}
		if err := s.base.Commit(ctx, c); !errors.Is(err, orders.ErrStale) {
			return err
		}
	}
}

// checkThenSet compares the versions outside of the transaction that writes.
type checkThenSet struct{ base }

func (s checkThenSet) Commit(ctx context.Context, c orders.Change) error {
	var session, order uint64
	if c.Session != nil {
		if stored, err := s.Session(ctx, c.Session.ID); err == nil {
			session = stored.Version
		}
	}
	if c.Order != nil {
		if stored, err := s.Order(ctx, c.Order.Environment, c.Order.ID); err == nil {
			order = stored.Version
		}
	}
	if c.Session != nil && c.Session.Version != session || c.Order != nil && c.Order.Version != order {
		return orders.ErrStale
	}
	time.Sleep(time.Millisecond) // so that others write in between, also on a busy machine
	return lastWriteWins(s).Commit(ctx, c)
}

// twoSteps writes the order before the rest.
type twoSteps struct{ base }

func (s twoSteps) Commit(ctx context.Context, c orders.Change) error {
	if c.Order != nil && c.Session != nil {
		if err := s.base.Commit(ctx, orders.Change{Order: c.Order}); err != nil {
			return err
		}
		c.Order = nil
	}
	return s.base.Commit(ctx, c)
}

// anyEnvironment ignores the environment of an order.
type anyEnvironment struct{ base }

func (s anyEnvironment) Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	if o, err := s.base.Order(ctx, env, id); err == nil {
		return o, nil
	}
	if env == checkout.Test {
		return s.base.Order(ctx, checkout.Prod, id)
	}
	return s.base.Order(ctx, checkout.Test, id)
}

// sharedCopies returns the same copy of a session to all callers.
type sharedCopies struct {
	base
	sessions *sync.Map
}

func (s sharedCopies) Session(ctx context.Context, id string) (*sessions.Session, error) {
	fresh, err := s.base.Session(ctx, id)
	if err != nil {
		return nil, err
	}
	if known, ok := s.sessions.Load(id); ok && known.(*sessions.Session).Version == fresh.Version {
		return known.(*sessions.Session), nil
	}
	s.sessions.Store(id, fresh)
	return fresh, nil
}

// noDue omits the orders of prod, dueBackwards sorts wrongly, dueWithoutEnd ignores the limit.
type noDue struct{ base }

func (s noDue) Due(ctx context.Context, now int64, limit int) ([]orders.DueOrder, error) {
	due, err := s.base.Due(ctx, now, limit)
	return slices.DeleteFunc(due, func(d orders.DueOrder) bool { return d.Environment == checkout.Prod }), err
}

type dueBackwards struct{ base }

func (s dueBackwards) Due(ctx context.Context, now int64, limit int) ([]orders.DueOrder, error) {
	due, err := s.base.Due(ctx, now, limit)
	slices.Reverse(due)
	return due, err
}

type dueWithoutEnd struct{ base }

func (s dueWithoutEnd) Due(ctx context.Context, now int64, limit int) ([]orders.DueOrder, error) {
	return s.base.Due(ctx, now, 1000)
}

// staleDue leaves old entries in the index of due orders.
type staleDue struct {
	base
	seen *sync.Map
}

func (s staleDue) Due(ctx context.Context, now int64, limit int) ([]orders.DueOrder, error) {
	due, err := s.base.Due(ctx, now, limit)
	for _, d := range due {
		s.seen.Store(d, true)
	}
	s.seen.Range(func(d, _ any) bool {
		if !slices.Contains(due, d.(orders.DueOrder)) && len(due) < limit {
			due = append(due, d.(orders.DueOrder))
		}
		return true
	})
	return due, err
}

// noDedup ignores the event of a change, freeTokens does not spend tokens, mixedTokens ignores their environment.
type noDedup struct{ base }

func (s noDedup) Commit(ctx context.Context, c orders.Change) error {
	c.Event = nil
	return s.base.Commit(ctx, c)
}

type freeTokens struct{ base }

func (s freeTokens) Commit(ctx context.Context, c orders.Change) error {
	c.Spend, c.Unspent = nil, cmp.Or(c.Unspent, c.Spend)
	return s.base.Commit(ctx, c)
}

type mixedTokens struct{ base }

func (s mixedTokens) Commit(ctx context.Context, c orders.Change) error {
	if c.Spend != nil {
		copied := *c.Spend
		copied.Environment = checkout.Test
		c.Spend = &copied
	}
	return s.base.Commit(ctx, c)
}

// eventAfter applies a change before it checks its event.
type eventAfter struct{ base }

func (s eventAfter) Commit(ctx context.Context, c orders.Change) error {
	event := c.Event
	c.Event = nil
	return errors.Join(s.base.Commit(ctx, c), s.base.Commit(ctx, orders.Change{Event: event}))
}

// manyDeployments returns another id to each caller.
type manyDeployments struct{ base }

func (s manyDeployments) Deployment(ctx context.Context, made string) (string, error) {
	_, err := s.base.Deployment(ctx, made)
	return made, err
}

// noQuarantine drops quarantined events, mixedQuarantine ignores their environment, and neverHandled does not record that one is
// handled.
type noQuarantine struct{ base }

func (s noQuarantine) Commit(ctx context.Context, c orders.Change) error {
	c.Quarantine = nil
	return s.base.Commit(ctx, c)
}

type mixedQuarantine struct{ base }

func (s mixedQuarantine) Commit(ctx context.Context, c orders.Change) error {
	if c.Quarantine != nil {
		copied := *c.Quarantine
		copied.Environment = checkout.Test
		c.Quarantine = &copied
	}
	return s.base.Commit(ctx, c)
}

type neverHandled struct{ base }

func (s neverHandled) HandleQuarantined(context.Context, checkout.Environment, string, string, int64) error {
	return nil
}

// refundsOnce does not show that a refund is handled, onePage has no second page, and allWait counts handled refunds, too.
type refundsOnce struct{ base }

func (s refundsOnce) RefundDue(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.Order], error) {
	page, err := s.base.RefundDue(ctx, env, after, limit)
	for i := range page.Items {
		page.Items[i].RefundHandledAt = 0
	}
	return page, err
}

type onePage struct{ base }

func (s onePage) RefundDue(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.Order], error) {
	page, err := s.base.RefundDue(ctx, env, after, limit)
	page.Next = ""
	return page, err
}

type allWait struct{ base }

func (s allWait) Unhandled(ctx context.Context, env checkout.Environment) (orders.Unhandled, error) {
	page, err := s.base.RefundDue(ctx, env, "", 1000)
	waiting, failed := s.base.Unhandled(ctx, env)
	waiting.RefundDue = len(page.Items)
	return waiting, errors.Join(err, failed)
}

// everlasting keeps answers too long, mixedAnswers ignores their environment.
type everlasting struct{ base }

func (s everlasting) KeepAnswer(ctx context.Context, id idempotency.ID, a *idempotency.Answer,
	_ time.Time) error {
	return s.base.KeepAnswer(ctx, id, a, time.Now().Add(time.Hour))
}

// unclaimed lets every call have a key, unfreed keeps a claim until its end, freedByAll frees the claims of others.
type unclaimed struct{ base }

func (s unclaimed) ClaimKey(ctx context.Context, id idempotency.ID, _ string, _ time.Duration) (*idempotency.Answer, error) {
	kept, err := s.base.IdempotentAnswer(ctx, id)
	if errors.Is(err, idempotency.ErrNotFound) {
		return nil, nil
	}
	return kept, err
}

type unfreed struct{ base }

func (unfreed) FreeKey(context.Context, idempotency.ID, string) error { return nil }

type freedByAll struct{ base }

func (s freedByAll) FreeKey(ctx context.Context, id idempotency.ID, _ string) error {
	return s.base.FreeKey(ctx, id, "a")
}

type mixedAnswers struct{ base }

func (s mixedAnswers) IdempotentAnswer(ctx context.Context, id idempotency.ID) (*idempotency.Answer, error) {
	id.Environment = checkout.Test
	return s.base.IdempotentAnswer(ctx, id)
}

// backwards records the use of a token that was reported last, not the latest one.
type backwards struct {
	base
	at *sync.Map
}

func (s backwards) Touch(env checkout.Environment, t auth.Token, at int64) {
	s.at.Store(string(env)+t.ID, at)
	s.base.Touch(env, t, at)
}

func (s backwards) Token(ctx context.Context, env checkout.Environment, id string) (auth.TokenState, error) {
	state, err := s.base.Token(ctx, env, id)
	if at, ok := s.at.Load(string(env) + id); ok {
		state.LastUsed = at.(int64)
	}
	return state, err
}

// undying does not remove signing keys.
type undying struct{ base }

func (s undying) RemoveSigningKey(context.Context, checkout.Environment, string) error { return nil }

// manyClaims returns to each caller its own use.
type manyClaims struct{ base }

func (s manyClaims) Claim(ctx context.Context, use string) (string, error) {
	stored, err := s.base.Claim(ctx, use)
	return cmp.Or(use, stored), err
}

// ownKey returns another webhook key to each concurrent caller.
type ownKey struct{ base }

func (s ownKey) WebhookKey(ctx context.Context, env checkout.Environment, fallback func() ([]byte, error)) ([]byte, error) {
	made, err := fallback()
	if err != nil {
		return nil, err
	}
	stored, err := s.base.WebhookKey(ctx, env, func() ([]byte, error) { return made, nil })
	if err == nil && !bytes.Equal(stored, made) {
		return made, nil
	}
	return stored, err
}

// TestBroken: the suite rejects each of these stores, and accepts the one under them.
func TestBroken(t *testing.T) {
	broken := map[string]func(record.Store) record.Store{
		"last write wins":              func(s record.Store) record.Store { return lastWriteWins{s} },
		"check, then set":              func(s record.Store) record.Store { return checkThenSet{s} },
		"two steps":                    func(s record.Store) record.Store { return twoSteps{s} },
		"a key for every call":         func(s record.Store) record.Store { return unclaimed{s} },
		"a key that is not freed":      func(s record.Store) record.Store { return unfreed{s} },
		"a key that others free":       func(s record.Store) record.Store { return freedByAll{s} },
		"any environment's orders":     func(s record.Store) record.Store { return anyEnvironment{s} },
		"shared copies":                func(s record.Store) record.Store { return sharedCopies{s, new(sync.Map)} },
		"half of what is due":          func(s record.Store) record.Store { return noDue{s} },
		"what is due, backwards":       func(s record.Store) record.Store { return dueBackwards{s} },
		"what is due, without a limit": func(s record.Store) record.Store { return dueWithoutEnd{s} },
		"what was due":                 func(s record.Store) record.Store { return staleDue{s, new(sync.Map)} },
		"forgotten events":             func(s record.Store) record.Store { return noDedup{s} },
		"events looked at too late":    func(s record.Store) record.Store { return eventAfter{s} },
		"tokens for ever":              func(s record.Store) record.Store { return freeTokens{s} },
		"tokens of both environments":  func(s record.Store) record.Store { return mixedTokens{s} },
		"a deployment for each":        func(s record.Store) record.Store { return manyDeployments{s} },
		"no quarantine":                func(s record.Store) record.Store { return noQuarantine{s} },
		"one quarantine":               func(s record.Store) record.Store { return mixedQuarantine{s} },
		"an event handled in vain":     func(s record.Store) record.Store { return neverHandled{s} },
		"payments without environment": func(s record.Store) record.Store { return eitherEnvironment{s} },
		"one page of tickets":          func(s record.Store) record.Store { return oneTicketPage{s} },
		"a refund handled in vain":     func(s record.Store) record.Store { return refundsOnce{s} },
		"one page of refunds":          func(s record.Store) record.Store { return onePage{s} },
		"handled refunds counted":      func(s record.Store) record.Store { return allWait{s} },
		"answers for ever":             func(s record.Store) record.Store { return everlasting{s} },
		"answers of both environments": func(s record.Store) record.Store { return mixedAnswers{s} },
		"the last use told":            func(s record.Store) record.Store { return backwards{s, new(sync.Map)} },
		"keys for ever":                func(s record.Store) record.Store { return undying{s} },
		"the last catalogue wins":      func(s record.Store) record.Store { return lastCatalogWins{s} },
		"the last merchant wins":       func(s record.Store) record.Store { return lastMerchantWins{s} },
		"merchants backwards":          func(s record.Store) record.Store { return newestMerchants{s} },
		"versions on sale only":        func(s record.Store) record.Store { return onlyOnSale{s} },
		"stores of all merchants":      func(s record.Store) record.Store { return everyStore{s, new(sync.Map)} },
		"a slug for many":              func(s record.Store) record.Store { return manySlugs{s} },
		"origins for ever":             func(s record.Store) record.Store { return staleOrigins{s, new(sync.Map)} },
		"a claim for each":             func(s record.Store) record.Store { return manyClaims{s} },
		"a webhook key for each":       func(s record.Store) record.Store { return ownKey{s} },
	}
	maps.Copy(broken, brokenNotify)
	maps.Copy(broken, brokenReaders)
	maps.Copy(broken, brokenInvoices)
	maps.Copy(broken, brokenVATChecks)
	maps.Copy(broken, brokenLeases)
	maps.Copy(broken, brokenErasures)
	maps.Copy(broken, brokenRules)
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		if found, why := rejected(broken[name](open(t))); found == "" {
			t.Errorf("%s: passes", name)
		} else {
			t.Logf("%-32s %s: %v", name, found, why)
		}
	}
	if found, why := rejected(open(t)); found != "" {
		t.Errorf("the real one: %s: %v", found, why)
	}
}

// rejected returns the name and the error of the first check that a store fails.
func rejected(s record.Store) (string, error) {
	for _, c := range storetest.Checks() {
		if err := c.Do(s); err != nil {
			return c.Name, err
		}
	}
	return "", nil
}

func open(t *testing.T) record.Store {
	t.Helper()
	db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}
