package orders_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// TestReconcileLostWebhooks: the provider believes that it has told, and nobody was told.
func TestReconcileLostWebhooks(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.loseWebhooks()
	cases := []struct {
		happens func(ref string) error
		state   orders.State
		closed  bool
	}{
		{c.psp.Pay, orders.Paid, true},
		{c.psp.Expire, orders.Expired, true},
		{func(ref string) error { return c.psp.Choose(ref, "later") }, orders.Processing, true},
		{c.psp.Decline, orders.AwaitingPayment, false}, // nobody needs to know
	}
	var ids []string
	for i, k := range cases {
		id, err := c.open(i)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
		_, o := c.stored(id)
		if err := k.happens(o.Current().Ref); err != nil {
			t.Fatal(err)
		}
		if _, o := c.stored(id); o.State != orders.AwaitingPayment {
			t.Fatalf("the webhook was not lost: %s", o.State)
		}
	}
	c.reconcile(4, 3, 0)
	for i, k := range cases {
		session, o := c.stored(ids[i])
		if o.State != k.state || session.Closed != k.closed {
			t.Errorf("%d: order %s, closed %t", i, o.State, session.Closed)
		}
	}
	if _, o := c.stored(ids[0]); len(o.Payments) != 1 || o.Payments[0].Status != orders.Succeeded || o.Payments[0].Ref == "" {
		t.Errorf("payments %+v", o.Payments)
	}
	c.unchanged(4, ids...)
}

// TestReconcileUndelivered: our endpoint was down. The events tell more than the checkout does: there was a refused card
// first. When they are delivered after all, they count no second time.
func TestReconcileUndelivered(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.deaf.Store(true)
	id, err := c.open(1)
	if err != nil {
		t.Fatal(err)
	}
	_, o := c.stored(id)
	for _, happens := range []func(string) error{c.psp.Decline, c.psp.Pay} {
		if err := happens(o.Current().Ref); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() bool { return c.refused.Load() >= 2 })
	c.reconcile(3, 2, 0)
	_, o = c.stored(id)
	if o.State != orders.Paid || len(o.Payments) != 2 || o.Payments[0].Last4+o.Payments[1].Last4 != "0002" {
		t.Errorf("order %s, payments %+v", o.State, o.Payments)
	}
	c.unchanged(3, id)
	c.deaf.Store(false)
	c.allDelivered()
	c.unchanged(1, id)
}

// allDelivered waits until the endpoint has accepted every event.
func (c *counter) allDelivered() {
	c.t.Helper()
	eventually(c.t, func() bool {
		page, callErr := c.stripe.UndeliveredEvents(time.Now().Add(time.Second), "")
		return callErr == nil && len(page.Items) == 0
	})
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not within ten seconds")
		}
	}
}

// TestReconcileUnheardOf: of an order that the database does not have, a checkout that can be paid is ended, and a paid one is
// kept for a person to look at. What another deployment or somebody else has made is left alone.
func TestReconcileUnheardOf(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	const of = "metadata[attempt]=1&metadata[deployment]="
	paid := c.foreign("metadata[order_id]=ORD_0&" + of + "here")
	open := c.foreign("metadata[order_id]=ORD_1&" + of + "here")
	c.foreign("metadata[order_id]=ORD_2&" + of + "here") // expires unpaid
	left := []string{c.foreign("metadata[order_id]=ORD_3&" + of + "there"), c.foreign("metadata[order_id]=ORD_4&metadata[attempt]=1"),
		c.foreign("metadata[shop]=another")}
	theirs := c.foreign("metadata[order_id]=ORD_5&" + of + "there")
	c.loseWebhooks()
	for _, ref := range []string{paid, theirs} {
		if err := c.psp.Pay(ref); err != nil {
			t.Fatal(err)
		}
	}
	c.reconcile(4, 2, 1)
	if !strings.Contains(c.log.String(), "level=ERROR msg=\"event in quarantine\"") || !strings.Contains(c.log.String(), "ref="+paid) {
		t.Errorf("%s is not in the log: %s", paid, c.log)
	}
	if status := c.remote(open); status != "expired" {
		t.Errorf("the checkout of an unknown order is %s", status)
	}
	for _, ref := range left {
		if status := c.remote(ref); status != "open" {
			t.Errorf("somebody else's checkout is %s", status)
		}
	}
	c.reconcile(4, 0, 0)
	page, err := c.db.Quarantined(context.Background(), checkout.Test, "", 10)
	if err != nil || len(page.Items) != 1 || page.Items[0].Checkout.Ref != paid {
		t.Errorf("in quarantine: %+v, %v", page.Items, err)
	}
}

