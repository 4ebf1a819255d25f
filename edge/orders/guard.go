package orders

import (
	"cmp"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
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
func Guarded(g Gateway, l Limits) *Guard {
	l.Concurrent = cmp.Or(l.Concurrent, 64)
	l.Waiting = cmp.Or(l.Waiting, 256)
	l.Answer = cmp.Or(l.Answer, time.Second)
	l.Trip = cmp.Or(l.Trip, 10)
	l.Rest = cmp.Or(l.Rest, 5*time.Second)
	beside := max(1, int(float64(l.Concurrent)*background/(1-background)))
	return &Guard{
		turns: turns{
			Gateway: g, Limits: l, party: []string{"", ""},
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
	var fault *Fault
	return err == nil || errors.As(err, &fault) && fault.Status != 0 && fault.Status < 500
}

// For is the same provider for the calls of one request, counted to a store and one of its clients.
func (g *Guard) For(store, client string) Gateway {
	t := g.turns
	t.party = []string{store, client}
	return &t
}

// Background is the same provider for work that no buyer waits for, with a part of the limits to itself.
func (g *Guard) Background() Gateway {
	t := g.turns
	t.lane = g.rest
	return &t
}

// forBuyer is a provider for one create-order.
func forBuyer(g Gateway, store, client string) Gateway {
	if guard, ok := g.(*Guard); ok {
		return guard.For(store, client)
	}
	return g
}

// inBackground is a provider for work that no buyer waits for.
func inBackground(g Gateway) Gateway {
	if guard, ok := g.(*Guard); ok {
		return guard.Background()
	}
	return g
}

// turns is a provider whose calls wait for their turn. One that belongs to a single request can have a turn reserved.
type turns struct {
	Gateway
	Limits
	lane     *lane
	breaker  *gobreaker.CircuitBreaker[struct{}]
	party    []string // a store and its client: to whom the calls count
	reserved int      // calls that the turn at hand still serves
}

// reserve takes the turn of a request's next call ahead of it, so that nothing need be written for a call that will not be
// made. It waits until latest at most. It does nothing where a turn is reserved already, or none is needed.
func reserve(g Gateway, latest time.Time) *Fault {
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
func hold(g Gateway) {
	if t, ok := g.(*turns); ok && t.reserved > 0 {
		t.reserved++
	}
}

// release gives back a turn that was reserved and not used up.
func release(g Gateway) {
	if t, ok := g.(*turns); ok && t.reserved > 0 {
		t.reserved = 0
		t.lane.leave()
	}
}

func (t *turns) enter(latest time.Time) *Fault {
	if t.breaker.State() == gobreaker.StateOpen {
		return heldBack("provider_is_down", t.Rest)
	}
	return t.lane.enter(latest, t.party)
}

// enterBy takes a turn for a call that must have its answer by a deadline.
func (t *turns) enterBy(deadline time.Time) *Fault {
	latest := deadline.Add(-t.Answer)
	if latest.Before(time.Now()) {
		return heldBack("too_late_to_answer", 0)
	}
	return t.enter(latest)
}

// Create implements [Gateway].
func (t *turns) Create(deadline time.Time, w Wire, key string) (Remote, *Fault) {
	return guarded(t, deadline, func() (Remote, *Fault) { return t.Gateway.Create(deadline, w, key) })
}

// Retrieve implements [Gateway].
func (t *turns) Retrieve(deadline time.Time, ref string) (Remote, *Fault) {
	return guarded(t, deadline, func() (Remote, *Fault) { return t.Gateway.Retrieve(deadline, ref) })
}

// Expire implements [Gateway].
func (t *turns) Expire(deadline time.Time, ref string) (Remote, *Fault) {
	return guarded(t, deadline, func() (Remote, *Fault) { return t.Gateway.Expire(deadline, ref) })
}

// Checkouts implements [Gateway].
func (t *turns) Checkouts(deadline time.Time, created Span, after string) (Page[Remote], *Fault) {
	return guarded(t, deadline, func() (Page[Remote], *Fault) { return t.Gateway.Checkouts(deadline, created, after) })
}

// Undelivered implements [Gateway].
func (t *turns) Undelivered(deadline time.Time, after string) (Page[Event], *Fault) {
	return guarded(t, deadline, func() (Page[Event], *Fault) { return t.Gateway.Undelivered(deadline, after) })
}

// guarded makes a call in the turn that is reserved for it, or when it is its turn.
func guarded[T any](t *turns, deadline time.Time, call func() (T, *Fault)) (answer T, fault *Fault) {
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

func heldBack(code string, wait time.Duration) *Fault {
	return &Fault{Class: NotExecuted, Held: true, Code: code, RetryAfter: wait}
}
