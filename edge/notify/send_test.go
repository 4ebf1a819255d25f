package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// start runs the service and returns a function that ends it and waits.
func (w *world) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.service.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.Cleanup(stop)
	return stop
}

// TestPayload compares the whole event with the published form.
func TestPayload(t *testing.T) {
	w := open(t, nil)
	s, merchant := w.shop("MER_1"), receive(t, status(200))
	s.subscribe(merchant.URL)
	w.start()
	order := s.sell(checkout.Test)
	d := s.delivery("it is delivered", func(d *notify.Delivery) bool { return d.State == notify.Delivered })
	var got map[string]any
	if err := json.Unmarshal([]byte(merchant.got()[0].body), &got); err != nil {
		t.Fatal(err)
	}
	amounts := `"total":"109.98","subtotal":"100.00","taxAmount":"9.98"`
	want := `{"id":"` + d.ID + `","timestamp":"` + got["timestamp"].(string) + `","eventType":"order.completed","eventId":"` + order.Payments[0].ID +
		`","storeId":"` + s.store + `","storeName":"Cr\u00eape & Co","mode":"test","data":{"orderId":"` + order.ID + `","orderStatus":"completed","buyerEmail":"ada@example.com",` +
		`"merchantProvidedBuyerIdentity":"user-17","orderMerchantExternalId":"EXT-1","currency":"CAD","billingDetail":{"country":"CA","isBusiness":true,"state":"QC",` +
		`"businessName":"A & B","taxId":"123"},"orderMetadata":{"campaign":"autumn"},"chargedAmount":"109.98","listPrice":{` + amounts + `,"taxRate":9.975,"taxName":"QST"},"discount":{"label":"Autumn","amount":"5.00"},` +
		`"amount":"109.98",` + amounts + `,"taxRate":0.09975,"taxName":"QST","receiptUrl":"` + got["data"].(map[string]any)["receiptUrl"].(string) + `","productName":"Kit","productMetadata":{"pages":"12","sku":"K1"},"paymentId":"` + order.Payments[0].ID +
		`","paymentStatus":"succeeded","paymentMethod":"card","paymentLast4":"4242","paymentDate":"2026-04-18"}}`
	var wanted map[string]any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(wanted)
	if string(a) != string(b) {
		t.Errorf("sent\n%s, want\n%s", a, b)
	}
}

// TestSchedule: a delivery is tried at 0, 1, 5 and 25 minutes with the same bytes, each try is recorded, and then it has failed; an
// operator resends it under a new header.
func TestSchedule(t *testing.T) {
	w := open(t, nil)
	s, merchant := w.shop("MER_1"), receive(t, func(n int, w http.ResponseWriter) {
		if n > 4 {
			return
		}
		w.WriteHeader(500 + n)
		w.Write([]byte("down"))
	})
	s.subscribe(merchant.URL)
	w.start()
	s.sell(checkout.Test)
	for n, wait := range []time.Duration{0, time.Minute, 4 * time.Minute, 20 * time.Minute} {
		if n > 0 {
			w.pass(wait - 10*time.Second)
			time.Sleep(1200 * time.Millisecond)
			if got := len(merchant.got()); got != n {
				t.Fatalf("10 s before try %d there were %d", n+1, got)
			}
			w.pass(10 * time.Second)
		}
		d := s.delivery("the try is recorded", func(d *notify.Delivery) bool { return len(d.Tries) == n+1 })
		if last := d.Tries[n]; last.Status != 501+n || last.Answer != "down" || last.Error != "" {
			t.Errorf("try %d: %+v", n+1, last)
		}
	}
	d := s.delivery("it has failed", func(d *notify.Delivery) bool { return d.State == notify.Failed && d.DueAt == 0 })
	first := merchant.got()[0]
	for _, again := range merchant.got() {
		if again != first {
			t.Errorf("sent %+v and %+v", first, again)
		}
	}
	if counts, err := w.db.CountDeliveries(t.Context(), checkout.Test); err != nil || counts != (notify.Counts{Failed: 1}) {
		t.Errorf("counted %+v, %v", counts, err)
	}
	if n := strings.Count(w.log.String(), "level=ERROR"); n != 1 || !strings.Contains(w.log.String(), d.EndpointID) {
		t.Errorf("logged %s", w.log)
	}
	if _, err := w.service.Resend(t.Context(), checkout.Test, d.ID); err != nil {
		t.Fatal(err)
	}
	s.delivery("it is delivered", func(d *notify.Delivery) bool { return d.State == notify.Delivered && len(d.Tries) == 5 })
	last := merchant.got()[4]
	if last.body != first.body || last.signature == first.signature {
		t.Errorf("resent %+v after %+v", last, first)
	}
	signer, err := w.service.Signer(t.Context(), checkout.Test)
	w.must(err)
	key, err := signer.PublicKey()
	w.must(err)
	w.must(notify.Verify(key, last.signature, []byte(last.body), w.now()))
	if notify.Verify(key, first.signature, []byte(first.body), w.now().Add(21*time.Minute)) == nil {
		t.Error("a signature of 46 minutes verifies")
	}
}

