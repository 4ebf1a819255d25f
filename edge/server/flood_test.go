package server

import (
	"context"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestPaidInFlood: while more buyers order than can wait for a provider that hangs, and refused buyers retry, paid orders are
// completed by their webhooks.
func TestPaidInFlood(t *testing.T) {
	flood := openBulkhead(t)
	provider := flood.sandboxes[checkout.Test]
	paid := flood.manySessions(t, 10)
	for _, id := range paid {
		flood.CreateOrder(t, flood.token, shoptest.OrderFor(id)).CheckoutURL(t)
	}
	provider.Decide(func(c fault.Call) fault.Spec {
		if c.Operation == fault.Create {
			return "timeout"
		}
		return ""
	})
	stop := flood.crowd(t)
	defer stop()
	shoptest.Eventually(t, "buyers are refused", func() bool { return flood.refused.Load() > 0 })
	for _, id := range paid {
		_, order := flood.stored(t, id)
		if err := provider.Pay(order.Current().Ref); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range paid {
		shoptest.Eventually(t, "a paid order is completed", func() bool {
			session, err := flood.db.Session(context.Background(), id)
			if err != nil {
				t.Fatal(err)
			}
			order, err := flood.server.orders.Order(context.Background(), session)
			return err == nil && order.State == orders.Paid
		})
	}
}
