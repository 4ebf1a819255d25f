package dashboard

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// reversed makes an order one without tax by reverse charge.
func reversed(o *orders.Order) {
	paid(o)
	sold := &o.Attempts[0].Placed
	sold.Quote.Assessment.Reason = tax.ReverseCharge
	sold.Billing.IsBusiness, sold.Billing.TaxID, sold.Billing.TaxIDChecked = true, "DE136695976", true
}

// TestVATCheck: an order whose number is not registered, or not confirmed, is marked in the lists and on its page; any other is not.
func TestVATCheck(t *testing.T) {
	w := open(t, "")
	s := w.store(t, 1)
	at := w.now.UnixMilli()
	for n, c := range map[int]struct {
		check       *vies.Check
		marked      bool
		shows, hide string
	}{
		1: {&vies.Check{State: vies.Invalid, AnsweredAt: at, Consultation: "WAPI1", Requester: "IE6388047V"}, true, "WAPI1", "VAT number registered"},
		2: {&vies.Check{State: vies.Failed, LastError: "MS_UNAVAILABLE"}, true, "MS_UNAVAILABLE", "Consultation"},
		3: {&vies.Check{State: vies.Valid, AnsweredAt: at, Consultation: "WAPI3", Name: "<ACME>", Address: "Torstr. 1"}, false, "&lt;ACME&gt;", "No tax was charged"},
		4: {&vies.Check{State: vies.Pending, DueAt: at}, false, "VAT number not confirmed yet", "No tax was charged"},
		5: {nil, false, "Why this tax", "VAT number"},
	} {
		id := orderID(n)
		w.ordered(t, checkout.Test, id, in(s, reversed))
		if c.check != nil {
			c.check.Environment, c.check.StoreID, c.check.OrderID, c.check.Number = checkout.Test, s.ID, id, "DE136695976"
			if err := w.db.CommitNotify(t.Context(), notify.Change{VATCheck: c.check}); err != nil {
				t.Fatal(err)
			}
		}
		page := w.get("/dashboard/test/orders/" + id)
		page.shows(t, 200, c.shows)
		if strings.Contains(page.body, c.hide) {
			t.Errorf("the page of order %d has %q", n, c.hide)
		}
		for _, path := range []string{"/dashboard/test/orders", "/dashboard/test"} {
			_, row, _ := strings.Cut(w.get(path).body, id+"</code>")
			row, _, _ = strings.Cut(row, "</tr>")
			if marked := strings.Contains(row, "VAT number not"); row == "" || marked != c.marked {
				t.Errorf("%s marks order %d: %t", path, n, marked)
			}
		}
	}
}