// loseWebhooks lets the provider believe that it has told of everything.
func (c *counter) loseWebhooks() {
	c.psp.Decide(func(call fault.Call) fault.Spec {
		if call.Operation == fault.Webhook {
			return "lost"
		}
		return ""
	})
}

var foreigners atomic.Int32

// foreign makes a checkout at the provider that no service has asked for.
func (c *counter) foreign(more string) (ref string) {
	c.t.Helper()
	body := "mode=payment&success_url=https://shop.example/&line_items[0][quantity]=1&line_items[0][price_data][currency]=eur" +
		"&line_items[0][price_data][unit_amount]=2900&line_items[0][price_data][product_data][name]=Thing&" + more
	made, callErr := c.stripe.Create(time.Now().Add(5*time.Second), psp.RenderedRequest{Path: "/v1/checkout/sessions", Body: []byte(body)},
		fmt.Sprint("foreign ", foreigners.Add(1)))
	if callErr != nil {
		c.t.Error(callErr)
	}
	return made.Ref
}

// TestReconcileAbandoned: the provider made the checkout that it said it had not made. Nobody has its URL, and it is ended
// though no buyer comes back.
func TestReconcileAbandoned(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.psp.Script("500_side_effect")
	id, err := c.open(1)
	if err == nil {
		t.Fatal("the fault did not befall")
	}
	if _, o := c.stored(id); o.Current().State != orders.Abandoned || c.remote(c.refOf(id, "1")) != "open" {
		t.Fatalf("the attempt is %s", o.Current().State)
	}
	c.psp.Script("lost") // and we are not told that it ended
	c.reconcile(1, 1, 0)
	if _, o := c.stored(id); o.Current().State != orders.Ended || o.State != orders.RolledBack || c.remote(c.refOf(id, "1")) != "expired" {
		t.Errorf("order %s, attempt %s, checkout %s", o.State, o.Current().State, c.remote(c.refOf(id, "1")))
	}
	c.unchanged(1, id)
}

// TestReconcileSecondCheckout: a provider that has forgotten our key has two checkouts for one attempt. The one that we do
// not know is ended.
func TestReconcileSecondCheckout(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	id, err := c.open(1)
	if err != nil {
		t.Fatal(err)
	}
	_, o := c.stored(id)
	twin, callErr := c.stripe.Create(time.Now().Add(5*time.Second),
		psp.RenderedRequest{Path: "/v1/checkout/sessions", Body: []byte(c.psp.Bodies()[o.Current().Key][0])}, "another key")
	if callErr != nil || twin.Ref == o.Current().Ref {
		t.Fatal(callErr)
	}
	c.psp.Script("lost")
	c.reconcile(2, 1, 0)
	if known, unknown := c.remote(o.Current().Ref), c.remote(twin.Ref); known != "open" || unknown != "expired" {
		t.Errorf("the known checkout is %s, the unknown one %s", known, unknown)
	}
	c.unchanged(2, id)
}

