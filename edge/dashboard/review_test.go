package dashboard

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// quarantined stores an event in quarantine.
func (w *world) quarantined(t *testing.T, env checkout.Environment, id string) {
	t.Helper()
	q := &orders.Quarantined{Environment: env, Provider: "stripe", Why: "orders: not found", QuarantinedAt: w.now.UnixMilli(),
		Event: psp.Event{ID: id, Checkout: psp.Checkout{Ref: "cs_live_1", Paid: true, Total: money.Amount{Minor: 123456, Currency: "USD"},
			OrderID: "<b>ORD_x</b>", PaymentID: "pi_1"}}}
	err := w.db.Commit(t.Context(), orders.Change{Event: &orders.SeenEvent{Environment: env, Provider: "stripe", ID: id}, Quarantine: q})
	if err != nil {
		t.Fatal(err)
	}
}

// ordered stores an order of a buyer in Germany.
func (w *world) ordered(t *testing.T, env checkout.Environment, id string, change func(*orders.Order)) *orders.Order {
	t.Helper()
	seller := tax.Seller{Country: "DE"}
	buyer := billing.Detail{Country: "DE", Postcode: "10115"}
	sale := tax.Sale{Seller: &seller, Buyer: &buyer, Category: tax.SaaS, Price: money.Amount{Minor: 2900, Currency: "EUR"}, Step: 1, On: 20454}
	assessed, refused := tax.Assess(&sale)
	if refused != nil {
		t.Fatal(refused)
	}
	placed := checkout.Order{SessionID: "cs_" + id, Environment: env, StoreID: "STO_1", Product: checkout.Product{ID: "PROD_1", Name: "Fieldnotes Pro"},
		Quote:   checkout.Quote{Currency: "EUR", Assessment: assessed, On: 20454, DataVersion: "2026"},
		Billing: buyer, BuyerEmail: "ada@example.com", BuyerIdentity: "user-1", BuyerIP: "192.0.2.1"}
	o := &orders.Order{ID: id, SessionID: placed.SessionID, MerchantID: "MER_1", StoreID: "STO_1", Environment: env, State: orders.AwaitingPayment,
		CreatedAt: w.now.UnixMilli(), UpdatedAt: w.now.UnixMilli(),
		Attempts: []orders.Attempt{{N: 1, State: orders.Open, Placed: placed, Provider: "stripe", Ref: "cs_test_secret", URL: "https://pay.example/secret-url", SentAt: w.now.UnixMilli()}}}
	if change != nil {
		change(o)
	}
	session := &sessions.Session{Session: checkout.Session{ID: o.SessionID, Environment: env, StoreID: o.StoreID}, OrderID: o.ID}
	if err := w.db.Commit(t.Context(), orders.Change{Session: session, Order: o}); err != nil {
		t.Fatal(err)
	}
	return o
}

// paidTwice makes an order one with a refund due.
func paidTwice(o *orders.Order) {
	o.State, o.Attempts[0].State = orders.RefundDue, orders.Settled
	for i, ref := range []string{"pi_1", "pi_2"} {
		o.Payments = append(o.Payments, orders.Payment{ID: fmt.Sprintf("PAY_%d", i), Attempt: 1, Status: orders.Succeeded, Provider: "stripe", Ref: ref,
			Method: "card", Last4: "4242", At: o.CreatedAt})
	}
}

