package orders_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

const keepUnpaid = 40 * 24 * time.Hour

// TestForget: the buyer's data are removed from an order that has ended unpaid, and from its session, when their time has come, also where
// no provider is configured any more. What was paid stays.
func TestForget(t *testing.T) {
	for name, c := range map[string]struct {
		status    psp.CheckoutStatus
		paid, not bool // not: the provider never had it
		forgotten bool
	}{
		"expired":     {status: psp.CheckoutExpired, forgotten: true},
		"rolled back": {not: true, forgotten: true},
		"paid":        {status: psp.CheckoutComplete, paid: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDesk(t)
			d.restart(func(c *orders.Config) { c.KeepUnpaid = keepUnpaid })
			if c.not {
				d.faults = []*psp.CallError{{Class: psp.Definitive}}
			}
			if _, err := d.order("DE"); (err != nil) != c.not {
				t.Fatal(err)
			}
			for key, r := range d.checkouts {
				r.Status, r.Paid = c.status, c.paid
				d.checkouts[key] = r
			}
			ended := d.sweep(t, 63*time.Minute)
			d.restart(func(c *orders.Config) { c.Providers = nil })
			if o := d.sweep(t, keepUnpaid-64*time.Minute); !d.knows(t, o) {
				t.Fatal("forgotten before its time")
			}
			o := d.sweep(t, 2*time.Hour)
			if d.knows(t, o) == c.forgotten || o.DueAt() != 0 || o.State != ended.State || o.UpdatedAt != ended.UpdatedAt {
				t.Errorf("forgotten: %t, due at %d, %s", !d.knows(t, o), o.DueAt(), o.State)
			}
		})
	}
}

// TestForgetLater: a buyer who orders again starts the time anew.
func TestForgetLater(t *testing.T) {
	d := openDesk(t)
	d.restart(func(c *orders.Config) { c.KeepUnpaid = keepUnpaid })
	d.faults = []*psp.CallError{{Class: psp.Definitive}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("no error")
	}
	first := d.sweep(t, 0).DueAt()
	d.ahead += time.Minute
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	for key, r := range d.checkouts {
		r.Status = psp.CheckoutExpired
		d.checkouts[key] = r
	}
	if o := d.sweep(t, 63*time.Minute); o.DueAt() < first+time.Hour.Milliseconds() {
		t.Errorf("due at %d, and at %d before", o.DueAt(), first)
	}
}

// knows reports whether an order or its session, as they are stored, tell who the buyer is.
func (d *desk) knows(t *testing.T, o *orders.Order) bool {
	t.Helper()
	session, err := d.db.Session(context.Background(), o.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, v := range []any{o, session} {
		text, err := record.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return bytes.Contains(all, []byte("ada@example.com"))
}
