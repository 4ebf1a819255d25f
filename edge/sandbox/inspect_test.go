package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	s := newShop(t, nil)
	first := s.open("a")
	s.clock.advance(time.Second)
	second := s.open("b")
	s.pay(first.Ref)
	payment := s.event().Checkout.PaymentID
	s.call("POST", "/v1/refunds", "payment_intent="+payment+"&amount=110", "r")
	s.clock.advance(2 * time.Hour)
	all, err := s.Sessions()
	if err != nil || len(all) != 2 || all[0].ID != second.Ref {
		t.Fatalf("got %+v, %v", all, err)
	}
	payable := s.payable()
	want := Snapshot{
		ID: first.Ref, Order: "ORD_1", Metadata: map[string]string{
			"order_id": "ORD_1", "attempt": "1", "checkout_session_id": payable.Order.SessionID,
		},
		Key: "a", Status: "complete", Paid: true, Amount: 3110, Currency: "usd",
		Refunded: 110, Created: all[1].Created, ExpiresAt: all[1].Created.Add(time.Hour),
	}
	if !reflect.DeepEqual(all[1], want) {
		t.Errorf("got  %+v\nwant %+v", all[1], want)
	}
	if all[0].Payable || all[0].Paid {
		t.Errorf("after its time %+v", all[0])
	}
}

func TestActs(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.WebhookURL = "" })
	for name, c := range map[string]struct {
		act    func(string) error
		status string
		paid   bool
		then   error
	}{
		"pay":     {s.Pay, complete, true, ErrNotPayable},
		"decline": {s.Decline, open, false, nil},
		"expire":  {s.Expire, expired, false, ErrNotPayable},
		"later":   {func(id string) error { return s.Choose(id, "later_fails") }, complete, false, ErrNotPayable},
	} {
		id := s.open(name).Ref
		if err := c.act(id); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, p := range s.find("ORD_1") {
			if p.ID == id && (p.Status != c.status || p.Paid != c.paid || p.Payable != (c.status == open)) {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if err := s.Pay(id); !errors.Is(err, c.then) {
			t.Errorf("%s, then pay: %v", name, err)
		}
		if err := c.act("cs_test_0"); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s what does not exist: %v", name, err)
		}
	}
	if err := s.Choose("cs_test_0", "nonsense"); err == nil || errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// TestBodies: all distinct bodies under a key are kept, executed or not.
func TestBodies(t *testing.T) {
	t.Parallel()
	s := newShop(t, func(c *Config) { c.Record = true })
	const path = "/v1/checkout/sessions"
	s.Script("429")
	for _, body := range []string{"throttled", form(), form(), "another"} {
		s.call("POST", path, body, "k")
	}
	s.call("POST", path, "invalid", "k2")
	s.call("POST", path, form(), "")
	s.call("GET", path, "", "k3")
	want := map[string][]string{"k": {"throttled", form(), "another"}, "k2": {"invalid"}}
	if got := s.Bodies(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	forgetful := newShop(t, nil)
	forgetful.open("k")
	if got := forgetful.Bodies(); len(got) != 0 {
		t.Errorf("kept %v", got)
	}
}

// TestKeysUnderFaults: under random faults and concurrent repeated calls a key has at most one session, all successful calls return
// it, and a stored failure is replayed.
func TestKeysUnderFaults(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	s := newShop(t, func(c *Config) { c.WebhookURL = "" })
	var mutex sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0))
	s.Decide(func(c fault.Call) fault.Spec {
		mutex.Lock()
		defer mutex.Unlock()
		all := fault.All()
		if spec := all[random.IntN(len(all))]; spec != "slow" {
			return spec
		}
		return "slow:20ms"
	})
	outcomes := make(map[string]map[string]bool) // of each key: the sessions, "" for a failure that was stored
	var all sync.WaitGroup
	for i := range 48 {
		key := fmt.Sprint("key ", i%12)
		w := psp.RenderedRequest{Path: "/v1/checkout/sessions", Body: []byte(form("client_reference_id", key))}
		all.Go(func() {
			for range 6 {
				remote, fault := s.gateway.Create(time.Now().Add(40*time.Millisecond), w, key)
				if fault != nil && fault.Class != psp.KeyBurned {
					continue
				}
				mutex.Lock()
				if outcomes[key] == nil {
					outcomes[key] = make(map[string]bool)
				}
				outcomes[key][remote.Ref] = true
				mutex.Unlock()
			}
		})
	}
	all.Wait()
	if len(outcomes) == 0 {
		t.Errorf("seed %d: nothing was answered", seed)
	}
	for i := range 12 {
		key := fmt.Sprint("key ", i)
		found := s.find(key)
		if len(found) > 1 || len(outcomes[key]) > 1 {
			t.Errorf("seed %d: %s has %+v and answered %v", seed, key, found, outcomes[key])
		}
		for ref := range outcomes[key] {
			if ref != "" && (len(found) != 1 || found[0].ID != ref) {
				t.Errorf("seed %d: %s answered %s of %+v", seed, key, ref, found)
			}
		}
	}
}
