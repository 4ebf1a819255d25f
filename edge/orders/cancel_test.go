package orders_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// buyer17 is the scope of the customer who places the orders of these tests.
var buyer17 = orders.Scope{Environment: checkout.Test, StoreID: "STO_1", Identity: "user-17"}

// orderAs orders as a customer.
func (d *desk) orderAs(identity, country string) (string, error) {
	business := false
	return d.Service.Create(context.Background(), &orders.Request{Request: checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1", Identity: identity}, SessionID: sessionID,
		Billing: &billing.Input{Country: country, IsBusiness: &business}, BuyerEmail: "ada@example.com",
	}}, "", nil)
}

// ordered returns a service with an order of user-17 that can be paid.
func ordered(t *testing.T) (*desk, *orders.Order) {
	t.Helper()
	d := openDesk(t)
	if _, err := d.orderAs("user-17", "DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	return d, o
}

func (d *desk) cancel(id string) error { return d.Cancel(context.Background(), buyer17, id, "") }

// wantProblem checks the text of a refusal, "" for none.
func wantProblem(t *testing.T, err error, kind problem.Kind, text string) {
	t.Helper()
	var p *problem.Problem
	if text == "" && err != nil || text != "" && (!errors.As(err, &p) || p.Kind != kind || p.Message != text) {
		t.Errorf("got %v, want %q", err, text)
	}
}

// TestCancel: the provider's checkout is ended before the order is canceled, and nothing can be ordered from its session again.
func TestCancel(t *testing.T) {
	d, o := ordered(t)
	wantProblem(t, d.cancel(o.ID), 0, "")
	session, o := d.stored(t)
	if o.State != orders.Canceled || !session.Closed || o.Current().State != orders.Ended || o.DueAt() != 0 {
		t.Errorf("the order is %s, the attempt %s, closed %t", o.State, o.Current().State, session.Closed)
	}
	if r, _ := d.Retrieve(time.Time{}, o.Current().Ref); r.Status != psp.CheckoutExpired {
		t.Errorf("the provider's checkout is %d", r.Status)
	}
	var closed problem.List
	if _, err := d.orderAs("user-17", "FR"); !errors.As(err, &closed) || closed.Error() != checkout.InvalidSession().Error() {
		t.Errorf("ordering again: %v", err)
	}
	wantProblem(t, d.cancel(o.ID), problem.Invalid, "Order cannot be canceled, current status: canceled")
}

// TestCancelUnknown: while the provider does not say that its checkout has ended, the order stays pending and the answer says to
// come again. The sweeper or the next call ends it.
func TestCancelUnknown(t *testing.T) {
	const later = "Order cannot be canceled yet, please retry"
	for name, fail := range map[string]*psp.CallError{
		"unknown": {Class: psp.Unknown}, "refused": {Class: psp.Definitive, Status: 400}, "not sent": {Class: psp.NotExecuted},
	} {
		t.Run(name, func(t *testing.T) {
			d, o := ordered(t)
			d.expire = fail
			wantProblem(t, d.cancel(o.ID), problem.Unavailable, later)
			if session, o := d.stored(t); o.State == orders.Canceled || session.Closed {
				t.Errorf("the order is %s, closed %t", o.State, session.Closed)
			}
			d.expire = nil
			wantProblem(t, d.cancel(o.ID), 0, "")
		})
	}
	t.Run("creation unknown", func(t *testing.T) {
		d := openDesk(t)
		d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}}
		if _, err := d.orderAs("user-17", "DE"); err == nil {
			t.Fatal("no error")
		}
		d.faults = nil
		_, o := d.stored(t)
		wantProblem(t, d.cancel(o.ID), problem.NotFound, "Order not found") // no buyer ever had its URL
	})
	t.Run("the next attempt unknown", func(t *testing.T) {
		d, o := ordered(t)
		for tries := 0; o.Current().State != orders.Unresolved; tries++ { // a busy machine does not get as far at once
			d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.Unknown}}
			if _, err := d.orderAs("user-17", "FR"); err == nil || tries == 20 {
				t.Fatalf("no unknown outcome: %v", err)
			}
			_, o = d.stored(t)
		}
		d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}}
		wantProblem(t, d.cancel(o.ID), problem.Unavailable, later)
		d.faults = nil
		wantProblem(t, d.cancel(o.ID), 0, "")
		_, o = d.stored(t)
		for _, r := range d.checkouts {
			if r.Status == psp.CheckoutOpen {
				t.Errorf("%s can be paid though the order is %s", r.Ref, o.State)
			}
		}
	})
}

// TestCancelTooLate: an order whose buyer was faster is not canceled.
func TestCancelTooLate(t *testing.T) {
	d, o := ordered(t)
	d.complete = true
	wantProblem(t, d.cancel(o.ID), problem.Invalid, "Order cannot be canceled, current status: completed")
	if session, o := d.stored(t); o.State != orders.Paid || !session.Closed {
		t.Errorf("the order is %s", o.State)
	}
}

// TestCancelLate: a payment that arrives after the cancellation is recorded all the same.
func TestCancelLate(t *testing.T) {
	d, o := ordered(t)
	wantProblem(t, d.cancel(o.ID), 0, "")
	_, o = d.stored(t)
	d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_1"))
	if _, o = d.stored(t); o.State != orders.PaidLate {
		t.Errorf("the order is %s", o.State)
	}
}

// TestCancelScope: an order outside of the scope is refused as an unknown one.
func TestCancelScope(t *testing.T) {
	d, o := ordered(t)
	for name, scope := range map[string]orders.Scope{
		"another buyer":       {Environment: checkout.Test, StoreID: "STO_1", Identity: "user-18"},
		"no buyer":            {Environment: checkout.Test, StoreID: "STO_1"},
		"another store":       {Environment: checkout.Test, StoreID: "STO_2", Identity: "user-17"},
		"another environment": {Environment: checkout.Prod, StoreID: "STO_1", Identity: "user-17"},
		"another merchant":    {Environment: checkout.Test, MerchantID: "MER_2"},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, d.Cancel(t.Context(), scope, o.ID, ""), problem.NotFound, "Order not found")
		})
	}
	wantProblem(t, d.cancel("ORD_0000000000000000000001"), problem.NotFound, "Order not found")
	wantProblem(t, d.cancel("ORD_x"), problem.NotFound, "Order not found")
	wantProblem(t, d.cancel(""), problem.Invalid, "Missing required field: orderId")
	if _, now := d.stored(t); now.Version != o.Version {
		t.Errorf("the order was written: %s", now.State)
	}
}

// TestCancelCrash: a process that dies at any commit of a cancellation leaves an order that a second call cancels.
func TestCancelCrash(t *testing.T) {
	for failAt := 1; failAt <= 2; failAt++ {
		d, o := ordered(t)
		d.restart(withStore(&failingStore{Store: d.db, failAt: failAt}))
		if err := d.cancel(o.ID); !errors.Is(err, errPowerCut) {
			t.Fatalf("commit %d: %v", failAt, err)
		}
		d.restart(withStore(d.db))
		d.sweep(t, time.Minute)
		wantProblem(t, d.cancel(o.ID), 0, "")
	}
}
