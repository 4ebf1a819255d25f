package orders_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// mistakes are ways to get the flow wrong that look harmless, each with a schedule that shows the harm and the invariant that
// must see it.
var mistakes = map[string]struct {
	mutant func() mutant
	steps  []step
	seenBy string
}{
	"every click is an order": {func() mutant { return onStore(forgetful) },
		[]step{submit{Country: "DE"}, submit{Country: "DE"}}, "I1"},
	"the URL before the commit": {func() mutant { return onStore(lateCommit) },
		[]step{submit{Country: "DE"}, pass{300 * time.Millisecond}, crash{}}, "I5"},
	"superseded, not expired": {func() mutant { return onExpire(neverExpire) },
		[]step{submit{Country: "DE"}, submit{Country: "FR"}}, "I1"},
	"an unknown expiry is an expiry": {func() mutant { return onExpire(hopefulExpire) },
		[]step{submit{Country: "DE"}, fail{[]fault.Spec{"expire.timeout"}}, submit{Country: "FR"}, pass{12 * time.Second}}, "I1"},
	"no compare-and-set": {func() mutant { return onStore(lastWriterWins) },
		[]step{stall{6, 12 * time.Second}, fail{[]fault.Spec{"first"}}, submit{Country: "DE"}, pass{12 * time.Second}}, "I7"},
	"a new key for each try": {newKeys,
		[]step{fail{[]fault.Spec{"lost_response"}}, submit{Country: "DE"}, pass{12 * time.Second}}, "I2"},
	"a timeout is a refusal": {func() mutant { return onCreate(hopelessCreate) },
		[]step{fail{[]fault.Spec{"lost_response"}}, submit{Country: "DE"}, pass{12 * time.Second}}, "I2"},
	"a timeout is forgotten": {forgottenTimeouts,
		[]step{fail{[]fault.Spec{"lost_response", "timeout", "timeout"}}, submit{Country: "DE"}, pass{12 * time.Second}}, "I2"},
	"other bytes at each try": {otherBytes,
		[]step{fail{[]fault.Spec{"timeout"}}, submit{Country: "DE"}, pass{12 * time.Second}}, "I8"},
	"a completed checkout is money": {func() mutant { return onProvider(brokenProvider{event: alwaysPaid}) },
		[]step{submit{Country: "DE"}, buy{Outcome: "later_fails"}, pass{12 * time.Second}}, "I3"},
	"the digest is of no use": {func() mutant { return onStore(otherDigests) },
		[]step{submit{Country: "DE"}, submit{Country: "DE"}}, "I6"},
	"the old attempt stays open": {func() mutant { return onStore(neverEnded) },
		[]step{submit{Country: "DE"}, submit{Country: "FR"}}, "I9"},
	"the lines are not those of the order": {func() mutant { return onProvider(brokenProvider{render: otherLines}) },
		[]step{submit{Country: "DE"}}, "I10"},
	"the buyer is part of the key": {func() mutant { return onCreate(tellingKey) },
		[]step{submit{Country: "DE"}}, "I12"},
	"a call may take what it takes": {func() mutant { return onCreate(patientCreate) },
		[]step{submit{Country: "DE"}, pass{40 * time.Second}}, "answers"},
	"what was open is open": {func() mutant { return onProvider(brokenProvider{retrieve: alwaysOpen}) },
		[]step{submit{Country: "DE"}, end{Unheard: true}, pass{40 * time.Second}, submit{Country: "DE"}}, "I13"},
	"the event after the commit": {func() mutant { return onStore(lateFacts) },
		[]step{submit{Country: "DE"}, crash{2, 0}, buy{Outcome: "succeeds"}, pass{12 * time.Second}}, "I14"},
	"every payment completes": {func() mutant { return onStore(everyPaymentTold) },
		[]step{submit{Country: "DE"}, buy{Outcome: "declined"}, pass{12 * time.Second}}, "I14"},
	"a new key for each refund": {newRefundKeys,
		[]step{submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}, fail{[]fault.Spec{"refund.lost_response"}}, moneyBack{Amount: "10.00"}, pass{12 * time.Second}}, "I15"},
	"an unknown refund is refused": {func() mutant { return onRefund(hopelessRefund) },
		[]step{submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}, fail{[]fault.Spec{"refund.lost_response", "refund.lost_response", "lost", "lost"}}, moneyBack{Amount: "34.51"}, pass{12 * time.Second}}, "I18"},
	"a refund that was sent is made": {func() mutant { return onRefund(hopefulRefund) },
		[]step{submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}, fail{[]fault.Spec{"refund.timeout"}}, moneyBack{Amount: "10.00"}, pass{12 * time.Second}}, "I16"},
	"nobody sweeps": {func() mutant { return onStore(neverDue) },
		[]step{fail{[]fault.Spec{"timeout", "timeout", "timeout"}}, submit{Country: "DE"}, pass{12 * time.Second}}, "I4"},
}

