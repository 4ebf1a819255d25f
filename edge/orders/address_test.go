package orders_test

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// TestAddress: an order freezes the buyer's address and writes it back with the billing detail; another address is another order. A
// request that takes the billing detail from the session takes the address, too.
func TestAddress(t *testing.T) {
	d := openDesk(t)
	business := false
	germany := &billing.Input{Country: "DE", IsBusiness: &business}
	berlin, bonn := sessions.Address{Name: "Ada Byron", Street: "Torstraße 1", City: "Berlin"}, sessions.Address{City: "Bonn"}
	var last string
	for _, c := range []struct {
		name           string
		billing        *billing.Input
		address, wants sessions.Address
		anew           bool
	}{
		{"with an address", germany, sessions.Address{Name: "Ada\nByron", Street: " Torstraße 1 ", City: "Berlin"}, berlin, true},
		{"the same", germany, berlin, berlin, false},
		{"the session's", nil, sessions.Address{}, berlin, false},
		{"the session's, elsewhere", nil, bonn, bonn, true},
		{"none", germany, sessions.Address{}, sessions.Address{}, true},
	} {
		url, err := d.Service.Create(t.Context(), &orders.Request{Address: c.address, Request: checkout.Request{
			Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionID, Billing: c.billing, BuyerEmail: "ada@example.com",
		}}, "", nil)
		if err != nil || (url != last) != c.anew {
			t.Fatalf("%s: %s after %s, %v", c.name, url, last, err)
		}
		last = url
		if session, o := d.stored(t); o.Current().Address != c.wants || session.Address != c.wants {
			t.Errorf("%s: the order has %+v, the session %+v", c.name, o.Current().Address, session.Address)
		}
	}
}
