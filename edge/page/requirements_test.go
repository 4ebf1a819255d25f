package page

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// requirements are what a buyer can expect of the hosted page. At least one test here or in web/e2e names each id.
var requirements = map[string]string{
	"L1": "From 900 px the page has two columns, the receipt first and sticky; below, one column with the receipt folded under its total.",
	"L2": "Amount, item, subtotal, tax with its territory and total are above the fold at 1360×900; on a phone the total is at the top and above the button.",
	"L3": "Until the tax is known, every total is labelled as before tax.",
	"L4": "A buyer whose details are known sees them as text with Edit, and pays with one click.",
	"L5": "An e-mail address that the session token fixes cannot be changed.",
	"L6": "The button says what happens; a store can set its label for each language.",
	"F1": "The fields of each country come from the core.",
	"F2": "Every field has its autocomplete token.",
	"F3": "Every field opens the keyboard that it needs, and iOS zooms into none.",
	"F4": "A postcode selects its state; a different state gets a warning, not an error.",
	"F5": "A change of country keeps the fields that still apply, clears the state, and submits no hidden field.",
	"F6": "The list has countries and regions, without flags.",
	"F7": "A VAT ID is accepted in any common notation, and never called valid, because no tax office has confirmed it.",
	"F8": "Optional fields say so; no label has an asterisk.",
	"F9": "Autofill at any field fills all of them; a value counts, whichever events report it.",
	"V1": "No error appears while typing; an error that is shown is rechecked with every key.",
	"V2": "Missing values are reported on submit only.",
	"V3": "A refused form lists its errors in page order with links to the fields, and says so in the title.",
	"V4": "A field refers to its message while the message is shown.",
	"V5": "A typing error in an address gets a suggestion; it is never corrected automatically, and blocks nothing.",
	"V6": "Without JavaScript the same errors appear, and the form keeps its values.",
	"V7": "An order is created only for the total that the page showed when the buyer continued.",
	"V8": "What a store's own rules take off or refuse is shown while the buyer types, and again when the server decides.",
	"R1": "Repeated clicks create one order.",
	"R2": "A busy button keeps its position and its focus.",
	"R3": "A page restored from the back/forward cache is usable.",
	"R4": "A failure says that nothing was charged, retries with a countdown, and can be stopped.",
	"R5": "A refusal is not retried; a final one leads back to the merchant.",
	"R6": "An order keeps its idempotency key over reloads and the way back; another order has another key.",
	"R7": "The page says when it is offline; the form survives a reload, in this tab only.",
	"R8": "A session does not expire while it is used; otherwise the page warns two minutes before.",
	"R9": "The page redirects to known payment pages only.",
	"Q1": "A buyer who has to wait for others is told how long and that nothing was charged, keeps a usable page, and continues by itself.",
	"A1": "axe reports no violation on any page in any state, at 1360, 390 and 320 px, in both themes and directions.",
	"A2": "The keyboard alone is enough to pay; the focus is always visible, and no target is too small.",
	"A3": "Nothing is lost with text at twice the size, at 320 px, with forced colours or with reduced motion.",
	"A4": "A new total is announced once, when the buyer has stopped typing.",
	"A5": "No text is cut off and no page scrolls sideways, in any language, from 320 to 1360 px, with the states of any country.",
	"P1": "The page needs 25 KB, and nothing from other origins.",
	"P2": "On slow 4G with a slow processor the form loads soon, does not shift, and is responsive.",
	"P3": "Without JavaScript or WebAssembly the page still sells.",
	"P4": "Pages are never cached, except that the browser keeps the answer to a posted form for the way back; their assets always are.",
	"S1": "A page runs only this server's scripts.",
	"T1": "The page names the seller, the payment provider, the time of payment, the terms and the support.",
}