// TestMistakes shows that the invariants can fail: each mistake breaks the one that is for it, by a schedule that harms
// nothing without the mistake. With -hunt, random schedules have to find each mistake, too.
func TestMistakes(t *testing.T) {
	table := newTable("Mistakes made on purpose", "The flow, broken by a wrapper around its database or its provider. The checks above "+
		"must notice, and random schedules must run into it.", "mistake", "broken invariant", "schedules until one ran into it")
	t.Run("all", func(t *testing.T) {
		for name, m := range mistakes {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if r := play(t, mutant{}, m.steps); len(r.violations) > 0 {
					t.Fatalf("without the mistake: %v\n%s", r.violations, r.log)
				}
				if r := play(t, m.mutant(), m.steps); !r.saw(m.seenBy) {
					t.Errorf("%s did not see it: %v", m.seenBy, r.violations)
				}
				if *hunt > 0 {
					table.add(name, m.seenBy, strconv.Itoa(huntFor(t, m.mutant)))
				}
			})
		}
	})
	if *hunt > 0 {
		table.write(t, "mistakes")
	}
}

// TestMistakesPostgres shows that the invariants can fail with the database on PostgreSQL, too.
func TestMistakesPostgres(t *testing.T) {
	url := postgres(t)
	for _, name := range []string{"every click is an order", "no compare-and-set", "the event after the commit"} {
		m, broken := mistakes[name], mistakes[name].mutant()
		for _, world := range []mutant{{}, broken} {
			server.cluster.Empty(t, url)
			world.postgres = url
			if r := play(t, world, m.steps); r.saw(m.seenBy) != (world.store != nil) {
				t.Errorf("%s, broken %v: %v", name, world.store != nil, r.violations)
			}
		}
	}
}

// huntFor plays random schedules until one finds a mistake, and says how many it took.
func huntFor(t *testing.T, broken func() mutant) int {
	anything := schedule(everyFault())
	for i := range *hunt {
		if r := play(t, broken(), anything.Example(i)); len(r.violations) > 0 {
			return i + 1
		}
	}
	t.Errorf("%d schedules did not find it", *hunt)
	return 0
}

func (r result) saw(invariant string) bool {
	return slices.ContainsFunc(r.violations, func(v violation) bool { return v.invariant == invariant })
}

func onStore(broken func(orders.Store) orders.Store) mutant { return mutant{store: broken} }

// forgetful does not remember that a session has an order, and takes it for a new one each time.
func forgetful(s orders.Store) orders.Store { return &forgetfulStore{Store: s} }

type forgetfulStore struct {
	orders.Store
	clicks atomic.Int64
}

func (s *forgetfulStore) Session(ctx context.Context, id string) (*sessions.Session, error) {
	session, err := s.Store.Session(ctx, id)
	if err == nil {
		session.OrderID = ""
		session.CreatedAt = s.clicks.Add(1)
	}
	return session, err
}

// lateCommit makes a URL durable a second after it has said so.
func lateCommit(s orders.Store) orders.Store { return lateStore{s} }

type lateStore struct{ orders.Store }

