package orders_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

// TestBounds: an order whose buyer changes the details for ever, and whose checkout sees declined cards for ever, stays a record of a size that
// the database takes, and its payment is recorded. Its last checkout stays payable.
func TestBounds(t *testing.T) {
	d := openDesk(t)
	countries := []string{"DE", "FR"}
	url, refused := "", error(nil)
	for n := range 1000 {
		got, err := d.orderAs("user-17", countries[n%2])
		if err != nil {
			refused = err
			break
		}
		url = got
	}
	var list problem.List
	if !errors.As(refused, &list) || list.Error() != checkout.InvalidSession().Error() {
		t.Fatalf("the details can be changed 1000 times: %v", refused)
	}
	_, o := d.stored(t)
	last := len(o.Attempts)
	if o.Current().State != orders.Open || o.Current().URL != url {
		t.Errorf("the last attempt is %s at %s, the buyer had %s", o.Current().State, o.Current().URL, url)
	}
	for n := range 1000 {
		event := d.event(o, last, psp.EventDeclined, fmt.Sprint("evt_", n))
		event.Checkout.PaymentID, event.Reason = fmt.Sprint("pi_", n), "Your card was declined."
		if err := d.Apply(t.Context(), checkout.Test, event); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Apply(t.Context(), checkout.Test, d.event(o, last, psp.EventCompleted, "evt_paid")); err != nil {
		t.Fatal(err)
	}
	_, o = d.stored(t)
	text, err := record.Marshal(o)
	if err != nil || len(text) > 200<<10 || o.State != orders.Paid {
		t.Errorf("the order is %s and has %d bytes, %v", o.State, len(text), err)
	}
	t.Logf("%d attempts, %d payments, %d bytes", len(o.Attempts), len(o.Payments), len(text))
}