func TestEveryRequirementIsTested(t *testing.T) {
	scripts, _ := filepath.Glob("../../web/e2e/*.mjs")
	tests, _ := filepath.Glob("*_test.go")
	tested := map[string]bool{}
	for _, name := range append(scripts, tests...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^\s*(?:test\(|//).*$`).FindAllString(string(text), -1) {
			for _, id := range regexp.MustCompile(`\b[A-Z]\d\b`).FindAllString(line, -1) {
				tested[id] = true
			}
		}
	}
	for id, sentence := range requirements {
		if !tested[id] {
			t.Errorf("no test names %s: %s", id, sentence)
		}
	}
}

// TestMarkup: F2, F3, F6, F8 in the HTML that the server sends.
func TestMarkup(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	page := string(s.get(pageURL).Body())
	for field, attributes := range map[string][]string{
		"email":        {`type="email"`, `inputmode="email"`, `autocomplete="billing email"`, `autocapitalize="none"`, `spellcheck="false"`},
		"country":      {`autocomplete="billing country"`},
		"state":        {`autocomplete="billing address-level1"`},
		"postcode":     {`autocomplete="billing postal-code"`, `autocapitalize="characters"`},
		"businessName": {`autocomplete="billing organization"`},
		"street":       {`autocomplete="billing address-line1"`},
		"city":         {`autocomplete="billing address-level2"`},
		"taxId":        {`autocomplete="off"`, `autocapitalize="characters"`, `spellcheck="false"`},
	} {
		tag := regexp.MustCompile(`<(?:input|select) id="` + field + `"[^>]*>`).FindString(page)
		for _, attribute := range append(attributes, `name="`+field+`"`) {
			if !strings.Contains(tag, attribute) {
				t.Errorf("%s lacks %s", tag, attribute)
			}
		}
	}
	for _, c := range []struct{ country, marks string }{
		{"US", ` data-state data-digits data-tax-id="EIN"`}, {"CA", ` data-state data-tax-id="BN"`}, {"GB", " data-vat"}, {"MC", " data-digits data-vat"}, {"HK", " data-no-postcode"},
		{"AE", ` data-no-postcode data-tax-id="TRN"`}, {"JP", ` data-tax-id="Registration number"`}, {"DE", " data-digits data-vat data-needs-vat"}, {"NL", " data-vat data-needs-vat"},
	} {
		if !strings.Contains(page, `<option value="`+c.country+`"`+c.marks+`>`) {
			t.Errorf("%s lacks%s", c.country, c.marks)
		}
	}
	if labels := regexp.MustCompile(`<label [^>]*>[^<]*\*`).FindString(page); labels != "" {
		t.Errorf("a label has an asterisk: %s", labels)
	}
	if strings.Count(page, `<span class="optional">Optional</span>`) != 4 || !strings.Contains(page, ">Country or region</label>") {
		t.Error("the marks of optional fields or the label of the list are missing")
	}
	for _, r := range page {
		if 0x1f1e6 <= r && r <= 0x1f1ff {
			t.Fatal("the page has a flag")
		}
	}
}

// TestReview: L4. The page has a review only if all details are valid.
func TestReview(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sessions.Session)
		review bool
	}{
		"nothing":           {func(*sessions.Session) {}, false},
		"everything":        {german, true},
		"no address":        {func(s *sessions.Session) { s.BuyerEmail = "ada@fieldnotes.example" }, false},
		"no e-mail":         {func(s *sessions.Session) { ottawan(s); s.BuyerEmail = "" }, false},
		"a bad e-mail":      {func(s *sessions.Session) { ottawan(s); s.BuyerEmail = "ada" }, false},
		"no state":          {func(s *sessions.Session) { ottawan(s); s.Billing.State, s.Billing.Postcode = "", "" }, false},
		"state by postcode": {func(s *sessions.Session) { ottawan(s); s.Billing.State = "" }, true},
	} {
		s := openShop(t)
		s.offer(t, c.change)
		if page := string(s.get(pageURL).Body()); strings.Contains(page, `class="review"`) != c.review {
			t.Errorf("%s: review is %t, want %t", name, !c.review, c.review)
		}
	}
}

// TestButton: L6.
func TestButton(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.Language = "de" })
	s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{Continue: map[string]string{"de": "Zahlungspflichtig bestellen"}}})
	expect(t, s.get(pageURL), fasthttp.StatusOK, "<button>Zahlungspflichtig bestellen</button>")
	s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{Continue: map[string]string{"fr": "Commander"}}})
	if strings.Contains(string(s.get(pageURL).Body()), "Commander") {
		t.Error("the label of another language")
	}
}

// TestTrust: T1. The page has no link that the store has not set.
func TestTrust(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	plain := string(s.get(pageURL).Body())
	if strings.Contains(plain, `href="mailto:`) || strings.Contains(plain, "By continuing") || strings.Contains(plain, `class="merchant"><a`) {
		t.Error("the page has an empty link")
	}
	s.decorate(t, decorated)
	expect(t, s.get(pageURL), fasthttp.StatusOK,
		`<a href="https://northline.example/?a=1&amp;b=2" title="Return to Northline">`, "Sold by Northline.",
		`<a href="https://northline.example/terms">terms of sale</a> and <a href="https://northline.example/refunds">refund policy</a>.`,
		`<a href="https://northline.example/privacy">`, `<a href="mailto:help@northline.example">Contact support</a>`,
		"secure page of Stripe", "You aren’t charged until you confirm there.")
	s.decorate(t, catalog.Store{Links: catalog.Links{Website: "javascript:alert(1)"}})
	if strings.Contains(string(s.get(pageURL).Body()), "javascript:") {
		t.Error("the page has a javascript: link")
	}
}

// TestLogo checks that the policy allows the origins of the store's logos and no others.
func TestLogo(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	s.decorate(t, catalog.Store{Logo: "https://cdn.northline.example/logo.png",
		Checkout: catalog.CheckoutSettings{Dark: catalog.Theme{Logo: "https://dark.northline.example/logo.png"}}})
	page := s.get(pageURL)
	expect(t, page, fasthttp.StatusOK, `<source srcset="https://dark.northline.example/logo.png" media="(prefers-color-scheme: dark)">`,
		`src="https://cdn.northline.example/logo.png" alt="" width="28" height="28">`)
	if policy := string(page.Header.Peek("Content-Security-Policy")); !strings.Contains(policy,
		"img-src 'self' data: https://cdn.northline.example https://dark.northline.example; ") {
		t.Error(policy)
	}
	s.decorate(t, catalog.Store{Logo: "http://cdn.northline.example/logo.png; script-src *"})
	if policy := string(s.get(pageURL).Header.Peek("Content-Security-Policy")); strings.Contains(policy, "northline") {
		t.Error(policy)
	}
}

// TestDarkMode: the session's setting overrides the store's; without both the page follows the buyer's system.
func TestDarkMode(t *testing.T) {
	for _, c := range []struct {
		session, store *bool
		want           string
	}{{nil, nil, ""}, {yes(), nil, "dark"}, {no(), yes(), "light"}, {nil, yes(), "dark"}, {nil, no(), "light"}} {
		s := openShop(t)
		s.offer(t, func(session *sessions.Session) { session.DarkMode = c.session; session.Environment = checkout.Prod })
		s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{DarkMode: c.store}})
		_, theme, _ := strings.Cut(string(s.get(pageURL).Body()), ` data-theme="`)
		if theme, _, _ = strings.Cut(theme, `"`); len(theme) > 9 {
			theme = ""
		}
		if theme != c.want {
			t.Errorf("theme %q, want %q", theme, c.want)
		}
	}
}
