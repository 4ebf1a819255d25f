package server

import (
	"net/http"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestInFlight: a request for an order that another request is creating waits and gets the same answer, or 503 with Retry-After.
func TestInFlight(t *testing.T) {
	// A try of the first takes as long as the second waits, so that no time is left for a try of the second.
	shop := openShop(t, orderTimes(12*time.Second, 12*time.Second))
	token := shop.Token(t, "user-1")
	provider := shop.sandboxes[checkout.Test]

	provider.Script("slow:200ms")
	first, second := shop.twoOrders(t, token)
	if url := first.CheckoutURL(t); second.CheckoutURL(t) != url {
		t.Errorf("two answers: %s and %s", first, second)
	}

	provider.Decide(func(c fault.Call) fault.Spec {
		if c.Operation == fault.Create {
			return "timeout"
		}
		return ""
	})
	first, second = shop.twoOrders(t, token)
	if first.Status != http.StatusInternalServerError {
		t.Errorf("the first got %s", first)
	}
	if second.Status != http.StatusServiceUnavailable || second.Header.Get("Retry-After") != "5" {
		t.Errorf("the second got %s with %v", second, second.Header)
	}
	provider.Decide(nil)
}

// twoOrders requests an order of a new session twice, the second time while the provider handles the first.
func (s *shop) twoOrders(t *testing.T, token string) (first, second shoptest.Reply) {
	t.Helper()
	session := s.Session(t, nil).SessionID
	done := make(chan shoptest.Reply, 1)
	go func() { done <- s.CreateOrder(t, token, shoptest.OrderFor(session)) }()
	shoptest.Eventually(t, "the first order is stored", func() bool {
		known, _ := s.db.Session(t.Context(), session)
		return known != nil && known.OrderID != ""
	})
	second = s.CreateOrder(t, token, shoptest.OrderFor(session))
	return <-done, second
}
