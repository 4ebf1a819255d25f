package orders_test

import (
	"context"
	"errors"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// ruling is the rules of a store, as a test sets them.
type ruling struct {
	discount checkout.Discount
	problems problem.List
	err      error
	drafts   []checkout.Order // that were shown to them
}

func (r *ruling) Decide(_ context.Context, draft *checkout.Order) (checkout.Discount, problem.List, error) {
	r.drafts = append(r.drafts, *draft)
	return r.discount, r.problems, r.err
}

func openRuledDesk(t *testing.T) (*desk, *ruling) {
	t.Helper()
	d, rules := openDesk(t), new(ruling)
	d.restart(func(c *orders.Config) { c.Rules = rules })
	return d, rules
}

func (d *desk) request(country, email string) *orders.Request {
	business := false
	return &orders.Request{Request: checkout.Request{
		Caller: checkout.Caller{Environment: checkout.Test, StoreID: "STO_1"}, SessionID: sessionID,
		Billing: &billing.Input{Country: country, IsBusiness: &business}, BuyerEmail: email,
	}}
}

// TestDiscountIsFrozen: the rules decide once about an order. A repeated request gets the same URL and total, whatever they say by then;
// another request is decided anew.
func TestDiscountIsFrozen(t *testing.T) {
	d, rules := openRuledDesk(t)
	rules.discount = checkout.Discount{Label: "Welcome", Minor: 500}
	first, err := d.order("DE")
	if err != nil {
		t.Fatal(err)
	}
	session, o := d.stored(t)
	q := &o.Current().Placed.Quote
	if q.Discount != rules.discount || q.ListPrice != 2900 || q.Assessment.Subtotal != 2400 || q.Assessment.Total != 2856 || d.provider.checkouts[o.Current().Key].Total.Minor != 2856 {
		t.Errorf("frozen %+v, charged %d", q, d.provider.checkouts[o.Current().Key].Total.Minor)
	}
	if draft := rules.drafts[0]; draft.BuyerEmail != "ada@example.com" || draft.Billing.Country != "DE" || draft.Terms.Price.Minor != 2900 || draft.StoreID != "STO_1" {
		t.Errorf("the rules saw %+v", draft)
	}
	rules.discount = checkout.Discount{Label: "Sale", Minor: 900}
	rules.drafts = nil
	if again, err := d.order("DE"); err != nil || again != first || len(rules.drafts) != 0 {
		t.Errorf("again: %q instead of %q, %v, and the rules saw %d drafts", again, first, err, len(rules.drafts))
	}
	if q, err := d.Quote(t.Context(), d.request("DE", "ada@example.com"), session, o); err != nil || q.Discount.Minor != 500 {
		t.Errorf("the frozen quote is %+v, %v", q, err)
	}
	if _, err := d.order("FR"); err != nil {
		t.Fatal(err)
	}
	if _, o = d.stored(t); o.Current().Placed.Quote.Discount != rules.discount || len(o.Attempts) != 2 {
		t.Errorf("another country: %+v", o.Current().Placed.Quote)
	}
}

// TestRulesRefuse: after a refusal nothing is stored, and the buyer's open checkout stays.
func TestRulesRefuse(t *testing.T) {
	d, rules := openRuledDesk(t)
	rules.problems = problem.List{problem.New(problem.Invalid, "rule-country", "/billingDetail/country", "We do not sell to Germany")}
	_, err := d.order("DE")
	var refused problem.List
	if !errors.As(err, &refused) || refused[0].Code != "rule-country" || len(d.sent) != 0 {
		t.Fatalf("%v, and %d calls", err, len(d.sent))
	}
	if session, err := d.db.Session(t.Context(), sessionID); err != nil || session.OrderID != "" {
		t.Errorf("the session has order %q, %v", session.OrderID, err)
	}
	rules.problems = nil
	url, err := d.order("FR")
	if err != nil {
		t.Fatal(err)
	}
	rules.problems = refused
	if _, err := d.order("DE"); !errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
	if again, err := d.order("FR"); err != nil || again != url {
		t.Errorf("the open checkout: %q, %v", again, err)
	}
}

// TestRulesUnreadable: without its rules, or with a discount that cannot be, a store sells nothing.
func TestRulesUnreadable(t *testing.T) {
	d, rules := openRuledDesk(t)
	for _, broken := range []ruling{
		{err: errors.New("the database is gone")},
		{discount: checkout.Discount{Label: "All", Minor: 2900}},
		{discount: checkout.Discount{Label: "More", Minor: -1}},
		{discount: checkout.Discount{Minor: 100}},
	} {
		*rules = broken
		if _, err := d.order("DE"); err == nil || problem.Of(err) != nil || len(d.sent) != 0 {
			t.Errorf("%+v: %v, %d calls", broken, err, len(d.sent))
		}
	}
	*rules = ruling{discount: checkout.Discount{Label: "Nearly all", Minor: 2880}}
	if _, err := d.order("HK"); err == nil || problem.Of(err) == nil || problem.Of(err)[0].Code != "total-invalid" {
		t.Errorf("below the provider's minimum: %v", err)
	}
}

// TestUnknownOutcomeKeepsItsDiscount: an attempt whose outcome is unknown is sent again with the bytes that it had.
func TestUnknownOutcomeKeepsItsDiscount(t *testing.T) {
	d, rules := openRuledDesk(t)
	rules.discount = checkout.Discount{Label: "Welcome", Minor: 500}
	d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("the provider has failed")
	}
	d.faults = nil
	rules.discount = checkout.Discount{}
	rules.problems = problem.List{problem.New(problem.Invalid, "rule-closed", "", "Closed")}
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	if last := d.sent[len(d.sent)-1]; last != d.sent[0] || o.Current().Placed.Quote.Discount.Minor != 500 {
		t.Errorf("sent %+v, order %+v", d.sent, o.Current().Placed.Quote)
	}
}

