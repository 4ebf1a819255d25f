package orders_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestEventsSayWhatTheirObjectSays: the status and the payment of an event's checkout decide, and not what the event is called.
func TestEventsSayWhatTheirObjectSays(t *testing.T) {
	for _, c := range []struct {
		kind   psp.EventKind
		status psp.CheckoutStatus
		paid   bool
		want   orders.State
	}{
		{psp.EventSucceeded, psp.CheckoutComplete, false, orders.Processing},
		{psp.EventSucceeded, psp.CheckoutExpired, false, orders.Expired},
		{psp.EventSucceeded, psp.CheckoutOpen, false, orders.AwaitingPayment},
		{psp.EventCompleted, psp.CheckoutOpen, false, orders.AwaitingPayment},
		{psp.EventCompleted, psp.CheckoutUnknown, false, orders.AwaitingPayment},
		{psp.EventCompleted, psp.CheckoutExpired, false, orders.Expired},
		{psp.EventExpired, psp.CheckoutComplete, true, orders.Paid},
		{psp.EventExpired, psp.CheckoutComplete, false, orders.Processing},
		{psp.EventExpired, psp.CheckoutOpen, false, orders.AwaitingPayment},
		{psp.EventFailed, psp.CheckoutComplete, true, orders.Paid},
		{psp.EventFailed, psp.CheckoutComplete, false, orders.Failed},
		{psp.EventFailed, psp.CheckoutOpen, false, orders.AwaitingPayment},
	} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		ev := d.event(o, 1, c.kind, "evt_1")
		ev.Checkout.Status, ev.Checkout.Paid = c.status, c.paid
		d.apply(t, ev)
		if _, o = d.stored(t); o.State != c.want {
			t.Errorf("an event of kind %d whose checkout has status %d, paid %t, made the order %s, want %s",
				c.kind, c.status, c.paid, o.State, c.want)
		}
	}
}

// TestEvents: what the provider reports may come twice, late, or about something that is not ours.
func TestEvents(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	declined := d.event(o, 1, psp.EventDeclined, "evt_1")
	declined.Reason = "card_declined"
	d.apply(t, declined)
	_, o = d.stored(t)
	if status, _ := o.Published(); status != "pending" || len(o.Payments) != 1 || o.Payments[0].Status != orders.Declined {
		t.Errorf("after a declined card: %s, %+v", status, o.Payments)
	}

	wrong := d.event(o, 1, psp.EventCompleted, "evt_2")
	wrong.Checkout.Total.Minor--
	live := d.event(o, 1, psp.EventCompleted, "evt_3")
	live.Checkout.Live = true
	foreign := d.event(o, 1, psp.EventCompleted, "evt_4")
	foreign.Checkout.OrderID = "ORD_0"
	for _, ev := range []psp.Event{wrong, live, foreign} {
		d.apply(t, ev)
	}
	if _, o = d.stored(t); o.State != orders.AwaitingPayment {
		t.Fatalf("an event that fits nothing made the order %s", o.State)
	}

	paid := d.event(o, 1, psp.EventCompleted, "evt_5")
	d.apply(t, paid)
	d.apply(t, paid)
	paid.ID = "evt_6"
	d.apply(t, paid)
	d.apply(t, d.event(o, 1, psp.EventExpired, "evt_7"))
	session, o := d.stored(t)
	if o.State != orders.Paid || len(o.Payments) != 2 || !session.Closed {
		t.Errorf("order %s, payments %+v, closed %t", o.State, o.Payments, session.Closed)
	}
}

// TestTwoPayments: a superseded checkout that was paid all the same is money that must go back.
func TestTwoPayments(t *testing.T) {
	for _, order := range [][]int{{1, 2}, {2, 1}} {
		d := openDesk(t)
		for _, country := range []string{"DE", "FR"} {
			if _, err := d.order(country); err != nil {
				t.Fatal(err)
			}
		}
		_, o := d.stored(t)
		for _, n := range order {
			d.apply(t, d.event(o, n, psp.EventCompleted, fmt.Sprint("evt_", n)))
		}
		if _, o = d.stored(t); o.State != orders.RefundDue || len(o.Payments) != 2 {
			t.Errorf("paid in the order %v: %s, %+v", order, o.State, o.Payments)
		}
	}
}

