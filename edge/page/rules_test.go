package page

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/wasm/meter"
)

// ruling is the rules of the shop, none at first.
type ruling struct {
	discount checkout.Discount
	problems problem.List
	all      plugins.Rules
	content  plugins.Content
}

func (r *ruling) Decide(context.Context, *checkout.Order) (checkout.Discount, problem.List, error) {
	return r.discount, r.problems, nil
}

func (r *ruling) Rules(context.Context, string) (*plugins.Rules, error) { return &r.all, nil }

func (r *ruling) RuleContent(context.Context, string, int) (*plugins.Content, error) {
	return &r.content, nil
}

// TestDiscountedOrder follows an order with a discount from the form to its receipt and its two refunds: the buyer sees the discount
// everywhere, and is charged and refunded the total that was shown.
func TestDiscountedOrder(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.MerchantID = "MER_1" })
	s.rules.discount = checkout.Discount{Label: "Welcome <b>back</b>", Minor: 29_00}
	lines := []string{"Welcome &lt;b&gt;back&lt;/b&gt;", "\u2212$29.00", "$129.00", "$100.00", "$13.00", "$113.00"}
	expect(t, s.post(pageURL, ottawa()), 200, lines...)
	order := s.order(t)
	charged, callErr := s.adapter.Retrieve(time.Now().Add(time.Minute), order.Current().Ref)
	if callErr != nil || charged.Total.Minor != 113_00 {
		t.Fatalf("the provider charges %v, %v", charged.Total, callErr)
	}
	if form, err := s.sandbox.Checkout(order.Current().Ref); err != nil || form.Total != "$113.00" || !strings.HasPrefix(form.Lines[0].Description, "Welcome <b>back</b>: −29.00 USD\n") {
		t.Errorf("the provider's page shows %+v, %v", form, err)
	}
	expect(t, s.get(pageURL+"/complete"), 200, lines...)
	s.pay(t, order.Current().Ref)
	expect(t, s.get(pageURL+"/complete"), 200, lines...)

	stored, err := s.db.Order(t.Context(), checkout.Test, order.ID)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := s.invoices.ReceiptOf(t.Context(), stored)
	if err != nil || receipt.Total != charged.Total.Minor {
		t.Fatalf("%+v, %v", receipt, err)
	}
	expect(t, s.get(receipt.Path()), 200, lines...)
	expect(t, s.get(receipt.Path()+".json"), 200, `"price": "129.00"`, `"reason": "Welcome \u003cb\u003eback\u003c/b\u003e"`, `"amount": "29.00"`, `"total": "100.00"`, `"payable": "113.00"`)
	var refunded int64
	for _, amount := range []string{"50.00", "63.00"} {
		_, ticket, err := s.orders.CreateTicket(t.Context(), orders.Scope{Environment: checkout.Test, MerchantID: stored.MerchantID},
			orders.TicketRequest{PaymentID: stored.Payments[0].ID, Reason: "too big", Amount: amount, Currency: "USD"}, "")
		if err != nil || ticket.Status != orders.TicketSucceeded {
			t.Fatalf("%s: %+v, %v", amount, ticket, err)
		}
	}
	s.issue(t)
	notes, err := s.invoices.Corrections(t.Context(), receipt)
	if err != nil || len(notes) != 2 {
		t.Fatalf("%d credit notes, %v", len(notes), err)
	}
	var net, tax int64
	for i := range notes {
		refunded, net, tax = refunded+notes[i].Total, net+notes[i].Subtotal, tax+notes[i].Tax
		if body := string(s.get(notes[i].Path()).Body()); notes[i].Series.Kind != invoices.CreditNote || strings.Contains(body, "Welcome") {
			t.Errorf("a credit note shows the discount: %s", body)
		}
	}
	if refunded != receipt.Total || net != receipt.Subtotal || tax != receipt.Tax {
		t.Errorf("refunded %d + %d = %d of %+v", net, tax, refunded, receipt)
	}
}

// pay pays a checkout at the provider, and applies the event of it.
func (s *shop) pay(t *testing.T, ref string) {
	t.Helper()
	if err := s.sandbox.Pay(ref); err != nil {
		t.Fatal(err)
	}
	paid, callErr := s.adapter.Retrieve(time.Now().Add(time.Minute), ref)
	if callErr != nil || !paid.Paid {
		t.Fatalf("%+v, %v", paid, callErr)
	}
	if err := s.orders.Apply(t.Context(), checkout.Test, psp.Event{ID: "evt_paid", Kind: psp.EventCompleted, Created: s.now, Checkout: paid}); err != nil {
		t.Fatal(err)
	}
	s.issue(t)
}

// TestDiscountInPrice: the discount of a price with tax is one with tax. Its invoice says what it is without.
func TestDiscountInPrice(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.Terms.Inclusive = true })
	s.rules.discount = checkout.Discount{Label: "Welcome", Minor: 29_00}
	expect(t, s.post(pageURL, ottawa()), 200, "\u2212$29.00", "$88.50", "$11.50", "$100.00")
	order := s.order(t)
	s.report(t, order, psp.EventCompleted, true)
	stored, err := s.db.Order(t.Context(), checkout.Test, order.ID)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := s.invoices.ReceiptOf(t.Context(), stored)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.invoices.JSON(t.Context(), receipt)
	if err != nil {
		t.Fatal(err)
	}
	line := v.Lines[0]
	if line.Item.Price != "114.16" || line.Sum != "114.16" || line.Discounts[0].Amount != "25.66" || line.Total != "88.50" || v.Totals.Payable != "100.00" {
		t.Errorf("the line is %+v, the totals %+v", line, v.Totals)
	}
}

