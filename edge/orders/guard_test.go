package orders_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// hanging is a provider that answers nobody, and an adapter that notices late.
type hanging struct{ provider }

func (h *hanging) Create(deadline time.Time, _ psp.RenderedRequest, _ string) (psp.Checkout, *psp.CallError) {
	time.Sleep(time.Until(deadline) + 100*time.Millisecond)
	return psp.Checkout{}, &psp.CallError{Class: psp.Unknown, Err: errors.New("timeout")}
}

// TestGuardBulkhead: more callers than places wait as long as an answer can still arrive, and are told that nothing was sent.
func TestGuardBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := orders.Guarded(&hanging{}, orders.Limits{Concurrent: 2, Trip: 100})
		began := time.Now()
		faults := make(chan *psp.CallError, 6)
		for range 6 {
			go func() {
				_, fault := g.Create(began.Add(4*time.Second), psp.RenderedRequest{}, "k")
				faults <- fault
			}()
		}
		for range 4 {
			if fault := <-faults; fault.Class != psp.NotExecuted || !fault.Held || time.Since(began) != 3*time.Second {
				t.Errorf("after %v: %v", time.Since(began), fault)
			}
		}
		for range 2 {
			if fault := <-faults; fault.Class != psp.Unknown {
				t.Errorf("got %v", fault)
			}
		}
	})
}

// TestGuardBreaker: a provider that does not answer is left alone for a while, and then tried again with one call.
func TestGuardBreaker(t *testing.T) {
	p := new(provider)
	g := orders.Guarded(p, orders.Limits{Trip: 3, Rest: 30 * time.Millisecond})
	create := func() *psp.CallError {
		_, fault := g.Create(time.Now().Add(time.Minute), psp.RenderedRequest{Body: []byte("ORD_1 1 100 0 x")}, "k")
		return fault
	}
	for range 3 {
		p.faults = []*psp.CallError{{Class: psp.Unknown}}
		if fault := create(); fault == nil || fault.Class != psp.Unknown {
			t.Fatalf("got %v", fault)
		}
	}
	if fault := create(); fault == nil || fault.Class != psp.NotExecuted || len(p.sent) != 3 {
		t.Fatalf("the breaker let a call through: %v, sent %d", fault, len(p.sent))
	}
	time.Sleep(50 * time.Millisecond)
	if fault := create(); fault != nil {
		t.Fatalf("the provider is back: %v", fault)
	}
}

// TestGuardRefusals: a provider that refuses is not down.
func TestGuardRefusals(t *testing.T) {
	p := new(provider)
	g := orders.Guarded(p, orders.Limits{Trip: 3})
	for range 5 {
		p.faults = []*psp.CallError{{Class: psp.Definitive, Status: 400}}
		if _, fault := g.Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k"); fault == nil || fault.Class != psp.Definitive {
			t.Fatalf("got %v", fault)
		}
	}
	if len(p.sent) != 5 {
		t.Errorf("sent %d", len(p.sent))
	}
}

// TestGuardRate: no more calls leave than the provider allows, and a fifth of them is not for buyers. Each call that is
// refused is told another time to come again.
func TestGuardRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(provider)
		g := orders.Guarded(p, orders.Limits{Rate: 10})
		var waits []time.Duration
		made := func(g psp.Provider) (n int) {
			for range 15 {
				_, fault := g.Create(time.Now().Add(time.Second), psp.RenderedRequest{Body: []byte("ORD_1 1 100 0 x")}, "k")
				if fault == nil {
					n++
				} else if waits = append(waits, fault.RetryAfter); !fault.Held || fault.Class != psp.NotExecuted {
					t.Errorf("got %v", fault)
				}
			}
			return n
		}
		if buyers, background := made(g), made(g.Background()); buyers != 8 || background != 2 || len(p.sent) != 10 {
			t.Errorf("%d calls of buyers, %d in the background, sent %d", buyers, background, len(p.sent))
		}
		for i, wait := range waits[:7] {
			if want := time.Duration(i+1) * time.Second / 8; (wait - want).Abs() > time.Microsecond {
				t.Errorf("refusal %d says to wait for %v, not %v", i, wait, want)
			}
		}
	})
}