// TestAfterADowntime: a delivery whose header verifiers would refuse for its age is sent under a new one.
func TestAfterADowntime(t *testing.T) {
	w := open(t, nil)
	s, merchant := w.shop("MER_1"), receive(t, func(n int, w http.ResponseWriter) {
		w.WriteHeader(map[int]int{1: 500}[n] + map[bool]int{true: 200}[n > 1])
	})
	s.subscribe(merchant.URL)
	w.start()
	s.sell(checkout.Test)
	s.delivery("the first try", func(d *notify.Delivery) bool { return len(d.Tries) == 1 })
	w.pass(2 * time.Hour)
	s.delivery("it is delivered", func(d *notify.Delivery) bool { return d.State == notify.Delivered })
	got := merchant.got()
	signer, err := w.service.Signer(t.Context(), checkout.Test)
	w.must(err)
	key, err := signer.PublicKey()
	w.must(err)
	if got[0].body != got[1].body || got[0].signature == got[1].signature || notify.Verify(key, got[1].signature, []byte(got[1].body), w.now()) != nil {
		t.Errorf("sent %+v", got)
	}
}

// TestLanes: an endpoint that never answers takes its own lane only; the others go on, each event once.
func TestLanes(t *testing.T) {
	const events = 40
	w := open(t, nil)
	release := make(chan struct{})
	var stuck, most atomic.Int64
	dead := receive(t, func(int, http.ResponseWriter) {
		most.Store(max(most.Load(), stuck.Add(1)))
		<-release
		stuck.Add(-1)
	})
	t.Cleanup(func() { close(release) })
	alive := receive(t, status(204))
	s := w.shop("MER_1")
	s.subscribe(dead.URL)
	s.subscribe(alive.URL)
	stop := w.start()
	for range events {
		s.sell(checkout.Test)
	}
	began := time.Now()
	shoptest.Eventually(t, "the endpoint that answers gets all events", func() bool { return len(alive.got()) == events })
	if took := time.Since(began); took >= notify.Timeout { // it does not wait for the one that does not answer
		t.Errorf("it took %v", took)
	}
	if most.Load() > 8 {
		t.Errorf("%d deliveries at a time to one endpoint", most.Load())
	}
	seen := make(map[string]bool)
	for _, r := range alive.got() {
		if seen[r.body] {
			t.Errorf("sent twice: %s", r.body)
		}
		seen[r.body] = true
	}
	go func() { time.Sleep(100 * time.Millisecond); dead.CloseClientConnections() }()
	stop() // waits for what is being sent
	if n := stuck.Load(); n > 8 {
		t.Errorf("%d are still being sent", n)
	}
}