// TestDelayedPayment: the buyer is through, the money comes days later or not at all.
func TestDelayedPayment(t *testing.T) {
	for _, c := range []struct {
		then  psp.EventKind
		state orders.State
	}{{psp.EventSucceeded, orders.Paid}, {psp.EventFailed, orders.Failed}} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		through := d.event(o, 1, psp.EventCompleted, "evt_1")
		through.Checkout.Paid = false
		d.apply(t, through)
		if session, o := d.stored(t); o.State != orders.Processing || !session.Closed {
			t.Fatalf("order %s, closed %t", o.State, session.Closed)
		}
		d.apply(t, d.event(o, 1, c.then, "evt_2"))
		if session, o := d.stored(t); o.State != c.state || session.Closed != (c.state == orders.Paid) {
			t.Errorf("order %s, closed %t", o.State, session.Closed)
		}
	}
}

// TestDelayedPaymentOutOfOrder: the news that the money will not come may overtake the news that it is on its way, and comes
// as a declined payment, too.
func TestDelayedPaymentOutOfOrder(t *testing.T) {
	kinds := []psp.EventKind{psp.EventFailed, psp.EventCompleted, psp.EventDeclined}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		d := openDesk(t)
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		for _, i := range order {
			ev := d.event(o, 1, kinds[i], fmt.Sprint("evt_", i))
			ev.Checkout.Paid = false
			if kinds[i] == psp.EventDeclined {
				ev.Reason = "The payment failed."
			}
			d.apply(t, ev)
		}
		session, o := d.stored(t)
		if o.State != orders.Failed || session.Closed || o.DueAt() != 0 {
			t.Errorf("in the order %v: %s, closed %t", order, o.State, session.Closed)
		}
		if len(o.Payments) == 0 || len(o.Payments) > 2 {
			t.Errorf("in the order %v: %d payments", order, len(o.Payments))
		}
		if _, err := d.order("DE"); err != nil {
			t.Errorf("the buyer cannot try again: %v", err)
		}
	}
}

// TestCanceled: a buyer who let the checkout end finds the order canceled and its session closed.
func TestCanceled(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	d.apply(t, d.event(o, 1, psp.EventExpired, "evt_1"))
	_, o = d.stored(t)
	if status, _ := o.Published(); status != "canceled" {
		t.Errorf("the order is %s", status)
	}
	_, err := d.order("DE")
	var refusal problem.List
	if !errors.As(err, &refusal) || refusal[0].Kind != problem.Conflict {
		t.Errorf("got %v", err)
	}
}

// TestSpentToken: a token has one order, however many requests come at once.
func TestSpentToken(t *testing.T) {
	d := openDesk(t)
	d.restart(budget(5 * time.Second))
	spend := &orders.SpentToken{Environment: checkout.Test, ID: "tok", ExpiresAt: time.Now().Add(time.Minute).UnixMilli()}
	results := make(chan error, 6)
	for i := range 6 {
		go func() {
			business := false
			_, err := d.Service.Create(context.Background(), &orders.Request{Request: checkout.Request{
				Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionID,
				Billing: &billing.Input{Country: "DE", IsBusiness: &business}, BuyerEmail: fmt.Sprintf("ada%d@example.com", i),
			}}, "", spend)
			results <- err
		}()
	}
	placed := 0
	for range 6 {
		var refusal *problem.Problem
		switch err := <-results; {
		case err == nil:
			placed++
		case !errors.As(err, &refusal) || refusal.Kind != problem.Unauthenticated:
			t.Error(err)
		}
	}
	if placed != 1 || len(d.sent) != 1 {
		t.Errorf("%d orders placed, %d calls", placed, len(d.sent))
	}
}

// TestWithoutProvider: an order of an environment without a provider can be placed when there is one again, so that it is
// refused for the moment.
func TestWithoutProvider(t *testing.T) {
	d := openDesk(t)
	providers := d.config.Providers
	d.restart(func(c *orders.Config) { c.Providers = nil })
	var refused *problem.Problem
	if _, err := d.order("DE"); !errors.As(err, &refused) || refused.Kind != problem.Unavailable ||
		refused.Message != "No payment provider is configured for environment test" {
		t.Errorf("without a provider: %v", err)
	}
	d.restart(func(c *orders.Config) { c.Providers, c.Budget = providers, time.Minute })
	if _, err := d.order("DE"); err != nil {
		t.Errorf("with one again: %v", err)
	}
}
