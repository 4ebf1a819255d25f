package checkout

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

const (
	testNow   = 1795400000000 // 2026-11-23
	sessionID = "cs_550e8400-e29b-41d4-a716-446655440000"
)

func no() *bool { b := false; return &b }

func goodSession() *Session {
	return &Session{
		ID: sessionID, Environment: Test, StoreID: "STO_1", ExpiresAt: testNow + 1000,
		Product: Product{ID: "PROD_1", Type: OneTime, Name: "A thing"},
		Terms: Terms{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Step: 1,
			Seller: tax.Seller{Country: "HK", Everywhere: true}},
	}
}

func goodRequest() *Request {
	return &Request{
		Caller: Caller{Environment: Test, StoreID: "STO_1"}, SessionID: sessionID, BuyerEmail: " Ada@Example.COM ",
		Billing: &billing.Input{Country: "DE", IsBusiness: no()}, BuyerIP: "192.0.2.1", SuccessURL: "https://shop.example/thanks",
	}
}

func TestPlace(t *testing.T) {
	o, refused := Place(goodSession(), goodRequest(), testNow)
	if refused != nil {
		t.Fatal(refused)
	}
	a := o.Quote.Assessment
	if a.Subtotal != 2900 || a.Tax != 551 || a.Total != 3451 || o.Quote.On.String() != "2026-11-23" {
		t.Errorf("29.00 EUR to Germany on %s is %d + %d = %d", o.Quote.On, a.Subtotal, a.Tax, a.Total)
	}
	if o.BuyerEmail != "ada@example.com" || o.SuccessURL != "https://shop.example/thanks" || o.PlacedAt != testNow {
		t.Errorf("the order froze %+v", o)
	}
}

// TestPlaceWithOwnRates checks that the operator's rates decide and that the quote's data version includes theirs.
func TestPlaceWithOwnRates(t *testing.T) {
	rates, wrong := table.Parse("id\tjurisdiction\ttax\tpostcode\trate\nlocal-10\tDE\tvat\t10\t10\n")
	if wrong != nil {
		t.Fatal(wrong)
	}
	for _, c := range []struct {
		rates    *table.Table
		postcode string
		tax      int64
		version  string
	}{
		{nil, "10115", 551, table.DataVersion},
		{&rates, "20095", 551, table.DataVersion + "+" + rates.Version()},
		{&rates, "10115", 290, table.DataVersion + "+" + rates.Version()},
	} {
		r := goodRequest()
		r.Rates, r.Billing.Postcode = c.rates, c.postcode
		o, refused := Place(goodSession(), r, testNow)
		if refused != nil {
			t.Fatal(refused)
		}
		if q := &o.Quote; q.Assessment.Tax != c.tax || q.DataVersion != c.version {
			t.Errorf("in %s the tax is %d by %q, not %d by %q", c.postcode, q.Assessment.Tax, q.DataVersion, c.tax, c.version)
		}
	}
}

// TestPlaceRefusesInOrder starts with a request that breaks every rule and repairs it in the published order. After each
// repair the next refusal must follow.
func TestPlaceRefusesInOrder(t *testing.T) {
	s := goodSession()
	s.Closed, s.StoreID, s.Product.Type, s.Environment = true, "STO_2", Subscription, Prod
	r := goodRequest()
	r.SessionID, r.Billing, r.BuyerEmail, r.BuyerIP, r.SuccessURL = "", nil, "", "1.2.3", "javascript:alert(1)"
	steps := []struct {
		want   string
		repair func()
	}{
		{"Missing required field: checkoutSessionId", func() { r.SessionID, r.Caller.SessionID = sessionID, "cs_other" }},
		{"Authentication failed", func() { r.Caller.SessionID = "" }},
		{"Checkout session invalid, please re-enter checkout", func() { s.Closed, s.ExpiresAt = false, testNow }},
		{"Checkout session invalid, please re-enter checkout", func() { s.ExpiresAt++ }},
		{"Session does not belong to this store", func() { s.StoreID = "STO_1" }},
		{"Session product type mismatch: expected onetime", func() { s.Product.Type = OneTime }},
		{"Environment mismatch between request and session", func() { s.Environment = Test }},
		{"Missing billingDetail: provide in request body or pre-fill in checkout session", func() { r.Billing = &billing.Input{Country: "US", IsBusiness: no()} }},
		{"State is required for US/CA", func() { r.Billing.State = "CA" }},
		{"Missing buyerEmail: provide in request body or pre-fill in checkout session", func() { r.BuyerEmail = "ada@example" }},
		{"Invalid buyerEmail", func() { r.BuyerEmail = "ada@example.com" }},
		{"Invalid buyerIp", func() { r.BuyerIP = "2001:db8::1" }},
		{"Invalid successUrl", func() { r.SuccessURL = "" }},
	}
	if _, refused := Place(nil, r, testNow); refused.Error() != steps[0].want {
		t.Errorf("no session: %v", refused)
	}
	for _, step := range steps {
		_, refused := Place(s, r, testNow)
		if refused.Error() != step.want {
			t.Fatalf("got %q, want %q", refused.Error(), step.want)
		}
		step.repair()
	}
	if _, refused := Place(s, r, testNow); refused != nil {
		t.Fatalf("all repaired, still %v", refused)
	}
	if _, refused := Place(nil, r, testNow); refused.Error() != "Checkout session invalid, please re-enter checkout" {
		t.Errorf("no session: %v", refused)
	}
}