// TestRemovedEndpoint: what is still to be sent to an endpoint that was removed fails, and cannot be resent; what is to be sent to
// one that has moved goes to its new URL.
func TestRemovedEndpoint(t *testing.T) {
	w := open(t, nil)
	s, old, moved := w.shop("MER_1"), receive(t, status(500)), receive(t, status(200))
	e := s.subscribe(old.URL)
	w.start()
	s.sell(checkout.Test)
	s.delivery("the first try", func(d *notify.Delivery) bool { return len(d.Tries) == 1 })
	_, err := w.service.UpdateEndpoint(t.Context(), s.Owner, notify.EndpointUpdate{ID: e.ID, URL: moved.URL})
	w.must(err)
	w.pass(time.Minute)
	s.delivery("it is delivered", func(d *notify.Delivery) bool { return d.State == notify.Delivered })
	if len(moved.got()) != 1 || len(old.got()) != 1 {
		t.Errorf("%d at the old and %d at the new URL", len(old.got()), len(moved.got()))
	}
	again := s.deliveries()[0]
	_, err = w.service.UpdateEndpoint(t.Context(), s.Owner, notify.EndpointUpdate{ID: e.ID, URL: old.URL})
	w.must(err)
	_, err = w.service.Resend(t.Context(), checkout.Test, again.ID)
	w.must(err)
	s.delivery("a try fails", func(d *notify.Delivery) bool { return d.State == notify.Pending && len(d.Tries) == 3 })
	_, err = w.service.RemoveEndpoint(t.Context(), s.Owner, e.ID)
	w.must(err)
	w.pass(time.Minute)
	s.delivery("it fails", func(d *notify.Delivery) bool {
		return d.State == notify.Failed && d.Tries[len(d.Tries)-1].Error == "the endpoint was removed"
	})
	if _, err := w.service.Resend(t.Context(), checkout.Test, again.ID); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("resent to a removed endpoint: %v", err)
	}
}

// failing is a store whose commits fail while it is to.
type failing struct {
	notify.Store
	down *atomic.Bool
}

func (f failing) CommitNotify(ctx context.Context, c notify.Change) error {
	if f.down.Load() {
		return errors.New("no space left on device")
	}
	return f.Store.CommitNotify(ctx, c)
}

// TestStoreFails: while nothing can be written, facts wait in the outbox, and no endpoint is sent the same again and again.
func TestStoreFails(t *testing.T) {
	var down atomic.Bool
	w := open(t, func(s notify.Store) notify.Store { return failing{s, &down} })
	s := w.shop("MER_1")
	merchant := receive(t, func(int, http.ResponseWriter) { down.Store(true) })
	s.subscribe(merchant.URL)
	stop := w.start()
	s.sell(checkout.Test)
	shoptest.Eventually(t, "the first event is sent", func() bool { return len(merchant.got()) == 1 })
	s.sell(checkout.Test)
	time.Sleep(2500 * time.Millisecond)
	if n := len(merchant.got()); n != 1 {
		t.Errorf("sent %d times while its outcome could not be recorded", n)
	}
	facts, err := w.db.Facts(t.Context(), 0, 10)
	if err != nil || len(facts) != 1 {
		t.Errorf("%d facts wait, %v", len(facts), err)
	}
	if n := strings.Count(w.log.String(), "level=ERROR"); n < 2 || n > 3 {
		t.Errorf("logged %s", w.log)
	}
	stop()
	down.Store(false)
	merchant.answer = status(200)
	w.start()
	shoptest.Eventually(t, "both events are delivered", func() bool {
		all := s.deliveries()
		return len(all) == 2 && all[0].State == notify.Delivered && all[1].State == notify.Delivered
	})
	got := merchant.got()
	if len(got) != 3 || got[0].body != got[1].body && got[0].body != got[2].body {
		t.Errorf("sent %d times: %+v", len(got), got)
	}
}

// TestPoisonedFact: a fact that cannot become an event stays in the outbox, is an error in the log, and holds up no later one.
func TestPoisonedFact(t *testing.T) {
	w := open(t, nil)
	s, merchant := w.shop("MER_1"), receive(t, status(200))
	s.subscribe(merchant.URL)
	fact := orders.Fact{Kind: orders.OrderCompleted, Environment: checkout.Test, StoreID: s.store, OrderID: "ORD_unknown", EventID: "PAY_unknown"}
	w.must(w.db.Commit(t.Context(), orders.Change{Facts: []orders.Fact{fact}}))
	w.start()
	s.sell(checkout.Test)
	s.delivery("the good one is delivered", func(d *notify.Delivery) bool { return d.State == notify.Delivered })
	time.Sleep(1200 * time.Millisecond) // it is looked at again
	facts, err := w.db.Facts(t.Context(), 0, 10)
	if err != nil || len(facts) != 1 || facts[0].Fact != fact {
		t.Errorf("the outbox has %+v, %v", facts, err)
	}
	if n := strings.Count(w.log.String(), "an event cannot be made"); n != 1 {
		t.Errorf("logged %s", w.log)
	}
}
