// Package limit holds calls to a payment provider back, so that they do not pile up: a rate limit, a bulkhead, a circuit breaker
// and a fair queue.
//
// A [Limiter] has two lanes, each with a number of concurrent calls of its own: one for buyers ([Limiter.For]) and one for background
// jobs ([Limiter.Background]). Background jobs have a fifth of the rate, and go on however many buyers wait. Buyers have the rest,
// and what the background jobs do not use.
//
// A call waits for a slot only as long as an answer can still arrive by its deadline, and holds no lock meanwhile. Slots go around
// between the stores that wait, and within a store between its clients, so that neither takes more than its share.
//
// A call that is held back has not been sent: its error is [psp.NotExecuted] and Held. It keeps its place in the queue, and its
// RetryAfter says when its turn comes, at the provider's rate and with the places before it. A request with the same key takes the
// place again. It is served at once if it comes at that time, or a little later: later calls of the same store do not pass it.
//
// Caveats: A store that has come meanwhile takes its turns, and background jobs their share; both put the turn off. A provider that
// answers slowly does, too, as its rate says nothing of that. The places are in memory, of this process only, 10,000 at most. In
// another process, or after a restart, the request joins the end of a queue of which others are away at that time.
package limit

import (
	"cmp"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Limits says how much of a provider one process uses. Zero fields mean the defaults of [New], except Rate.
type Limits struct {
	Rate       float64       // calls a second; 0 is no limit
	Concurrent int           // buyers' calls at once, 64
	Waiting    int           // buyers' calls that wait for a slot, 256
	Answer     time.Duration // how long an answer may take: a call with less time left is not sent, 1 s
	Trip       uint32        // calls in a row without an answer that open the circuit breaker, 10
	Rest       time.Duration // how long it stays open, 5 s

	Metrics *metrics.Set // counts the calls; nil for none
}

// Down is the Code of calls that were held back because the provider does not answer.
const Down = "provider_is_down"

// backgroundShare is the part of the rate that background jobs get before buyers, and their number of slots in proportion to the
// buyers'. Buyers have what the background jobs leave.
const backgroundShare = 0.2

// Limiter limits the calls to a provider. It is safe for concurrent use.
type Limiter struct {
	provider           psp.Provider
	limits             Limits
	breaker            *gobreaker.CircuitBreaker[struct{}]
	buyers, background *lane
	calls              *metrics.Counter
	seconds            *metrics.Histogram
}

// New returns a limiter for a provider.
func New(p psp.Provider, l Limits) *Limiter {
	l.Concurrent = cmp.Or(l.Concurrent, 64)
	l.Waiting = cmp.Or(l.Waiting, 256)
	l.Answer = cmp.Or(l.Answer, time.Second)
	l.Trip = cmp.Or(l.Trip, 10)
	l.Rest = cmp.Or(l.Rest, 5*time.Second)
	backgroundSlots := max(1, int(float64(l.Concurrent)*backgroundShare/(1-backgroundShare)))
	limiter := &Limiter{
		provider: p, limits: l,
		buyers:     newLane(l.Rate, l.Rate*(1-backgroundShare), l.Concurrent, l.Waiting),
		background: newLane(l.Rate*backgroundShare, l.Rate*backgroundShare, backgroundSlots, l.Waiting),
		breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name: p.Name(), Timeout: l.Rest,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= l.Trip },
			IsSuccessful: answered,
		}),
	}
	limiter.background.charged = limiter.buyers.bucket
	limiter.declare(l.Metrics)
	return limiter
}

// answered tells a provider that responds, if only to refuse, from one that does not.
func answered(err error) bool {
	var callErr *psp.CallError
	return err == nil || errors.As(err, &callErr) && callErr.Status != 0 && callErr.Status < 500
}

// For returns the provider for the calls of one request of a buyer, which count to a store and to one of its clients. A request that
// repeats another has its key, and the place in the queue that was kept for it.
func (l *Limiter) For(store, client, key string) *Calls {
	return &Calls{Provider: l.provider, limiter: l, lane: l.buyers, caller: caller{store, client}, key: key}
}

// Background returns the provider for work that no buyer waits for.
func (l *Limiter) Background() *Calls {
	return &Calls{Provider: l.provider, limiter: l, lane: l.background, caller: caller{"", ""}}
}

// Calls is a provider whose calls wait for a slot. As long as nothing is reserved it is safe for concurrent use.
type Calls struct {
	psp.Provider
	limiter  *Limiter
	lane     *lane
	caller   caller
	key      string
	reserved int // calls that the reserved slot still serves
}

// Reserve takes the slot of the next call in advance, so that a caller need not store anything for a call that will not be sent.
// It waits until latest at most. It does nothing if a slot is reserved already.
func (c *Calls) Reserve(latest time.Time) *psp.CallError {
	if c.reserved > 0 {
		return nil
	}
	callErr := c.enter(latest)
	if callErr == nil {
		c.reserved = 1
	}
	return callErr
}

