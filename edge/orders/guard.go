package orders

import (
	"cmp"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// Limits says how much of a provider one process uses. Zero fields mean the defaults of [Guarded], except Rate.
type Limits struct {
	Rate       float64       // calls a second; 0 is no limit. Stripe allows 25 for one endpoint unless asked for more.
	Concurrent int           // buyers' calls at once, 64
	Waiting    int           // buyers' calls that wait for their turn, 256
	Answer     time.Duration // how long an answer may take: a call with less time left is not sent, 1 s
	Trip       uint32        // calls in a row without an answer after which the provider counts as down, 10
	Rest       time.Duration // how long it is left alone then, 5 s
}

// background is the share of a provider's rate that is reserved for background work, so that it goes on however many buyers
// wait. It has places of its own in the same proportion.
const background = 0.2

// Guard is a provider behind a token bucket, a bulkhead and a circuit breaker. A call that they hold back has not been made:
// its fault is [NotExecuted] and Held, and its RetryAfter says when there will be room for it.
//
// A call waits for its turn only while an answer can still arrive by its deadline. The turns go around between the stores
// that wait, and within a store between its clients ([Guard.For]), so that no store and no client takes more than its share.
// A call that waits holds nothing that a session, a quote or a page needs.
type Guard struct {
	turns
	rest *lane // of background work
}

// Guarded puts limits before a provider.
func Guarded(g psp.Provider, l Limits) *Guard {
	l.Concurrent = cmp.Or(l.Concurrent, 64)
	l.Waiting = cmp.Or(l.Waiting, 256)
	l.Answer = cmp.Or(l.Answer, time.Second)
	l.Trip = cmp.Or(l.Trip, 10)
	l.Rest = cmp.Or(l.Rest, 5*time.Second)
	beside := max(1, int(float64(l.Concurrent)*background/(1-background)))
	return &Guard{
		turns: turns{
			Provider: g, Limits: l, party: []string{"", ""},
			lane: newLane(l.Rate*(1-background), l.Concurrent, l.Waiting),
			breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
				Name: g.Name(), Timeout: l.Rest,
				ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= l.Trip },
				IsSuccessful: answered,
			}),
		},
		rest: newLane(l.Rate*background, beside, l.Waiting),
	}
}

// answered tells a provider that is there, if only to refuse, from one that is not.
func answered(err error) bool {
	var fault *psp.CallError
	return err == nil || errors.As(err, &fault) && fault.Status != 0 && fault.Status < 500
}

// For is the same provider for the calls of one request, counted to a store and one of its clients.
func (g *Guard) For(store, client string) psp.Provider {
	t := g.turns
	t.party = []string{store, client}
	return &t
}

// Background is the same provider for work that no buyer waits for, with a part of the limits to itself.
func (g *Guard) Background() psp.Provider {
	t := g.turns
	t.lane = g.rest
	return &t
}

// forBuyer is a provider for one create-order.
func forBuyer(g psp.Provider, store, client string) psp.Provider {
	if guard, ok := g.(*Guard); ok {
		return guard.For(store, client)
	}
	return g
}

// inBackground is a provider for work that no buyer waits for.
func inBackground(g psp.Provider) psp.Provider {
	if guard, ok := g.(*Guard); ok {
		return guard.Background()
	}
	return g
}

// turns is a provider whose calls wait for their turn. One that belongs to a single request can have a turn reserved.
type turns struct {
	psp.Provider
	Limits
	lane     *lane
	breaker  *gobreaker.CircuitBreaker[struct{}]
	party    []string // a store and its client: to whom the calls count
	reserved int      // calls that the turn at hand still serves
}

// reserve takes the turn of a request's next call ahead of it, so that nothing need be written for a call that will not be
// made. It waits until latest at most. It does nothing where a turn is reserved already, or none is needed.
func reserve(g psp.Provider, latest time.Time) *psp.CallError {
	t, ok := g.(*turns)
	if !ok || t.reserved > 0 {
		return nil
	}
	fault := t.enter(latest)
	if fault == nil {
		t.reserved = 1
	}
	return fault
}

// hold makes the turn that is reserved serve one call more. The two are to different endpoints, whose limits are their own.
func hold(g psp.Provider) {
	if t, ok := g.(*turns); ok && t.reserved > 0 {
		t.reserved++
	}
}

// release gives back a turn that was reserved and not used up.
func release(g psp.Provider) {
	if t, ok := g.(*turns); ok && t.reserved > 0 {
		t.reserved = 0
		t.lane.leave()
	}
}

func (t *turns) enter(latest time.Time) *psp.CallError {
	if t.breaker.State() == gobreaker.StateOpen {
		return heldBack("provider_is_down", t.Rest)
	}
	return t.lane.enter(latest, t.party)
}

// enterBy takes a turn for a call that must have its answer by a deadline.
func (t *turns) enterBy(deadline time.Time) *psp.CallError {
	latest := deadline.Add(-t.Answer)
	if latest.Before(time.Now()) {
		return heldBack("too_late_to_answer", 0)
	}
	return t.enter(latest)
}

// Create implements [Gateway].
func (t *turns) Create(deadline time.Time, w psp.RenderedRequest, key string) (psp.Checkout, *psp.CallError) {
	return guarded(t, deadline, func() (psp.Checkout, *psp.CallError) { return t.Provider.Create(deadline, w, key) })
}

// Retrieve implements [Gateway].
func (t *turns) Retrieve(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	return guarded(t, deadline, func() (psp.Checkout, *psp.CallError) { return t.Provider.Retrieve(deadline, ref) })
}

// Expire implements [Gateway].
func (t *turns) Expire(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	return guarded(t, deadline, func() (psp.Checkout, *psp.CallError) { return t.Provider.Expire(deadline, ref) })
}

// Checkouts implements [Gateway].
func (t *turns) ListCheckouts(deadline time.Time, created psp.Span, after string) (psp.Page[psp.Checkout], *psp.CallError) {
	return guarded(t, deadline, func() (psp.Page[psp.Checkout], *psp.CallError) {
		return t.Provider.ListCheckouts(deadline, created, after)
	})
}

// Undelivered implements [Gateway].
func (t *turns) UndeliveredEvents(deadline time.Time, after string) (psp.Page[psp.Event], *psp.CallError) {
	return guarded(t, deadline, func() (psp.Page[psp.Event], *psp.CallError) { return t.Provider.UndeliveredEvents(deadline, after) })
}

// guarded makes a call in the turn that is reserved for it, or when it is its turn.
func guarded[T any](t *turns, deadline time.Time, call func() (T, *psp.CallError)) (answer T, fault *psp.CallError) {
	if t.reserved > 0 {
		t.reserved--
	} else if held := t.enterBy(deadline); held != nil {
		return answer, held
	}
	if t.reserved == 0 {
		defer t.lane.leave()
	}
	_, err := t.breaker.Execute(func() (struct{}, error) {
		if answer, fault = call(); fault != nil {
			return struct{}{}, fault
		}
		return struct{}{}, nil
	})
	if err != nil && fault == nil {
		return answer, heldBack("provider_is_down", t.Rest)
	}
	return answer, fault
}

func heldBack(code string, wait time.Duration) *psp.CallError {
	return &psp.CallError{Class: psp.NotExecuted, Held: true, Code: code, RetryAfter: wait}
}