// TestDiscountChanges: a buyer whose discount has changed sees the new total before anything is ordered.
func TestDiscountChanges(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	s.rules.discount = checkout.Discount{Label: "Welcome", Minor: 29_00}
	form := ottawa()
	form.Set("confirm", string(shownTotal.FindSubmatch(s.post(pageURL, form).Body())[1]))
	s.rules.discount = checkout.Discount{}
	answer := s.post(pageURL, form)
	expect(t, answer, 200, "Check the total", "$145.77")
	if stored, err := s.db.Session(t.Context(), session); err != nil || stored.OrderID != "" {
		t.Errorf("order %q, %v", stored.OrderID, err)
	}
	form.Set("confirm", string(shownTotal.FindSubmatch(answer.Body())[1]))
	expect(t, s.post(pageURL, form), 303)
	s.rules.problems = problem.List{problem.New(problem.Invalid, "rule-closed", "", "Closed")}
	expect(t, s.post(pageURL, form), 303) // frozen
}

// TestRulesOnPage: what a store's rules object to is shown beside the field, or above the form.
func TestRulesOnPage(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	s.rules.problems = problem.List{
		problem.New(problem.Invalid, "rule-email", "/buyerEmail", "Use your <company's> address"),
		problem.New(problem.Invalid, "rule-country", "/billingDetail/country", "We do not sell there"),
		problem.New(problem.Invalid, "rule-hours", "", "We are closed & asleep"),
	}
	answer := s.post(pageURL, ottawa())
	expect(t, answer, 400, `<p class="error" id="email-error">Use your &lt;company&#39;s&gt; address</p>`, `<p class="error" id="country-error">We do not sell there</p>`,
		`<h2 dir="auto">We are closed &amp; asleep</h2>`, `<a href="#email" target="_self">Use your`)
	s.rules.problems = s.rules.problems[2:]
	expect(t, s.post(pageURL, ottawa()), 400, `<h2 dir="auto">We are closed &amp; asleep</h2>`)
	if stored, err := s.db.Session(t.Context(), session); err != nil || stored.OrderID != "" {
		t.Errorf("order %q, %v", stored.OrderID, err)
	}
}

// TestRulesOfKnownBuyer: the form does not ask to confirm details that the rules refuse, and objects to nothing before it is submitted.
func TestRulesOfKnownBuyer(t *testing.T) {
	s := openShop(t)
	s.offer(t, ottawan)
	if body := string(s.get(pageURL).Body()); !strings.Contains(body, `class="review"`) {
		t.Errorf("the buyer's details are known: %s", body)
	}
	s.rules.problems = problem.List{problem.New(problem.Invalid, "rule-email", "/buyerEmail", "No")}
	if body := string(s.get(pageURL).Body()); strings.Contains(body, `class="review"`) || strings.Contains(body, "email-error") {
		t.Error("the form asks to review what the rules refuse, or objects to it")
	}
}

// TestRulesForScript: the script is told whether there are rules, and gets the module of those that run in the page, with its meter.
func TestRulesForScript(t *testing.T) {
	s := openShop(t)
	s.offer(t, ottawan)
	if strings.Contains(string(s.get(pageURL).Body()), `"rules":`) {
		t.Error("a store without rules has some")
	}
	module, err := os.ReadFile("../../wasm/rules/coupon.wasm")
	if err != nil {
		t.Fatal(err)
	}
	const path = "/rules/STO_2aUyqjCzEIiEcYMKj7TZtw/3/abc.wasm"
	s.rules.all = plugins.Rules{Versions: []plugins.Version{{Number: 3, Digest: "abc"}}, Test: 3}
	s.rules.content = plugins.Content{Number: 3, Module: module, Config: []byte(`{"percent":10}`)}
	expect(t, s.get(pageURL), 200, `"rules":{"fuel":0}`)
	expect(t, s.get(path), 404)
	s.rules.all.Versions[0].InPage = true
	expect(t, s.get(pageURL), 200, `"rules":{"module":"`+path+`","fuel":1000000,"draft":{"environment":"test","storeId":"STO_2aUyqjCzEIiEcYMKj7TZtw",`+
		`"product":{"id":"PROD_1","taxCategory":"software"},"price":{"amount":"129.00","currency":"USD"},"config":{"percent":10}}}`)
	for range 2 {
		metered := s.get(path)
		if body := metered.Body(); metered.StatusCode() != 200 || !bytes.HasPrefix(body, []byte("\x00asm")) || !bytes.Contains(body, []byte(meter.Fuel)) || len(body) <= len(module) ||
			string(metered.Header.ContentType()) != "application/wasm" || !strings.Contains(string(metered.Header.Peek("Cache-Control")), "immutable") {
			t.Errorf("HTTP %d, %d bytes of %s", metered.StatusCode(), len(body), metered.Header.ContentType())
		}
	}
	for _, other := range []string{"/rules/", "/rules/STO_2aUyqjCzEIiEcYMKj7TZtw/3/abd.wasm", "/rules/STO_2aUyqjCzEIiEcYMKj7TZtw/4/abc.wasm", "/rules/STO_2aUyqjCzEIiEcYMKj7TZtw/x/abc.wasm"} {
		expect(t, s.get(other), 404)
	}
}

// TestDiscountFromRightToLeft: the minus stays before the amount.
func TestDiscountFromRightToLeft(t *testing.T) {
	s := openShop(t)
	s.offer(t, ottawan)
	s.rules.discount = checkout.Discount{Label: "Welcome", Minor: 29_00}
	s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{Language: "ar"}})
	expect(t, s.get(pageURL), 200, "\u200e\u2212")
}