func (s lateStore) Commit(ctx context.Context, c orders.Change) error {
	if c.Order == nil || c.Order.Current().State != orders.Open {
		return s.Store.Commit(ctx, c)
	}
	c.Order, c.Session = clone(c.Order), clone(c.Session)
	go func() {
		time.Sleep(time.Second)
		s.Store.Commit(ctx, c)
	}()
	time.Sleep(100 * time.Millisecond) // a flow that finds nothing written takes the same step again until its time is up
	return nil
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// lastWriterWins writes over whatever was written meanwhile.
func lastWriterWins(s orders.Store) orders.Store { return overwritingStore{s} }

type overwritingStore struct{ orders.Store }

func (s overwritingStore) Commit(ctx context.Context, c orders.Change) error {
	for {
		err := s.Store.Commit(ctx, c)
		if !errors.Is(err, orders.ErrStale) {
			return err
		}
		if c.Order != nil {
			if now, err := s.Store.Order(ctx, c.Order.Environment, c.Order.ID); err == nil {
				c.Order.Version = now.Version
			}
		}
		if c.Session != nil {
			if now, err := s.Store.Session(ctx, c.Session.ID); err == nil {
				c.Session.Version = now.Version
			}
		}
	}
}

func neverDue(s orders.Store) orders.Store { return neverDueStore{s} }

type neverDueStore struct{ orders.Store }

func (neverDueStore) Due(context.Context, int64, int) ([]orders.DueOrder, error) { return nil, nil }

// forgottenTimeouts forgets an order whose call had no answer, as if it had been deleted.
func forgottenTimeouts() mutant {
	forgotten := new(sync.Map)
	return onStore(func(s orders.Store) orders.Store { return &forgettingStore{s, forgotten} })
}

type forgettingStore struct {
	orders.Store
	forgotten *sync.Map
}

func (s *forgettingStore) Session(ctx context.Context, id string) (*sessions.Session, error) {
	session, err := s.Store.Session(ctx, id)
	if err == nil {
		if _, gone := s.forgotten.Load(session.OrderID); gone {
			session.OrderID = ""
			session.CreatedAt++ // or its next order would have the same id
		}
	}
	return session, err
}

func (s *forgettingStore) Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	if _, gone := s.forgotten.Load(id); gone {
		return nil, orders.ErrNotFound
	}
	return s.Store.Order(ctx, env, id)
}

func (s *forgettingStore) Commit(ctx context.Context, c orders.Change) error {
	if c.Order != nil && c.Order.Current().State == orders.Unresolved {
		s.forgotten.Store(c.Order.ID, true)
	}
	return s.Store.Commit(ctx, c)
}

// otherDigests makes every request look like another one.
func otherDigests(s orders.Store) orders.Store { return otherDigestsStore{s} }

type otherDigestsStore struct{ orders.Store }

func (s otherDigestsStore) Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	o, err := s.Store.Order(ctx, env, id)
	if err == nil && o.Current().State == orders.Open {
		o.Current().Digest = "other"
	}
	return o, err
}

// neverEnded does not write down that an attempt has ended when there is a next one.
func neverEnded(s orders.Store) orders.Store { return neverEndedStore{s} }

type neverEndedStore struct{ orders.Store }

func (s neverEndedStore) Commit(ctx context.Context, c orders.Change) error {
	if c.Order != nil && len(c.Order.Attempts) > 1 {
		c.Order.Attempts[0].State = orders.Open
	}
	return s.Store.Commit(ctx, c)
}

// brokenProvider breaks what it has a function for.
type brokenProvider struct {
	psp.Provider
	render   func(psp.Provider, psp.CheckoutParams) (psp.RenderedRequest, error)
	create   func(psp.Provider, time.Time, psp.RenderedRequest, string) (psp.Created, *psp.CallError)
	expire   func(psp.Provider, time.Time, string) (psp.Checkout, *psp.CallError)
	retrieve func(psp.Checkout) psp.Checkout
	event    func(*psp.Event)
	refund   func(psp.Provider, time.Time, psp.RenderedRequest, string) (psp.Refund, *psp.CallError)
}

func onProvider(b brokenProvider) mutant {
	return mutant{provider: func(g psp.Provider) psp.Provider { b.Provider = g; return b }}
}

func (g brokenProvider) Render(p psp.CheckoutParams) (psp.RenderedRequest, error) {
	if g.render == nil {
		return g.Provider.Render(p)
	}
	return g.render(g.Provider, p)
}