// TestPreviewWithoutEmail: a quote for a buyer without an e-mail address is not refused for it.
func TestPreviewWithoutEmail(t *testing.T) {
	d, rules := openRuledDesk(t)
	session, err := d.db.Session(t.Context(), sessionID)
	if err != nil {
		t.Fatal(err)
	}
	email := problem.New(problem.Invalid, "rule-email", "/buyerEmail", "Use your company's address")
	country := problem.New(problem.Invalid, "rule-country", "/billingDetail/country", "Not there")
	rules.problems, rules.discount = problem.List{email}, checkout.Discount{Label: "Welcome", Minor: 500}
	if q, err := d.Preview(t.Context(), &session.Session, &d.request("DE", "").Request); err != nil || q.Assessment.Subtotal != 2400 {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err := d.Preview(t.Context(), &session.Session, &d.request("DE", "ada@example.com").Request); problem.Of(err) == nil {
		t.Errorf("a bad address: %v", err)
	}
	rules.problems = problem.List{email, country}
	if _, err := d.Preview(t.Context(), &session.Session, &d.request("DE", "").Request); len(problem.Of(err)) != 1 || problem.Of(err)[0] != country {
		t.Errorf("got %v", err)
	}
	if len(rules.problems) != 2 {
		t.Error("the rules' own list was changed")
	}
}

// TestRefundsOfADiscountedOrder: the refunds of a discounted order are together what was charged, tax included.
func TestRefundsOfADiscountedOrder(t *testing.T) {
	d, rules := openRuledDesk(t)
	rules.discount = checkout.Discount{Label: "Welcome", Minor: 500}
	if _, err := d.order("DE"); err != nil {
		t.Fatal(err)
	}
	_, o := d.stored(t)
	d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_paid"))
	for _, amount := range []string{"10.00", "18.56"} {
		if ticket, err := d.ask(t, merchant1, amount); err != nil || ticket.Status != orders.TicketSucceeded {
			t.Fatalf("%s: %+v, %v", amount, ticket, err)
		}
	}
	_, err := d.ask(t, merchant1, "0.01")
	wantProblem(t, err, problem.Invalid, "Refund amount exceeds the refundable amount: 0.00 EUR")
	var net, tax int64
	_, o = d.stored(t)
	for _, r := range o.Refunds {
		net, tax = net+r.Split.Net, tax+r.Split.Tax
	}
	if net != 2400 || tax != 456 || d.made() != 2856 {
		t.Errorf("refunded %d + %d, %d at the provider", net, tax, d.made())
	}
}

// TestExpectedTotal: a buyer is charged the total that was shown, or nothing. A pending order with another total is superseded.
func TestExpectedTotal(t *testing.T) {
	d, rules := openRuledDesk(t)
	expect := func(total string) (string, error) {
		r := d.request("DE", "ada@example.com")
		r.Total = total
		return d.Service.Create(t.Context(), r, "", nil)
	}
	for _, wrong := range []string{"28.56", "34.510", "nonsense", "-34.51"} {
		if _, err := expect(wrong); err != orders.TotalChanged || len(d.sent) != 0 {
			t.Errorf("%s: %v, %d calls", wrong, err, len(d.sent))
		}
	}
	first, err := expect("34.51")
	if err != nil {
		t.Fatal(err)
	}
	rules.discount = checkout.Discount{Label: "Welcome", Minor: 500}
	for _, total := range []string{"", "34.51"} {
		if again, err := expect(total); err != nil || again != first {
			t.Errorf("%q again: %q, %v", total, again, err)
		}
	}
	second, err := expect("28.56")
	if err != nil || second == first {
		t.Fatalf("%q, %v", second, err)
	}
	if _, o := d.stored(t); len(o.Attempts) != 2 || o.Attempts[0].State != orders.Ended || o.Current().Placed.Quote.Assessment.Total != 2856 {
		t.Errorf("%+v", o.Attempts)
	}
	if _, err := expect("34.51"); err != orders.TotalChanged {
		t.Errorf("the old total: %v", err)
	}
	if again, err := expect("28.56"); err != nil || again != second {
		t.Errorf("after a refusal: %q, %v", again, err)
	}
}

// TestExpectedTotalOfUnknownOutcome: an attempt with another total is resolved and ended before the one that the buyer expects.
func TestExpectedTotalOfUnknownOutcome(t *testing.T) {
	d, rules := openRuledDesk(t)
	d.faults = []*psp.CallError{{Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}, {Class: psp.Unknown}}
	if _, err := d.order("DE"); err == nil {
		t.Fatal("the provider has failed")
	}
	d.faults, rules.discount = nil, checkout.Discount{Label: "Welcome", Minor: 500}
	r := d.request("DE", "ada@example.com")
	r.Total = "28.56"
	if _, err := d.Service.Create(t.Context(), r, "", nil); err != nil {
		t.Fatal(err)
	}
	if _, o := d.stored(t); len(o.Attempts) != 2 || o.Attempts[0].State != orders.Ended || o.Current().State != orders.Open || o.Current().Placed.Quote.Assessment.Total != 2856 {
		t.Errorf("%+v", o.Attempts)
	}
}