// Extend makes a reserved slot serve one call more. The two must go to different endpoints, whose limits are separate.
func (c *Calls) Extend() {
	if c.reserved > 0 {
		c.reserved++
	}
}

// Release gives back a reserved slot that was not used up.
func (c *Calls) Release() {
	if c.reserved > 0 {
		c.reserved = 0
		c.lane.leave()
	}
}

func (c *Calls) enter(latest time.Time) *psp.CallError {
	if c.limiter.breaker.State() == gobreaker.StateOpen {
		return c.providerDown()
	}
	return c.lane.enter(c.caller, c.key, latest)
}

// enterBy takes a slot for a call whose answer must arrive by a deadline.
func (c *Calls) enterBy(deadline time.Time) *psp.CallError {
	latest := deadline.Add(-c.limiter.limits.Answer)
	if latest.Before(time.Now()) {
		return heldBack("too_late_to_answer", 0)
	}
	return c.enter(latest)
}

// Create implements [psp.Checkouts].
func (c *Calls) Create(deadline time.Time, r psp.RenderedRequest, key string) (psp.Created, *psp.CallError) {
	return limited(c, "create", deadline, func() (psp.Created, *psp.CallError) { return c.Provider.Create(deadline, r, key) })
}

// Retrieve implements [psp.Checkouts].
func (c *Calls) Retrieve(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	return limited(c, "retrieve", deadline, func() (psp.Checkout, *psp.CallError) { return c.Provider.Retrieve(deadline, ref) })
}

// Expire implements [psp.Checkouts].
func (c *Calls) Expire(deadline time.Time, ref string) (psp.Checkout, *psp.CallError) {
	return limited(c, "expire", deadline, func() (psp.Checkout, *psp.CallError) { return c.Provider.Expire(deadline, ref) })
}

// ListCheckouts implements [psp.Reconciler].
func (c *Calls) ListCheckouts(deadline time.Time, created psp.Span, after string) (psp.Page[psp.Checkout], *psp.CallError) {
	return limited(c, "list", deadline, func() (psp.Page[psp.Checkout], *psp.CallError) {
		return c.Provider.ListCheckouts(deadline, created, after)
	})
}

// UndeliveredEvents implements [psp.Reconciler].
func (c *Calls) UndeliveredEvents(deadline time.Time, after string) (psp.Page[psp.Event], *psp.CallError) {
	return limited(c, "events", deadline, func() (psp.Page[psp.Event], *psp.CallError) {
		return c.Provider.UndeliveredEvents(deadline, after)
	})
}

// CreateRefund implements [psp.Refunds].
func (c *Calls) CreateRefund(deadline time.Time, r psp.RenderedRequest, key string) (psp.Refund, *psp.CallError) {
	return limited(c, "refund", deadline, func() (psp.Refund, *psp.CallError) { return c.Provider.CreateRefund(deadline, r, key) })
}

// RetrieveRefund implements [psp.Refunds].
func (c *Calls) RetrieveRefund(deadline time.Time, ref string) (psp.Refund, *psp.CallError) {
	return limited(c, "retrieve-refund", deadline, func() (psp.Refund, *psp.CallError) { return c.Provider.RetrieveRefund(deadline, ref) })
}

// ListRefunds implements [psp.Refunds].
func (c *Calls) ListRefunds(deadline time.Time, paymentID string, created psp.Span, after string) (psp.Page[psp.Refund], *psp.CallError) {
	return limited(c, "list-refunds", deadline, func() (psp.Page[psp.Refund], *psp.CallError) {
		return c.Provider.ListRefunds(deadline, paymentID, created, after)
	})
}

// limited makes a call in the reserved slot, or waits for one. operation names the call in the metrics.
func limited[T any](c *Calls, operation string, deadline time.Time, call func() (T, *psp.CallError)) (answer T, callErr *psp.CallError) {
	defer func() { c.limiter.calls.Inc(operation, outcome(callErr)) }()
	if c.reserved > 0 {
		c.reserved--
	} else if held := c.enterBy(deadline); held != nil {
		return answer, held
	}
	if c.reserved == 0 {
		defer c.lane.leave()
	}
	_, err := c.limiter.breaker.Execute(func() (struct{}, error) {
		defer c.limiter.seconds.Since(time.Now(), operation)
		if answer, callErr = call(); callErr != nil {
			return struct{}{}, callErr
		}
		return struct{}{}, nil
	})
	if err != nil && callErr == nil {
		return answer, c.providerDown()
	}
	return answer, callErr
}

func (c *Calls) providerDown() *psp.CallError {
	return heldBack(Down, c.limiter.limits.Rest)
}

func heldBack(code string, wait time.Duration) *psp.CallError {
	return &psp.CallError{Class: psp.NotExecuted, Held: true, Code: code, RetryAfter: wait}
}
