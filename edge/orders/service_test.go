package orders_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestFailedCalls: whatever the provider's failure proves, the buyer gets an error that is no refusal, and the same
// request succeeds afterwards; under the old key and with the old bytes exactly when the first call may have had effect.
func TestFailedCalls(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   psp.CallError
		state   orders.State
		attempt orders.AttemptState
		replay  bool
	}{
		{"refused for good", psp.CallError{Class: psp.Definitive, Status: 400}, orders.RolledBack, orders.Refused, false},
		{"certainly not executed", psp.CallError{Class: psp.NotExecuted, Status: 401}, orders.RolledBack, orders.Refused, false},
		{"stuck", psp.CallError{Class: psp.KeyBurned, Status: 500}, orders.RolledBack, orders.Abandoned, false},
		{"unknown", psp.CallError{Class: psp.Unknown, Err: errors.New("timeout")}, orders.Pending, orders.Unresolved, true},
		{"in progress", psp.CallError{Class: psp.InProgress, Status: 409}, orders.Pending, orders.Unresolved, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDesk(t)
			d.faults = []*psp.CallError{&c.fault}
			_, err := d.order("DE")
			var refusal problem.List
			if err == nil || errors.As(err, &refusal) {
				t.Fatalf("got %v", err)
			}
			session, o := d.stored(t)
			if o.State != c.state || o.Current().State != c.attempt {
				t.Errorf("order %s, attempt %s", o.State, o.Current().State)
			}
			if _, visible := o.Published(); visible {
				t.Error("the merchant sees the order")
			}
			if session.Billing != nil || session.BuyerEmail != "" {
				t.Error("the session is not as it was before")
			}
			url, err := d.order("DE")
			if err != nil || url == "" {
				t.Fatalf("again: %q, %v", url, err)
			}
			if same := d.sent[0] == d.sent[1]; len(d.sent) != 2 || same != c.replay || (d.sent[0].key == d.sent[1].key) != c.replay {
				t.Errorf("sent %q", d.sent)
			}
		})
	}
}

// TestTotalOutsideLimits: a total that the provider cannot charge is refused with the limit, and nothing is written or sent.
func TestTotalOutsideLimits(t *testing.T) {
	for minor, want := range map[int64]string{
		49:        "Order total cannot be charged: expected at least 0.50 EUR",
		1e12 + 50: "Order total cannot be charged: expected at most 10000000000.00 EUR",
	} {
		d := openDesk(t)
		session, _ := d.db.Session(context.Background(), sessionID)
		session.Terms.Price.Minor = minor
		session.Terms.Seller = tax.Seller{Country: "HK"}
		if err := d.db.WriteSession(context.Background(), session); err != nil {
			t.Fatal(err)
		}
		_, err := d.order("HK")
		var refused *problem.Problem
		if !errors.As(err, &refused) || refused.Kind != problem.Invalid || refused.Message != want {
			t.Errorf("%d: %v", minor, err)
		}
		if session, err := d.db.Session(context.Background(), sessionID); err != nil || session.OrderID != "" || len(d.sent) != 0 {
			t.Errorf("%d left the order %q and %d calls", minor, session.OrderID, len(d.sent))
		}
	}
}

// TestRefusalsOfTheCaller: what the provider refuses and the caller can mend is the caller's refusal, and the session can be
// ordered from again.
func TestRefusalsOfTheCaller(t *testing.T) {
	for refuses, want := range map[psp.Refusal]string{
		psp.RefusesSmallTotal: "Order total cannot be charged: below the payment provider's minimum",
		psp.RefusesLargeTotal: "Order total cannot be charged: above the payment provider's maximum",
		psp.RefusesCurrency:   "Unsupported currency: EUR",
		psp.RefusesEmail:      "Invalid buyerEmail",
		psp.RefusesSuccessURL: "Invalid successUrl",
	} {
		d := openDesk(t)
		d.faults = []*psp.CallError{{Class: psp.Definitive, Status: 400, Refuses: refuses}}
		_, err := d.order("DE")
		var refused *problem.Problem
		if !errors.As(err, &refused) || refused.Kind != problem.Invalid || refused.Message != want {
			t.Errorf("%d: %v", refuses, err)
		}
		if _, o := d.stored(t); o.State != orders.RolledBack {
			t.Errorf("%d: the order is %s", refuses, o.State)
		}
		if url, err := d.order("DE"); err != nil || url == "" {
			t.Errorf("%d: again: %v", refuses, err)
		}
	}
}