// TestReconcileSettled: the first checkout was paid although it had been superseded. The second must not be paid, too; and
// if it was, the buyer is told of nothing, but the order is.
func TestReconcileSettled(t *testing.T) {
	t.Parallel()
	for _, both := range []bool{false, true} {
		c := openCounter(t)
		id, err := c.open(1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.order(id, "FR"); err != nil {
			t.Fatal(err)
		}
		c.allDelivered() // of the first checkout's end
		_, o := c.stored(id)
		first := o.Attempts[0]
		late := psp.Event{ID: "evt_late", Kind: psp.EventCompleted, Created: time.Now(), Checkout: psp.Checkout{
			Ref: first.Ref, Status: psp.CheckoutComplete, Paid: true, OrderID: o.ID, Attempt: 1, PaymentID: "pi_1",
			Total: money.Amount{Minor: first.Placed.Quote.Assessment.Total, Currency: first.Placed.Quote.Currency}}}
		if err := c.Apply(context.Background(), checkout.Test, late); err != nil {
			t.Fatal(err)
		}
		c.psp.Script("lost")
		want, status := orders.PaidLate, "expired"
		if both {
			if err := c.psp.Pay(o.Current().Ref); err != nil {
				t.Fatal(err)
			}
			want, status = orders.RefundDue, "complete"
		}
		c.reconcile(2, 1, 0)
		if _, o := c.stored(id); o.State != want || c.remote(o.Current().Ref) != status {
			t.Errorf("both paid: %t: order %s, second checkout %s", both, o.State, c.remote(o.Current().Ref))
		}
		c.unchanged(2, id)
	}
}

// TestReconcilePages: what is sought is behind more checkouts than a page has, and the provider fails between the pages.
func TestReconcilePages(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	id, err := c.open(1)
	if err != nil {
		t.Fatal(err)
	}
	_, o := c.stored(id)
	c.psp.Script("lost")
	if err := c.psp.Pay(o.Current().Ref); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 13 {
				c.foreign("metadata[shop]=another")
			}
		})
	}
	all.Wait()

	lists := 0
	c.psp.Decide(func(call fault.Call) fault.Spec {
		if call.Operation == fault.List {
			if lists++; lists >= 4 { // after the events and two pages of checkouts: three tries of the next page, and of the refunds
				return "502"
			}
		}
		return ""
	})
	if err := c.Reconcile(context.Background()); err == nil || lists != 9 || !strings.Contains(c.log.String(), "reconciled in part") {
		t.Fatalf("%d pages read or tried, error %v, log %s", lists, err, c.log)
	}
	if _, o := c.stored(id); o.State != orders.AwaitingPayment {
		t.Fatalf("found at once: %s, so there was no third page", o.State)
	}
	c.psp.Decide(nil)
	c.psp.Script("list.502", "list.reset") // the same page again, within a run
	c.reconcile(1, 1, 0)
	if _, o := c.stored(id); o.State != orders.Paid {
		t.Errorf("the order is %s", o.State)
	}
	c.unchanged(1, id)
}

// TestReconcileUnended: a checkout that cannot be ended is a failure, of which the rest does not suffer.
func TestReconcileUnended(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	paid, err := c.open(1)
	if err != nil {
		t.Fatal(err)
	}
	_, o := c.stored(paid)
	c.psp.Script("lost")
	if err := c.psp.Pay(o.Current().Ref); err != nil {
		t.Fatal(err)
	}
	c.psp.Script("500_side_effect")
	if _, err := c.open(2); err == nil {
		t.Fatal("the fault did not befall")
	}
	c.psp.Script("expire.502")
	if err := c.Reconcile(context.Background()); err == nil || !strings.Contains(err.Error(), "cannot be ended") {
		t.Errorf("got %v", err)
	}
	if _, o := c.stored(paid); o.State != orders.Paid {
		t.Errorf("the other order is %s", o.State)
	}
	c.reconcile(2, 1, 0)
}

// TestRunReconciles: it happens by itself, at the start, and ends with the service.
func TestRunReconciles(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	id, err := c.open(1)
	if err != nil {
		t.Fatal(err)
	}
	_, o := c.stored(id)
	c.psp.Script("lost")
	if err := c.psp.Pay(o.Current().Ref); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	eventually(t, func() bool { _, o := c.stored(id); return o.State == orders.Paid })
	stop()
	<-done
}