// TestQuarantine: an event is listed in its environment only, and can be marked as handled there.
func TestQuarantine(t *testing.T) {
	w := open(t, token)
	w.logIn(t)
	const path = "/dashboard/test/quarantine"
	w.get(path).shows(t, 200, "The quarantine is empty")
	w.quarantined(t, checkout.Test, "evt_1")
	a := w.get(path)
	a.shows(t, 200, "Payment of 1,234.56 USD", "evt_1", "there is no such order", "Mark as handled", `&lt;b&gt;ORD_x`, `<span class="count">1`)
	w.get("/dashboard/prod/quarantine").shows(t, 200, "The quarantine is empty")

	form := url.Values{"token": {w.formToken(t, path)}, "do": {"handled"}, "id": {"stripe/evt_1"}}
	w.do("POST", "/dashboard/prod/quarantine", form).shows(t, 404)
	for _, wrong := range []url.Values{{"do": {"delete"}, "id": {"stripe/evt_1"}}, {"do": {"handled"}, "id": {"stripe/evt_2"}}, {"do": {"handled"}, "id": {""}}} {
		wrong["token"] = form["token"]
		w.do("POST", path, wrong).shows(t, 404)
	}
	w.get(path).shows(t, 200, "Mark as handled")
	done := w.do("POST", path, form)
	if done.status != 303 || done.to() != path+"?done=handled" {
		t.Fatalf("handled: %d to %s", done.status, done.to())
	}
	a = w.get(done.to())
	a.shows(t, 200, "Marked as handled.", "Handled", "evt_1")
	if strings.Contains(a.body, "<button class=\"quiet\">Mark") || strings.Contains(a.body, `class="count"`) {
		t.Error("a handled event still waits")
	}
}

// TestQuarantinePages: a list is bounded, and every entry is on one page.
func TestQuarantinePages(t *testing.T) {
	w := open(t, "")
	for i := range 2*pageSize + 1 {
		w.quarantined(t, checkout.Test, fmt.Sprintf("evt_%03d", i))
	}
	seen, pages := 0, 0
	for path := "/dashboard/test/quarantine"; path != ""; pages++ {
		a := w.get(path)
		seen += strings.Count(a.body, "<article")
		path = ""
		if _, rest, ok := strings.Cut(a.body, `?after=`); ok {
			rest, _, _ = strings.Cut(rest, `"`)
			path = "/dashboard/test/quarantine?after=" + rest
		}
	}
	if seen != 2*pageSize+1 || pages != 3 {
		t.Errorf("%d entries on %d pages", seen, pages)
	}
}

// TestRefundDue: an order that was paid twice is listed with its payments, and can be marked as handled.
func TestRefundDue(t *testing.T) {
	w := open(t, "")
	const path, id = "/dashboard/test/refund-due", "ORD_0000000000000000000001"
	w.get(path).shows(t, 200, "No refund is due")
	w.ordered(t, checkout.Test, id, paidTwice)
	w.get(path).shows(t, 200, id, "pi_1", "pi_2", "34.51 EUR", "ada@example.com", "Waiting")
	w.get("/dashboard/prod/refund-due").shows(t, 200, "No refund is due")
	form := url.Values{"token": {w.formToken(t, path)}, "do": {"handled"}, "id": {id}}
	w.do("POST", "/dashboard/prod/refund-due", form).shows(t, 404)
	w.do("POST", path, form).shows(t, 303)
	w.get(path).shows(t, 200, "Handled")
	o, err := w.db.Order(t.Context(), checkout.Test, id)
	if err != nil || o.RefundHandledAt != w.now.UnixMilli() {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestOrder: an order's page shows its amounts, tax, attempts and payments, and neither a payment URL nor another environment's.
func TestOrder(t *testing.T) {
	w := open(t, "")
	const id = "ORD_0000000000000000000001"
	w.ordered(t, checkout.Test, id, paidTwice)
	a := w.get("/dashboard/test/orders/" + id)
	a.shows(t, 200, id, "34.51 EUR", "29.00 EUR", "5.51 EUR", "VAT 19 %", "ada@example.com", "user-1", "Refund due", "Fieldnotes Pro", "PAY_1",
		"ending in 4242", "cs_test_secret", "192.0.2.1", "10115", "Standard", "Rule")
	if strings.Contains(a.body, "secret-url") {
		t.Error("the page shows where anyone can pay")
	}
	for _, path := range []string{"/dashboard/prod/orders/" + id, "/dashboard/test/orders/ORD_0000000000000000000002", "/dashboard/test/orders/x/y"} {
		w.get(path).shows(t, 404, "Not found")
	}
	if a := w.get("/dashboard/test/orders?q=" + id); a.to() != "/dashboard/test/orders/"+id {
		t.Errorf("a search for the id leads to %q", a.to())
	}
}
