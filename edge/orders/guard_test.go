package orders_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// hanging is a provider that answers nobody, and an adapter that notices late.
type hanging struct{ provider }

func (h *hanging) Create(deadline time.Time, _ orders.Wire, _ string) (orders.Remote, *orders.Fault) {
	time.Sleep(time.Until(deadline) + 100*time.Millisecond)
	return orders.Remote{}, &orders.Fault{Class: orders.Unknown, Err: errors.New("timeout")}
}

// TestGuardBulkhead: more callers than places wait until their deadline and are told that nothing was sent.
func TestGuardBulkhead(t *testing.T) {
	g := orders.Guarded(&hanging{}, orders.Limits{Concurrent: 2, Trip: 100})
	classes := make(chan orders.FaultClass, 6)
	for range 6 {
		go func() {
			_, fault := g.Create(time.Now().Add(50*time.Millisecond), orders.Wire{}, "k")
			classes <- fault.Class
		}()
	}
	seen := make(map[orders.FaultClass]int)
	for range 6 {
		seen[<-classes]++
	}
	if seen[orders.Unknown] != 2 || seen[orders.NotExecuted] != 4 {
		t.Errorf("got %v", seen)
	}
}

// TestGuardBreaker: a provider that does not answer is left alone for a while, and then tried again with one call.
func TestGuardBreaker(t *testing.T) {
	p := new(provider)
	g := orders.Guarded(p, orders.Limits{Trip: 3, Rest: 30 * time.Millisecond})
	create := func() *orders.Fault {
		_, fault := g.Create(time.Now().Add(time.Second), orders.Wire{Body: []byte("ORD_1 1 100 0 x")}, "k")
		return fault
	}
	for range 3 {
		p.faults = []*orders.Fault{{Class: orders.Unknown}}
		if fault := create(); fault == nil || fault.Class != orders.Unknown {
			t.Fatalf("got %v", fault)
		}
	}
	if fault := create(); fault == nil || fault.Class != orders.NotExecuted || len(p.sent) != 3 {
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
		p.faults = []*orders.Fault{{Class: orders.Definitive, Status: 400}}
		if _, fault := g.Create(time.Now().Add(time.Second), orders.Wire{}, "k"); fault == nil || fault.Class != orders.Definitive {
			t.Fatalf("got %v", fault)
		}
	}
	if len(p.sent) != 5 {
		t.Errorf("sent %d", len(p.sent))
	}
}

// TestGuardRate: no more calls leave than the provider allows.
func TestGuardRate(t *testing.T) {
	p := new(provider)
	g := orders.Guarded(p, orders.Limits{Rate: 5})
	refused := 0
	for range 8 {
		_, fault := g.Create(time.Now().Add(10*time.Millisecond), orders.Wire{Body: []byte("ORD_1 1 100 0 x")}, "k")
		if fault != nil {
			refused++
		}
	}
	if refused != 3 || len(p.sent) != 5 {
		t.Errorf("refused %d, sent %d", refused, len(p.sent))
	}
}
