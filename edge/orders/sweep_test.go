package orders_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// TestSweepUnresolved: a call whose outcome was unknown is asked again with the same bytes though no buyer comes back, and
// the buyer who does come back gets its URL.
func TestSweepUnresolved(t *testing.T) {
	d := openDesk(t)
	d.faults = []*psp.CallError{{Class: psp.Unknown}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if o := d.sweep(t, 0); o.Current().State != orders.Unresolved || len(d.sent) != 1 {
		t.Fatalf("swept before its time: %s, sent %d", o.Current().State, len(d.sent))
	}
	d.faults = []*psp.CallError{{Class: psp.Unknown}}
	if o := d.sweep(t, 6*time.Second); o.Current().State != orders.Unresolved {
		t.Fatalf("the attempt is %s", o.Current().State)
	}
	if d.sweep(t, 6*time.Second); len(d.sent) != 2 {
		t.Errorf("no longer pause after the second failure: sent %d", len(d.sent))
	}
	if o := d.sweep(t, 6*time.Second); o.State != orders.AwaitingPayment || o.DueAt() == 0 {
		t.Fatalf("the order is %s", o.State)
	}
	url, err := d.order("DE")
	if err != nil || url == "" || len(d.checkouts) != 1 {
		t.Fatalf("%q, %v, %d checkouts", url, err, len(d.checkouts))
	}
	for _, sent := range d.sent {
		if sent != d.sent[0] {
			t.Errorf("sent %q", d.sent)
		}
	}
}

// TestSweepLostCommit: the process died between the provider's answer and our writing it down.
func TestSweepLostCommit(t *testing.T) {
	d := openDesk(t)
	d.restart(withStore(&failingStore{Store: d.db, failAt: 2}))
	if _, err := d.order("DE"); !errors.Is(err, errPowerCut) {
		t.Fatal(err)
	}
	d.restart(withStore(d.db))
	if o := d.sweep(t, 20*time.Second); o.State != orders.AwaitingPayment || len(d.checkouts) != 1 {
		t.Errorf("the order is %s, %d checkouts", o.State, len(d.checkouts))
	}
}

// TestSweepTooLate: past the time in which the provider would still execute the bytes, the attempt is given up, and what the
// provider may have of it is looked for.
func TestSweepTooLate(t *testing.T) {
	d := openDesk(t)
	d.faults = []*psp.CallError{{Class: psp.Unknown}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	if o := d.sweep(t, 31*time.Minute); o.State != orders.RolledBack || o.Current().State != orders.Ended || o.DueAt() != 0 || len(d.sent) != 1 {
		t.Errorf("order %s, attempt %s, due at %d, sent %d", o.State, o.Current().State, o.DueAt(), len(d.sent))
	}
}

// TestSweepEnd: a checkout's end is noticed though its webhook was lost.
func TestSweepEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		status psp.CheckoutStatus
		paid   bool
		want   orders.State
	}{
		{"unpaid", psp.CheckoutExpired, false, orders.Expired},
		{"paid", psp.CheckoutComplete, true, orders.Paid},
		{"being processed", psp.CheckoutComplete, false, orders.Processing},
		{"open by the provider's clock", psp.CheckoutOpen, false, orders.AwaitingPayment},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := openDesk(t)
			if _, err := d.order("DE"); err != nil {
				t.Fatal(err)
			}
			for key, r := range d.checkouts {
				r.Status, r.Paid = c.status, c.paid
				d.checkouts[key] = r
			}
			if o := d.sweep(t, 61*time.Minute); o.State != orders.AwaitingPayment {
				t.Fatalf("swept before its time: %s", o.State)
			}
			o := d.sweep(t, 2*time.Minute)
			session, _ := d.stored(t)
			if o.State != c.want || session.Closed != (c.want != orders.AwaitingPayment) {
				t.Errorf("order %s, closed %t", o.State, session.Closed)
			}
			if still := o.DueAt() != 0; still != (c.want == orders.AwaitingPayment || c.want == orders.Processing) {
				t.Errorf("due at %d", o.DueAt())
			}
		})
	}
}

// TestSweepSuperseding: an expiry whose outcome was unknown is asked for again.
func TestSweepSuperseding(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	d.expire = &psp.CallError{Class: psp.Unknown}
	if _, err := d.order("FR"); err == nil {
		t.Fatal("no error")
	}
	d.expire = nil
	if o := d.sweep(t, 6*time.Second); o.State != orders.RolledBack || o.DueAt() != 0 {
		t.Errorf("the order is %s", o.State)
	}
	if _, err := d.order("FR"); err != nil {
		t.Error(err)
	}
}

// TestSweepTaken: money that is on its way is asked about, though its webhook was lost.
func TestSweepTaken(t *testing.T) {
	d := openDesk(t)
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	through := d.event(o, 1, psp.EventCompleted, "evt_1")
	through.Checkout.Paid = false
	d.apply(t, through)
	for key, r := range d.checkouts {
		r.Status, r.Paid = psp.CheckoutComplete, true
		d.checkouts[key] = r
	}
	if o := d.sweep(t, 30*time.Minute); o.State != orders.Processing {
		t.Fatalf("swept before its time: %s", o.State)
	}
	if o := d.sweep(t, 31*time.Minute); o.State != orders.Paid {
		t.Errorf("the order is %s", o.State)
	}
}