// TestGuardTooLate: a call whose answer could not arrive by its deadline is not sent, though there is room for it.
func TestGuardTooLate(t *testing.T) {
	p := new(provider)
	g := orders.Guarded(p, orders.Limits{})
	_, fault := g.Create(time.Now().Add(500*time.Millisecond), psp.RenderedRequest{}, "k")
	if fault == nil || !fault.Held || len(p.sent) != 0 {
		t.Errorf("got %v, sent %d", fault, len(p.sent))
	}
}

// TestGuardTurns: the turns go around between the stores, and in a store between its clients.
func TestGuardTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &stopped{begun: make(chan struct{}, 100), end: make(chan struct{})}
		g := orders.Guarded(p, orders.Limits{Concurrent: 1})
		served := make(chan string, 100)
		ask := func(store, client string, n int) {
			for range n {
				go func() {
					if _, fault := g.For(store, client).Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k"); fault == nil {
						served <- store + client
					}
				}()
				synctest.Wait()
			}
		}
		ask("A", "1", 4) // the first of which is served at once
		ask("A", "2", 2)
		ask("B", "1", 2)
		var order []string
		for range 8 {
			p.end <- struct{}{}
			synctest.Wait()
			order = append(order, <-served)
		}
		if want := "A1 A1 B1 A2 B1 A1 A2 A1"; strings.Join(order, " ") != want {
			t.Errorf("served %v, not %s", order, want)
		}
	})
}

// TestGuardQueue: a provider that hangs has so many callers wait and no more; the next one is refused at once. What runs in
// the background has places of its own.
func TestGuardQueue(t *testing.T) {
	p := &stopped{begun: make(chan struct{}, 10), end: make(chan struct{})}
	g := orders.Guarded(p, orders.Limits{Concurrent: 2, Waiting: 3})
	faults := make(chan *psp.CallError, 8)
	for range 8 {
		go func() {
			_, fault := g.Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k")
			faults <- fault
		}()
	}
	for range 3 {
		if fault := <-faults; fault == nil || !fault.Held || fault.Class != psp.NotExecuted || fault.Code != "queue_full_here" {
			t.Errorf("refused with %+v", fault)
		}
	}
	go g.Background().Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k")
	for range 3 {
		<-p.begun
	}
	close(p.end)
	for range 5 {
		if fault := <-faults; fault != nil {
			t.Errorf("one of the five got %v", fault)
		}
	}
}

// TestGuardRefusesEarly: an order that would not get as far as the provider is refused before anything is written, and one
// that has its URL gets it all the same.
func TestGuardRefusesEarly(t *testing.T) {
	d := openDesk(t)
	g := orders.Guarded(d.provider, orders.Limits{Trip: 1, Rest: 100 * time.Millisecond})
	d.Providers[checkout.Test] = g
	trip := func() {
		d.faults = []*psp.CallError{{Class: psp.Unknown}}
		g.Retrieve(time.Now().Add(time.Minute), "") // answers, so the breaker is closed
		g.Create(time.Now().Add(time.Minute), psp.RenderedRequest{}, "k")
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

// TestGuardSupersedes: the turn of a changed order serves both of its calls. With one for the first only, the buyer's checkout
// would be ended and none be made.
func TestGuardSupersedes(t *testing.T) {
	d := openDesk(t)
	d.TryTimeout, d.Budget = time.Minute, 2*time.Minute
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	d.Providers[checkout.Test] = orders.Guarded(d.provider, orders.Limits{Rate: 0.001}) // one turn now, the next in 20 minutes
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

// stopped is a provider that answers nobody until a test lets it.
type stopped struct {
	provider
	begun chan struct{} // one element for each call
	end   chan struct{}
}

func (s *stopped) Create(time.Time, psp.RenderedRequest, string) (psp.Checkout, *psp.CallError) {
	s.begun <- struct{}{}
	<-s.end
	return psp.Checkout{}, nil
}
