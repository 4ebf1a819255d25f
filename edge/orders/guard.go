package orders

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// Limits says how much of a provider one process uses. Zero fields mean the defaults of [Guarded], except Rate.
type Limits struct {
	Rate       float64       // calls a second; 0 is no limit. Stripe allows 25 for one endpoint unless asked for more.
	Concurrent int           // buyers' calls at once, 64
	Waiting    int           // buyers' calls that wait for one of them to end, 256; one more is refused at once
	Trip       uint32        // calls in a row without an answer after which the provider counts as down, 10
	Rest       time.Duration // how long it is left alone then, 5 s
}

// background is the part of a provider's rate, and of the places beside the buyers', that nobody's order can take: what is
// left undone must come to its end however many buyers wait.
const background = 0.2

// Guard is a provider behind a token bucket, a bulkhead and a circuit breaker. A call that they hold back has not been made,
// and says so: it is a [NotExecuted] fault that is Held. Waiting for a turn never lasts longer than the call's own deadline.
//
// What has no place here takes none elsewhere: a provider that hangs holds Concurrent calls, Waiting more wait for it, and
// none of them has a lock that a session, a quote or a page needs.
type Guard struct {
	Gateway
	lane
	breaker *gobreaker.CircuitBreaker[struct{}]
	rest    lane // of background work
}

// Guarded puts limits before a provider.
func Guarded(g Gateway, l Limits) *Guard {
	l.Concurrent = cmp.Or(l.Concurrent, 64)
	l.Waiting = cmp.Or(l.Waiting, 256)
	l.Trip = cmp.Or(l.Trip, 10)
	l.Rest = cmp.Or(l.Rest, 5*time.Second)
	beside := max(1, int(float64(l.Concurrent)*background/(1-background)))
	return &Guard{
		Gateway: g,
		lane:    newLane(l.Rate*(1-background), l.Concurrent, l.Waiting),
		rest:    newLane(l.Rate*background, beside, l.Waiting),
		breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name: g.Name(), Timeout: l.Rest,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= l.Trip },
			IsSuccessful: answered,
		}),
	}
}

// answered tells a provider that is there, if only to refuse, from one that is not.
func answered(err error) bool {
	var fault *Fault
	return err == nil || errors.As(err, &fault) && fault.Status != 0 && fault.Status < 500
}

// Background is the same provider for work that no buyer waits for, with a part of the limits to itself.
func (g *Guard) Background() *Guard {
	return &Guard{Gateway: g.Gateway, lane: g.rest, breaker: g.breaker, rest: g.rest}
}

// inBackground is a provider for work that no buyer waits for.
func inBackground(g Gateway) Gateway {
	if guard, ok := g.(*Guard); ok {
		return guard.Background()
	}
	return g
}

// refuses reports whether a call would be held back at once.
func refuses(g Gateway) bool {
	guard, ok := g.(*Guard)
	return ok && (len(guard.queue) == cap(guard.queue) || guard.breaker.State() == gobreaker.StateOpen)
}

// Create implements [Gateway].
func (g *Guard) Create(deadline time.Time, w Wire, key string) (Remote, *Fault) {
	return guarded(g, deadline, func() (Remote, *Fault) { return g.Gateway.Create(deadline, w, key) })
}

// Retrieve implements [Gateway].
func (g *Guard) Retrieve(deadline time.Time, ref string) (Remote, *Fault) {
	return guarded(g, deadline, func() (Remote, *Fault) { return g.Gateway.Retrieve(deadline, ref) })
}

// Expire implements [Gateway].
func (g *Guard) Expire(deadline time.Time, ref string) (Remote, *Fault) {
	return guarded(g, deadline, func() (Remote, *Fault) { return g.Gateway.Expire(deadline, ref) })
}

// Checkouts implements [Gateway].
func (g *Guard) Checkouts(deadline, since time.Time, after string) (Page[Remote], *Fault) {
	return guarded(g, deadline, func() (Page[Remote], *Fault) { return g.Gateway.Checkouts(deadline, since, after) })
}

// Undelivered implements [Gateway].
func (g *Guard) Undelivered(deadline time.Time, after string) (Page[Event], *Fault) {
	return guarded(g, deadline, func() (Page[Event], *Fault) { return g.Gateway.Undelivered(deadline, after) })
}

// guarded makes a call when it is its turn.
func guarded[T any](g *Guard, deadline time.Time, call func() (T, *Fault)) (answer T, fault *Fault) {
	leave, held := g.enter(deadline)
	if held != nil {
		return answer, held
	}
	defer leave()
	_, err := g.breaker.Execute(func() (struct{}, error) {
		if answer, fault = call(); fault != nil {
			return struct{}{}, fault
		}
		return struct{}{}, nil
	})
	if err != nil && fault == nil {
		return answer, heldBack("provider_is_down", err)
	}
	return answer, fault
}

// lane is what one kind of work has of a provider.
type lane struct {
	queue  chan struct{} // one element for each call that is made or waits
	places chan struct{} // one for each that is made
	bucket *rate.Limiter
}

func newLane(perSecond float64, places, waiting int) lane {
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return lane{make(chan struct{}, places+waiting), make(chan struct{}, places), rate.NewLimiter(limit, max(1, int(perSecond)))}
}

// enter waits for a place and then for a token, which a call that gets no place does not waste.
func (l *lane) enter(deadline time.Time) (leave func(), held *Fault) {
	select {
	case l.queue <- struct{}{}:
	default:
		return nil, heldBack("queue_full_here", nil)
	}
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		<-l.queue
		return nil, heldBack("too_many_calls_here", ctx.Err())
	}
	leave = func() { <-l.places; <-l.queue }
	err := ctx.Err() // both may have been ready
	if err == nil {
		err = l.bucket.Wait(ctx)
	}
	if err != nil {
		leave()
		return nil, heldBack("rate_limited_here", err)
	}
	return leave, nil
}

func heldBack(code string, err error) *Fault {
	return &Fault{Class: NotExecuted, Held: true, Code: code, Err: err}
}
