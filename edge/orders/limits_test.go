package orders_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
)

// within puts limits before the provider.
func within(l *limit.Limiter) func(*orders.Config) {
	return func(c *orders.Config) {
		c.Providers = map[checkout.Environment]orders.Provider{checkout.Test: orders.Limited(l)}
	}
}

// unlimited is a provider without limits.
func unlimited(p orders.Calls) orders.Provider {
	return orders.Provider{Background: p, ForBuyer: func(_, _, _ string) orders.BuyerCalls { return everReady{p} }}
}

// everReady needs no reservation.
type everReady struct{ orders.Calls }

func (everReady) Reserve(time.Time) *psp.CallError { return nil }
func (everReady) Extend()                          {}
func (everReady) Release()                         {}

// TestLimitsRefuseEarly: an order that would not get as far as the provider is refused before anything is written, and one
// that has its URL gets it all the same.
func TestLimitsRefuseEarly(t *testing.T) {
	d := openDesk(t)
	limiter := limit.New(d.provider, limit.Limits{Trip: 1, Rest: 100 * time.Millisecond})
	d.restart(within(limiter))
	trip := func() {
		d.faults = []*psp.CallError{{Class: psp.Unknown}}
		calls := limiter.For("", "", "")
		calls.Retrieve(time.Now().Add(time.Minute), "") // answers, so the breaker is closed
		calls.Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k")
	}
	trip()
	_, err := d.order("DE")
	var refusal *problem.Problem
	if !errors.As(err, &refusal) || refusal.Kind != problem.Unavailable {
		t.Fatalf("got %v", err)
	}
	if session, err := d.db.Session(t.Context(), sessionID); err != nil || session.OrderID != "" {
		t.Errorf("the refusal left an order: %+v, %v", session, err)
	}
	time.Sleep(150 * time.Millisecond)
	url, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	trip()
	if again, err := d.order("DE"); again != url {
		t.Errorf("%q became %q, %v", url, again, err)
	}
	_, before := d.stored(t)
	if _, err := d.order("FR"); !errors.As(err, &refusal) || refusal.Kind != problem.Unavailable {
		t.Errorf("got %v", err)
	}
	if _, o := d.stored(t); o.Version != before.Version {
		t.Errorf("the refusal wrote: the attempt is %s", o.Current().State)
	}
}

// TestLimitsSupersede: the turn of a changed order serves both of its calls. With one for the first only, the buyer's checkout
// would be ended and none be made.
func TestLimitsSupersede(t *testing.T) {
	d := openDesk(t)
	d.restart(func(c *orders.Config) { c.TryTimeout, c.Budget = time.Minute, 2*time.Minute })
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	d.restart(within(limit.New(d.provider, limit.Limits{Rate: 0.001}))) // one slot now, the next in 17 minutes
	if second, err := d.order("FR"); err != nil || second == first {
		t.Errorf("got %q, %v", second, err)
	}
	if _, err := d.order("IT"); !errors.As(err, new(*problem.Problem)) {
		t.Errorf("without a turn: %v", err)
	}
	if _, o := d.stored(t); len(o.Attempts) != 2 || o.Current().State != orders.Open {
		t.Errorf("%d attempts, the last one %s", len(o.Attempts), o.Current().State)
	}
}
