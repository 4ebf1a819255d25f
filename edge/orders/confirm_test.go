package orders_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestConfirm: the URL of a checkout is given again without a call while it is fresh, and later only after the provider has
// said that it is open, if it says anything.
func TestConfirm(t *testing.T) {
	const fresh = 15 * time.Second
	d := openDesk(t)
	d.restart(func(c *orders.Config) { c.Budget, c.TryTimeout = time.Minute, time.Minute })
	var first string
	again := func(when string, retrieves int) {
		t.Helper()
		url, err := d.order("DE")
		if first == "" {
			first = url
		}
		if err != nil || url != first || d.retrieves != retrieves {
			t.Fatalf("%s: got %q, %v after %d retrieves, want %q after %d", when, url, err, d.retrieves, first, retrieves)
		}
	}
	again("the first time", 0)
	again("at once", 0)
	d.ahead += fresh
	again("later", 1)
	again("at once after that", 1)
	d.ahead += fresh
	d.retrieve = &psp.CallError{Class: psp.Unknown}
	again("while the provider does not answer", 2)
	again("while it still does not answer", 3)
}

// TestConfirmEnded: a checkout that has ended at the provider without our hearing of it is not given again, and the order is
// where the event would have brought it.
func TestConfirmEnded(t *testing.T) {
	for _, c := range []struct {
		remote psp.Checkout
		state  orders.State
	}{
		{psp.Checkout{Status: psp.CheckoutExpired}, orders.Expired},
		{psp.Checkout{Status: psp.CheckoutMissing}, orders.Expired},
		{psp.Checkout{Status: psp.CheckoutComplete}, orders.Processing},
		{psp.Checkout{Status: psp.CheckoutComplete, Paid: true, PaymentID: "pi_1"}, orders.Paid},
	} {
		d := openDesk(t)
		d.restart(func(c *orders.Config) { c.Budget, c.TryTimeout = time.Minute, time.Minute })
		if _, err := d.order("DE"); err != nil {
			t.Fatal(err)
		}
		for key, r := range d.checkouts {
			c.remote.Ref, c.remote.Total = r.Ref, r.Total
			d.checkouts[key] = c.remote
		}
		d.ahead += time.Minute
		url, err := d.order("DE")
		if refusal, ok := errors.AsType[problem.List](err); !ok || refusal[0].Kind != problem.Conflict {
			t.Errorf("%v: got %q, %v", c.remote.Status, url, err)
		}
		if session, o := d.stored(t); o.State != c.state || !session.Closed {
			t.Errorf("%v: the order is %s, closed %t", c.remote.Status, o.State, session.Closed)
		}
	}
}