func (g brokenProvider) Retrieve(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	remote, callErr := g.Provider.Retrieve(deadline, ref)
	if g.retrieve != nil {
		remote = g.retrieve(remote)
	}
	return remote, callErr
}

func (g brokenProvider) Webhook(header func(string) string, body []byte, now time.Time) (psp.Event, error) {
	e, err := g.Provider.Webhook(header, body, now)
	if g.event != nil {
		g.event(&e)
	}
	return e, err
}

func (g brokenProvider) Create(deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	if g.create == nil {
		return g.Provider.Create(deadline, w, key)
	}
	return g.create(g.Provider, deadline, w, key)
}

func (g brokenProvider) Expire(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	if g.expire == nil {
		return g.Provider.Expire(deadline, ref)
	}
	return g.expire(g.Provider, deadline, ref)
}

func onCreate(broken func(psp.Provider, time.Time, psp.RenderedRequest, string) (psp.Created, *psp.CallError)) mutant {
	return onProvider(brokenProvider{create: broken})
}

func onExpire(broken func(psp.Provider, time.Time, string) (psp.Checkout, *psp.CallError)) mutant {
	return onProvider(brokenProvider{expire: broken})
}

func alwaysOpen(r psp.Checkout) psp.Checkout {
	r.Status = psp.CheckoutOpen
	return r
}

func alwaysPaid(e *psp.Event) { e.Checkout.Paid = e.Checkout.Paid || e.Kind == psp.EventCompleted }

func otherLines(g psp.Provider, p psp.CheckoutParams) (psp.RenderedRequest, error) {
	p.Order = clone(p.Order)
	p.Order.Quote.Assessment.Subtotal--
	p.Order.Quote.Assessment.Tax++
	return g.Render(p)
}

func tellingKey(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	return g.Create(deadline, w, key+"_"+emailOf(0, "DE"))
}

func patientCreate(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	time.Sleep(20 * time.Second)
	return g.Create(deadline.Add(20*time.Second), w, key)
}

func neverExpire(psp.Provider, time.Time, string) (psp.Checkout, *psp.CallError) {
	return psp.Checkout{Status: psp.CheckoutExpired}, nil
}

func hopefulExpire(g psp.Provider, deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	remote, callErr := g.Expire(deadline, ref)
	if callErr != nil && callErr.Class == psp.Unknown {
		return psp.Checkout{Status: psp.CheckoutExpired}, nil
	}
	return remote, callErr
}

func hopelessCreate(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	remote, callErr := g.Create(deadline, w, key)
	if callErr != nil && callErr.Class == psp.Unknown {
		callErr.Class = psp.Definitive
	}
	return remote, callErr
}

func newKeys() mutant {
	tries := new(atomic.Int64)
	return onCreate(func(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
		return g.Create(deadline, w, fmt.Sprint(key, "_", tries.Add(1)))
	})
}

func otherBytes() mutant {
	tries := new(atomic.Int64)
	return onCreate(func(g psp.Provider, deadline time.Time, w psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
		w.Body = fmt.Appendf(slices.Clone(w.Body), "&metadata[try]=%d", tries.Add(1))
		return g.Create(deadline, w, key)
	})
}

// lateFacts commits the facts of a change after the change.
func lateFacts(s orders.Store) orders.Store { return &lateFactsStore{s} }

type lateFactsStore struct{ orders.Store }

func (s *lateFactsStore) Commit(ctx context.Context, c orders.Change) error {
	facts := c.Facts
	c.Facts = nil
	if err := s.Store.Commit(ctx, c); err != nil || facts == nil {
		return err
	}
	return s.Store.Commit(ctx, orders.Change{Facts: facts})
}

// everyPaymentTold tells of each payment, also of one that was declined.
func everyPaymentTold(s orders.Store) orders.Store { return &everyPaymentToldStore{s} }

type everyPaymentToldStore struct{ orders.Store }

func (s *everyPaymentToldStore) Commit(ctx context.Context, c orders.Change) error {
	if c.Order != nil && len(c.Facts) == 0 {
		for _, p := range c.Order.Payments {
			c.Facts = append(c.Facts, orders.Fact{Kind: orders.OrderCompleted, OrderID: c.Order.ID, EventID: p.ID})
		}
	}
	return s.Store.Commit(ctx, c)
}