// TestRetriesWithinBudget: a passing failure costs the buyer nothing but time.
func TestRetriesWithinBudget(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(2 * time.Second))
	d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.NotExecuted, Status: 429}}
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	if len(d.sent) != 3 || d.sent[0] != d.sent[1] || d.sent[1] != d.sent[2] {
		t.Errorf("sent %q", d.sent)
	}
}

// TestNotExecutedAfterUnknown: a later "I did not do it" says nothing about the earlier try.
func TestNotExecutedAfterUnknown(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Second))
	d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.NotExecuted, Status: 401}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if _, o := d.stored(t); o.Current().State != orders.Unresolved {
		t.Errorf("the attempt is %s", o.Current().State)
	}
}

// TestLostCommit: the process dies between the provider's answer and our writing it down. The next request finds the
// attempt sent, asks again with the same bytes, and gets the one checkout that exists.
func TestLostCommit(t *testing.T) {
	d := openDesk(t)
	failing := &failingStore{Store: d.db, failAt: 2}
	d.restart(withStore(failing))
	if _, err := d.order("DE"); !errors.Is(err, errPowerCut) {
		t.Fatalf("got %v", err)
	}
	d.restart(withStore(d.db))
	if _, o := d.stored(t); o.Current().State != orders.Sent {
		t.Fatalf("the attempt is %s", o.Current().State)
	}
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	if len(d.sent) != 2 || d.sent[0] != d.sent[1] || len(d.checkouts) != 1 {
		t.Errorf("sent %q, %d checkouts", d.sent, len(d.checkouts))
	}
}

var errPowerCut = errors.New("power cut")

// failingStore loses the commit of a given number.
type failingStore struct {
	orders.Store
	failAt, commits int
}

func (s *failingStore) Commit(ctx context.Context, c orders.Change) error {
	if s.commits++; s.commits == s.failAt {
		return errPowerCut
	}
	return s.Store.Commit(ctx, c)
}

// TestAnotherTotal: a provider that would charge something else is not shown to the buyer.
func TestAnotherTotal(t *testing.T) {
	d := openDesk(t)
	d.skew = 1
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if _, o := d.stored(t); o.State != orders.RolledBack || o.Current().URL != "" {
		t.Errorf("the order is %s with URL %q", o.State, o.Current().URL)
	}
}

// TestSupersede: something else is asked for. The first checkout is ended before there is a second.
func TestSupersede(t *testing.T) {
	d := openDesk(t)
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	d.expire = &psp.CallError{Class: psp.Unknown}
	if _, err := d.order("FR"); err == nil {
		t.Fatal("an expiry whose outcome is unknown passed for an expiry")
	}
	if len(d.checkouts) != 1 {
		t.Fatal("a second checkout was made")
	}
	d.expire = nil
	second, err := d.order("FR")
	if err != nil || second == first {
		t.Fatalf("got %q, %v", second, err)
	}
	session, o := d.stored(t)
	if len(o.Attempts) != 2 || o.Attempts[0].State != orders.Ended || session.Billing.Country != "FR" {
		t.Errorf("attempts %+v, session %+v", o.Attempts, session.Billing)
	}
}

