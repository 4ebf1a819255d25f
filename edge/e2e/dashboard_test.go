package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// TestDashboard opens every page of the dashboard in Chromium without JavaScript, on the records of a shop that has sold for a month. SHOTS
// names a folder for screenshots.
func TestDashboard(t *testing.T) {
	if _, err := os.Stat(chromium()); err != nil {
		t.Fatalf("%v; the test needs a browser: apt-get install chromium, or set CHROMIUM", err)
	}
	web, data, token := npmInstall(t, "../../web"), t.TempDir(), rand.Text()+rand.Text()
	first := start(t, data, freeAddress(t))
	s := shopOn(t, data)
	merchant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuses" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, `{"received":true}`)
	}))
	defer merchant.Close()
	for _, path := range []string{"/webhooks/crepe", "/refuses"} {
		err := s.Merchant.Call("/v1/actions/store/add-webhook", map[string]any{"storeId": s.File.StoreID, "channel": "http", "url": merchant.URL + path,
			"events": []string{"order.completed"}, "testMode": true, "secret": "hunter2hunter2"}, new(struct{}))
		if err != nil {
			t.Fatal(err)
		}
	}
	session := s.Session(t, map[string]any{"orderMerchantExternalId": "INV-2026-1", "metadata": map[string]string{"campaign": "autumn"}})
	s.Pay(t, s.CreateOrder(t, s.Token(t, "user-1"), shoptest.OrderFor(session.SessionID)).CheckoutURL(t))
	declined := s.Session(t, nil)
	s.CreateOrder(t, s.Token(t, "user-2"), shoptest.OrderTo(declined.SessionID, "FR"))
	shoptest.Eventually(t, "the session is closed by the payment", func() bool {
		return s.CreateOrder(t, s.Token(t, "user-1"), shoptest.OrderFor(session.SessionID)).Status == 409
	})
	first.kill()
	r := openRecords(t, data)
	month(t, r, session.SessionID)
	_, paid := r.order(t, session.SessionID)
	r.close()

	token = "dashboard-" + token
	t.Setenv("CREPE_DASHBOARD_TOKEN", token)
	start(t, data, freeAddress(t))
	s = shopOn(t, data)
	asked := s.Post(t, "/v1/actions/refund-ticket/create-ticket", fmt.Sprintf(`{"paymentId":%q,"reason":"It is not what I expected.",
		"requestedAmount":{"amount":"10.00","currency":"EUR"}}`, paid.Payments[0].ID), shoptest.Bearer(s.Token(t, "user-1")))
	if asked.Status != 200 {
		t.Fatal(asked)
	}
	node := exec.Command("node", "--test", "--test-reporter=spec", filepath.Join(web, "e2e", "dashboard.mjs"))
	node.Env = append(os.Environ(), "DEV_JSON="+filepath.Join(data, "dev.json"), "CHROMIUM="+chromium(), "PAID_SESSION="+session.SessionID)
	output, err := node.CombinedOutput()
	t.Logf("%s", output)
	if err != nil {
		t.Fatal(err)
	}
}

// month stores orders of the last thirty days, like the order of a session, and what waits for a person.
func month(t *testing.T, r *records, sessionID string) {
	t.Helper()
	session, paid := r.order(t, sessionID)
	now := time.Now()
	commit := func(c orders.Change) {
		t.Helper()
		if err := r.db.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 70 {
		at := now.Add(-time.Duration(i*i%29)*24*time.Hour - time.Duration(i)*13*time.Minute)
		next, of := *paid, *session
		of.ID, of.Version, of.ExternalID = shortid.FormatSession(shortid.NewV4(rand.Reader)), 0, ""
		next.ID, next.Version, next.SessionID = shortid.Format(shortid.Order, shortid.NewV7(at, rand.Reader)), 0, of.ID
		of.OrderID, next.CreatedAt, next.UpdatedAt = next.ID, at.UnixMilli(), at.Add(time.Minute).UnixMilli()
		of.CreatedAt = at.Add(-time.Minute).UnixMilli()
		next.Attempts, next.Payments = append([]orders.Attempt(nil), paid.Attempts...), nil
		placed := &next.Attempts[0].Placed
		placed.SessionID, placed.BuyerEmail, placed.BuyerIdentity = of.ID, fmt.Sprintf("buyer-%d@fieldnotes.example", i), ""
		next.Attempts[0].Ref = fmt.Sprintf("cs_test_%040d", i)
		if i%5 == 2 {
			inCurrency(t, placed, "USD", 2900+int64(i)*100)
		}
		pay := func(status orders.PaymentStatus, reason string) {
			next.Payments = append(next.Payments, orders.Payment{ID: shortid.Format(shortid.Payment, shortid.NewV7(at, rand.Reader)), Attempt: 1, Status: status,
				Provider: "sandbox", Ref: fmt.Sprintf("pi_%024d", i*10+len(next.Payments)), Method: "card", Last4: "4242", Reason: reason, At: next.UpdatedAt})
		}
		switch {
		case i%9 == 4:
			next.State, next.Attempts[0].State = orders.Expired, orders.Ended
			pay(orders.Declined, "The card has insufficient funds.")
		case i == 20:
			next.State = orders.RefundDue
			pay(orders.Succeeded, "")
			pay(orders.Succeeded, "")
		default:
			pay(orders.Succeeded, "")
		}
		if i == 12 {
			next.Tickets = []orders.Ticket{{ID: shortid.Format(shortid.Ticket, shortid.NewV7(now, rand.Reader)), PaymentID: next.Payments[0].ID,
				Status: orders.TicketPending, Submitter: orders.Submitter{ID: "user-12"}, CreatedAt: now.UnixMilli(), Versions: []orders.TicketVersion{{ID: "1",
					Reason: "I bought it twice by mistake, could you refund one of them?", Amount: 1500, SubmittedAt: now.UnixMilli()}}}}
		}
		commit(orders.Change{Session: &of, Order: &next})
	}
	for i, why := range []string{"orders: the amount is another one than that of the order", "orders: not found"} {
		id := fmt.Sprintf("evt_%024d", i)
		commit(orders.Change{Event: &orders.SeenEvent{Environment: checkout.Test, Provider: "sandbox", ID: id}, Quarantine: &orders.Quarantined{
			Environment: checkout.Test, Provider: "sandbox", Why: why, QuarantinedAt: now.Add(-time.Hour).UnixMilli(),
			Event: psp.Event{ID: id, Checkout: psp.Checkout{Ref: fmt.Sprintf("cs_test_%058d", i), Paid: true, PaymentID: fmt.Sprintf("pi_%024d", i),
				Total: money.Amount{Minor: 4900, Currency: "EUR"}, OrderID: paid.ID}}}})
	}
}

// inCurrency changes the price of an order to one in another currency, with the tax of the same buyer.
func inCurrency(t *testing.T, o *checkout.Order, currency money.Currency, minor int64) {
	t.Helper()
	o.Terms.Price = money.Amount{Minor: minor, Currency: currency}
	assessed, refused := tax.Assess(&tax.Sale{Seller: &o.Terms.Seller, Buyer: &o.Billing, Category: o.Terms.Category, Price: o.Terms.Price,
		Inclusive: o.Terms.Inclusive, Step: 1, On: o.Quote.On})
	if refused != nil {
		t.Fatal(refused)
	}
	o.Quote.Currency, o.Quote.Assessment = currency, assessed
}