func TestPlacePrefersTheRequest(t *testing.T) {
	prefilled := func() *Session {
		s := goodSession()
		s.Billing = &billing.Input{Country: "FR", IsBusiness: no()}
		s.BuyerEmail, s.SuccessURL = "session@example.com", "https://session.example/"
		return s
	}
	for _, c := range []struct {
		name                    string
		change                  func(*Request)
		email, country, success string
	}{
		{"the request's own", func(*Request) {}, "ada@example.com", "DE", "https://shop.example/thanks"},
		{"the session's", func(r *Request) { r.Billing, r.BuyerEmail, r.SuccessURL = nil, "  ", "" }, "session@example.com", "FR", "https://session.example/"},
		{"an identity that is an address", func(r *Request) { r.Caller.Identity = "Bob@Example.com" }, "bob@example.com", "DE", "https://shop.example/thanks"},
		{"and then a bad one does not matter", func(r *Request) { r.Caller.Identity, r.BuyerEmail = "bob@example.com", "nonsense" },
			"bob@example.com", "DE", "https://shop.example/thanks"},
		{"an identity that is none", func(r *Request) { r.Caller.Identity = "user-17" }, "ada@example.com", "DE", "https://shop.example/thanks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := goodRequest()
			c.change(r)
			o, refused := Place(prefilled(), r, testNow)
			if refused != nil {
				t.Fatal(refused)
			}
			if o.BuyerEmail != c.email || string(o.Billing.Country) != c.country || o.SuccessURL != c.success || o.BuyerIdentity != r.Caller.Identity {
				t.Errorf("got %q, %s, %q, identity %q", o.BuyerEmail, o.Billing.Country, o.SuccessURL, o.BuyerIdentity)
			}
		})
	}
}

func TestValidReturnURL(t *testing.T) {
	for _, c := range []struct {
		url        string
		prod, test bool
	}{
		{"https://example.com", true, true},
		{"https://example.com/thank-you?order={CHECKOUT_SESSION_ID}#top", true, true},
		{"https://xn--e1afmkfd.example:443/", true, true},
		{"HTTPS://Example.COM/Thanks", true, true},
		{"https://example.com/sale/50%off?x=%zz", true, true},
		{"https://example.com:8443/", true, true},
		{"https://example.com:80/", true, true},
		{"https://192.0.2.1/x", true, true},
		{"https://192.0.2.1:443/x", true, true},
		{"https://127.1/x", true, true},
		{"https://2130706433/x", true, true},
		{"https://0x7f.0x1/x", true, true},
		{"https://[2001:db8::1]:443/x", true, true},
		{"https://[::ffff:192.0.2.1]/x", true, true},
		{"https://example.com/danke-schön", true, true},
		{"http://localhost:3000/done", false, true},
		{"http://127.0.0.1/done", false, true},
		{"http://[::1]:8080/", false, true},
		{"HTTP://LocalHost:3000/", false, true},
		{"http://shop.localhost:3000/done", false, true},
		{"http://localhost.example.com/", false, false},
		{"http://notlocalhost/", false, false},
		{"http://127.0.0.1.example.com/", false, false},
		{"ftp://localhost/", false, false},
		{"https://example.com/" + strings.Repeat("a", 2028), true, true},
		{"https://example.com/" + strings.Repeat("a", 2029), false, false},
		{"https://example.com/" + strings.Repeat("%20", 676), true, true},
		{"http://example.com/", false, false},
		{"https:example.com", false, false},
		{"//example.com", false, false},
		{"https://", false, false},
		{"https://exaмple.com/", false, false},
		{"https://good.com。evil.com/", false, false},
		{"https://user@example.com/", false, false},
		{"https://user:pw@example.com/", false, false},
		{"https://example.com\\@evil.com/", false, false},
		{"https://example.com/a b", false, false},
		{"https://example.com/\r\nX: y", false, false},
		{"https://example.com:0/", false, false},
		{"https://example.com:99999/", false, false},
		{"https://-example.com/", false, false},
		{"https://example..com/", false, false},
		{"https://[::1", false, false},
		{"https://[::1]x/", false, false},
		{"javascript:alert(1)", false, false},
		{"data:text/html,x", false, false},
		{" https://example.com", false, false},
		{"https://example.com/\u202e", false, false},
		{"https://example.com/\xff", false, false},
	} {
		if got := ValidReturnURL(c.url, Prod); got != c.prod {
			t.Errorf("%q in prod: %t", c.url, got)
		}
		if got := ValidReturnURL(c.url, Test); got != c.test {
			t.Errorf("%q in test: %t", c.url, got)
		}
	}
}