// TestSupersedesOnce: while one process ends a checkout for a changed request, another one answers the unchanged request with a
// new checkout. The changed request has had its effect; it does not end that checkout as well.
func TestSupersedesOnce(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Minute))
	other := *d
	other.Service = orders.New(d.config)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	var second string
	d.expiring = func() {
		var err error
		if second, err = other.order("DE"); err != nil {
			t.Error(err)
		}
	}
	url, err := d.order("FR")
	if refusal, ok := errors.AsType[*problem.Problem](err); !ok || refusal.Kind != problem.Unavailable {
		t.Errorf("the changed request got %q, %v", url, err)
	}
	if again, err := d.order("DE"); err != nil || again != second {
		t.Errorf("the buyer had %s and gets %s, %v", second, again, err)
	}
}

// TestUnfitChangeEndsNothing: a changed request that the provider cannot be sent leaves the checkout of the unchanged one open,
// also where an earlier change was to end it.
func TestUnfitChangeEndsNothing(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Minute))
	d.unfit = "https://shop.example/unfit"
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	unfit := func() {
		t.Helper()
		if url, err := d.orderTo("DE", d.unfit); err == nil {
			t.Errorf("got %q for a request that cannot be rendered", url)
		}
		for key, r := range d.checkouts {
			if r.Status != psp.CheckoutOpen {
				t.Errorf("%s was ended", key)
			}
		}
	}
	unfit()
	if again, err := d.order("DE"); again != first {
		t.Errorf("the unchanged request gets %q, %v", again, err)
	}
	d.expire = &psp.CallError{Class: psp.Unknown}
	if _, err := d.order("FR"); err == nil {
		t.Fatal("an expiry whose outcome is unknown passed for an expiry")
	}
	d.expire = nil
	unfit()
}

// TestTakenOver: a process sends again what another one is sending. The other one's try had no effect for certain, this one's
// may have had: the attempt is not refused.
func TestTakenOver(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(time.Minute))
	other := *d
	other.Service = orders.New(d.config)
	d.faults = []*psp.CallError{{Class: psp.NotExecuted, Status: 401}}
	made, over, taken := make(chan struct{}), make(chan struct{}), make(chan error)
	d.creating = func() { // the first call is on its way back
		d.creating = func() { close(made); <-over } // and the second until the first request is over
		go func() { _, err := other.order("DE"); taken <- err }()
		<-made
	}
	d.order("DE")
	close(over)
	if err := <-taken; err != nil {
		t.Error(err)
	}
	_, o := d.stored(t)
	for _, a := range o.Attempts {
		if _, made := d.checkouts[a.Key]; made && a.State == orders.Refused {
			t.Errorf("attempt %d of %d counts as refused, and there is a checkout for it", a.N, len(o.Attempts))
		}
	}
}

// TestSupersedeTooLate: the buyer has paid in another tab.
func TestSupersedeTooLate(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	d.complete = true
	_, err := d.order("FR")
	var refusal problem.List
	if !errors.As(err, &refusal) || refusal[0].Kind != problem.Conflict {
		t.Fatalf("got %v", err)
	}
	session, o := d.stored(t)
	if o.State != orders.Paid || !session.Closed || len(o.Payments) != 1 {
		t.Errorf("order %s, closed %t, payments %+v", o.State, session.Closed, o.Payments)
	}
	d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_1"))
	if _, again := d.stored(t); len(again.Payments) != 1 || again.State != orders.Paid {
		t.Errorf("the webhook counted a second time: %s, %+v", again.State, again.Payments)
	}
}

// TestManyAtOnce: a double click, two tabs and an impatient script lead to one checkout.
func TestManyAtOnce(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(5 * time.Second))
	const clients = 32
	urls := make([]string, clients)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			var err error
			if urls[i], err = d.order("DE"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, url := range urls {
		if url != urls[0] {
			t.Fatalf("two URLs: %s and %s", urls[0], url)
		}
	}
	if len(d.sent) != 1 {
		t.Errorf("%d calls to the provider", len(d.sent))
	}
}
