package orders_test

import (
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// Anybody can have a shopper's token: its bearer returns to the hosts of the session, and a buyer whom the merchant knows anywhere.
func TestReturnHosts(t *testing.T) {
	d := openDesk(t)
	session, err := d.db.Session(t.Context(), sessionID)
	if err != nil {
		t.Fatal(err)
	}
	session.ReturnHosts = []string{"shop.example"}
	if err := d.db.WriteSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	d.restart(budget(time.Minute))
	business := false
	order := func(boundTo, successURL string) error {
		_, err := d.Service.Create(t.Context(), &orders.Request{Request: checkout.Request{
			Caller:    checkout.Caller{Environment: checkout.Test, StoreID: "STO_1", SessionID: boundTo},
			SessionID: sessionID, Billing: &billing.Input{Country: "DE", IsBusiness: &business}, BuyerEmail: "ada@example.com",
			SuccessURL: successURL,
		}}, "", nil)
		return err
	}
	var refused *problem.Problem
	if err := order(sessionID, "https://evil.example/"); !errors.As(err, &refused) || refused.Message != "Invalid successUrl" || len(d.sent) != 0 {
		t.Errorf("a shopper's own host: %v, %d calls", err, len(d.sent))
	}
	if err := order(sessionID, "https://shop.example/thanks"); err != nil {
		t.Errorf("a shopper's return to the store: %v", err)
	}
	if err := order("", "https://other.example/thanks"); err != nil {
		t.Errorf("a customer's return: %v", err)
	}
}
