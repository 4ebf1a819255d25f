package orders

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

// Limits says how much of a provider one process uses. Zero fields mean the defaults of [Guarded], except Rate.
type Limits struct {
	Rate       float64       // calls a second; 0 is no limit. Stripe allows 25 for one endpoint unless asked for more.
	Concurrent int           // calls at once, 64
	Trip       uint32        // calls in a row without an answer after which the provider counts as down, 10
	Rest       time.Duration // how long it is left alone then, 5 s
}

// Guarded puts a token bucket, a bulkhead and a circuit breaker before a provider. A call that they hold back has not been
// made, and says so: it is a [NotExecuted] fault, and a create-order goes on waiting within its budget. Waiting for a place
// never lasts longer than the call's own deadline.
//
// What has no place here takes none elsewhere: a provider that hangs holds Concurrent calls and as many goroutines as
// buyers wait for it, and no lock that a session, a quote or a page needs.
func Guarded(g Gateway, l Limits) Gateway {
	if l.Concurrent == 0 {
		l.Concurrent = 64
	}
	if l.Trip == 0 {
		l.Trip = 10
	}
	if l.Rest == 0 {
		l.Rest = 5 * time.Second
	}
	limit := rate.Inf
	if l.Rate > 0 {
		limit = rate.Limit(l.Rate)
	}
	return &guarded{
		Gateway: g,
		places:  make(chan struct{}, l.Concurrent),
		bucket:  rate.NewLimiter(limit, max(1, int(l.Rate))),
		breaker: gobreaker.NewCircuitBreaker[Remote](gobreaker.Settings{
			Name: g.Name(), Timeout: l.Rest,
			ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= l.Trip },
			IsSuccessful: answered,
		}),
	}
}

type guarded struct {
	Gateway
	places  chan struct{}
	bucket  *rate.Limiter
	breaker *gobreaker.CircuitBreaker[Remote]
}

// answered tells a provider that is there, if only to refuse, from one that is not.
func answered(err error) bool {
	var fault *Fault
	return err == nil || errors.As(err, &fault) && fault.Status != 0 && fault.Status < 500
}

// Create implements [Gateway].
func (g *guarded) Create(deadline time.Time, w Wire, key string) (Remote, *Fault) {
	return g.call(deadline, func() (Remote, *Fault) { return g.Gateway.Create(deadline, w, key) })
}

// Retrieve implements [Gateway].
func (g *guarded) Retrieve(deadline time.Time, ref string) (Remote, *Fault) {
	return g.call(deadline, func() (Remote, *Fault) { return g.Gateway.Retrieve(deadline, ref) })
}

// Expire implements [Gateway].
func (g *guarded) Expire(deadline time.Time, ref string) (Remote, *Fault) {
	return g.call(deadline, func() (Remote, *Fault) { return g.Gateway.Expire(deadline, ref) })
}

func (g *guarded) call(deadline time.Time, do func() (Remote, *Fault)) (Remote, *Fault) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	if err := g.bucket.Wait(ctx); err != nil {
		return Remote{}, heldBack("rate_limited_here", err)
	}
	select {
	case g.places <- struct{}{}:
		defer func() { <-g.places }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return Remote{}, heldBack("too_many_calls_here", ctx.Err())
	}
	remote, err := g.breaker.Execute(func() (Remote, error) {
		remote, fault := do()
		if fault != nil {
			return Remote{}, fault
		}
		return remote, nil
	})
	var fault *Fault
	switch {
	case err == nil:
		return remote, nil
	case errors.As(err, &fault):
		return Remote{}, fault
	default:
		return Remote{}, heldBack("provider_is_down", err)
	}
}

func heldBack(code string, err error) *Fault {
	return &Fault{Class: NotExecuted, Held: true, Code: code, Err: err}
}
