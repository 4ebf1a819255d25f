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
	"github.com/crepe-checkout/crepe/edge/orders"
)

// requirements are what a buyer can expect of the hosted page. Every one is held by at least one test, here or in web/e2e,
// that names its id.
var requirements = map[string]string{
	"L1": "From 900 px two columns, the receipt first and staying in sight; below, one column with the receipt folded under its total.",
	"L2": "Amount, item, subtotal, tax with its place, and total are in sight at 1360×900; on a phone the total is, at the top and above the button.",
	"L3": "Until the tax is known every total is called a total before tax.",
	"L4": "A buyer whose details are known reads them as text with Edit, and is one click from paying.",
	"L5": "The e-mail address of a buyer whom the merchant knows by it cannot be changed.",
	"L6": "The button says what happens; a store can have other words for it in each language.",
	"F1": "The fields of a country come from the core alone.",
	"F2": "Browsers fill in the form: every field has its autocomplete token.",
	"F3": "Every field brings the keyboard that it needs, and none is zoomed into.",
	"F4": "A postcode selects its state, and one of another state is a warning, no error.",
	"F5": "Another country keeps what is still true, drops the state, and sends no hidden field.",
	"F6": "The list is of countries and regions, without flags.",
	"F7": "A VAT ID is read as people write it, and never called valid: nobody has asked its tax office.",
	"F8": "What may be left out says Optional; nothing has an asterisk.",
	"V1": "Nobody is corrected while typing; what is corrected is checked again with every key.",
	"V2": "What is missing is said when the form is sent, and not before.",
	"V3": "A failed form leads to its faults, in their order, in the same words, in the title too.",
	"V4": "A field refers to what is said about it while that is there.",
	"V5": "A slip in an address is offered to be mended, never mended, and does not hold anybody up.",
	"V6": "Without JavaScript the same faults are said, and what was typed stays.",
	"R1": "However often somebody clicks, one order.",
	"R2": "A busy button keeps its place and its focus.",
	"R3": "A page out of the browser's memory can be used.",
	"R4": "A failure says that nothing was charged, tries again by itself, counts down, and can be stopped.",
	"R5": "A refusal is not tried again; what has ended leads back to the merchant.",
	"R6": "One order has one key, over reloads and the way back; another order has another.",
	"R7": "Without a connection the page says so; what was typed survives a reload, in this tab alone.",
	"R8": "A session does not end on somebody who uses it, and warns two minutes before it ends on others.",
	"R9": "A buyer is sent to a known payment page or nowhere.",
	"A1": "axe finds nothing on any page in any state, at 1360, 390 and 320 px, in both themes and directions.",
	"A2": "The keyboard alone is enough to pay; the focus is seen wherever it is, and nothing is too small to be hit.",
	"A3": "Letters of twice the size, a window of 320 px, a system's own colours, no motion: nothing is lost.",
	"A4": "A new total is announced once, when the buyer has stopped typing.",
	"P1": "The page is there with 25 KB, and loads nothing from elsewhere.",
	"P2": "On slow 4G with a slow processor the form is there soon, stays where it is, and answers.",
	"P3": "Without JavaScript or WebAssembly, for whatever reason, the page still sells.",
	"P4": "Nobody keeps a page; everybody keeps its assets.",
	"S1": "A page runs our script and nothing else.",
	"T1": "Who sells, who takes the money, when it is taken, on what terms, and whom to ask: all said.",
}

func TestEveryRequirementIsHeld(t *testing.T) {
	scripts, _ := filepath.Glob("../../web/e2e/*.mjs")
	tests, _ := filepath.Glob("*_test.go")
	held := map[string]bool{}
	for _, name := range append(scripts, tests...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range regexp.MustCompile(`(?m)^\s*(?:test\(|//).*$`).FindAllString(string(text), -1) {
			for _, id := range regexp.MustCompile(`\b[A-Z]\d\b`).FindAllString(line, -1) {
				held[id] = true
			}
		}
	}
	for id, sentence := range requirements {
		if !held[id] {
			t.Errorf("no test names %s: %s", id, sentence)
		}
	}
}

// TestMarkup: F2, F3, F6, F8, which a browser reads in the page as it is sent.
func TestMarkup(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	page := string(s.get(pageURL).Body())
	for field, attributes := range map[string][]string{
		"email":        {`type="email"`, `inputmode="email"`, `autocomplete="email"`, `autocapitalize="none"`, `spellcheck="false"`},
		"country":      {`autocomplete="billing country"`},
		"state":        {`autocomplete="billing address-level1"`},
		"postcode":     {`autocomplete="billing postal-code"`, `autocapitalize="characters"`},
		"businessName": {`autocomplete="billing organization"`},
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
		{"US", " data-state data-digits"}, {"CA", " data-state"}, {"GB", " data-vat"}, {"HK", " data-no-postcode"},
		{"AE", " data-no-postcode"}, {"DE", " data-digits data-vat data-needs-vat"}, {"NL", " data-vat data-needs-vat"},
	} {
		if !strings.Contains(page, `<option value="`+c.country+`"`+c.marks+`>`) {
			t.Errorf("%s is not marked%s", c.country, c.marks)
		}
	}
	if labels := regexp.MustCompile(`<label [^>]*>[^<]*\*`).FindString(page); labels != "" {
		t.Errorf("an asterisk: %s", labels)
	}
	if strings.Count(page, `<span class="optional">Optional</span>`) != 2 || !strings.Contains(page, ">Country or region</label>") {
		t.Error("what may be left out, or what the list is of, is not said")
	}
	for _, r := range page {
		if 0x1f1e6 <= r && r <= 0x1f1ff {
			t.Fatal("a flag")
		}
	}
}

// TestReview: L4, decided by the server. What has a fault is not known.
func TestReview(t *testing.T) {
	for name, c := range map[string]struct {
		with   func(*orders.Session)
		review bool
	}{
		"nothing":              {func(*orders.Session) {}, false},
		"everything":           {german, true},
		"no address":           {func(s *orders.Session) { s.BuyerEmail = "ada@fieldnotes.example" }, false},
		"no e-mail":            {func(s *orders.Session) { ottawan(s); s.BuyerEmail = "" }, false},
		"a bad e-mail":         {func(s *orders.Session) { ottawan(s); s.BuyerEmail = "ada" }, false},
		"a state is lacking":   {func(s *orders.Session) { ottawan(s); s.Billing.State, s.Billing.Postcode = "", "" }, false},
		"the postcode says it": {func(s *orders.Session) { ottawan(s); s.Billing.State = "" }, true},
	} {
		s := openShop(t)
		s.offer(t, c.with)
		if page := string(s.get(pageURL).Body()); strings.Contains(page, `class="review"`) != c.review {
			t.Errorf("%s: review is %t", name, !c.review)
		}
	}
}

// TestButton: L6.
func TestButton(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *orders.Session) { session.Language = "de" })
	s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{Continue: map[string]string{"de": "Zahlungspflichtig bestellen"}}})
	expect(t, s.get(pageURL), fasthttp.StatusOK, "<button>Zahlungspflichtig bestellen</button>")
	s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{Continue: map[string]string{"fr": "Commander"}}})
	if strings.Contains(string(s.get(pageURL).Body()), "Commander") {
		t.Error("the words of another language")
	}
}

// TestTrust: T1. A link that a store does not have is not there.
func TestTrust(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	plain := string(s.get(pageURL).Body())
	if strings.Contains(plain, `href="mailto:`) || strings.Contains(plain, "By continuing") || strings.Contains(plain, `class="merchant"><a`) {
		t.Error("a link to nowhere")
	}
	s.decorate(t, decorated)
	expect(t, s.get(pageURL), fasthttp.StatusOK,
		`<a href="https://northline.example/?a=1&amp;b=2" title="Return to Northline">`, "Sold by Northline.",
		`<a href="https://northline.example/terms">terms of sale</a> and <a href="https://northline.example/refunds">refund policy</a>.`,
		`<a href="https://northline.example/privacy">`, `<a href="mailto:help@northline.example">Contact support</a>`,
		"secure page of Stripe", "You aren’t charged until you confirm there.")
	s.decorate(t, catalog.Store{Links: catalog.Links{Website: "javascript:alert(1)"}})
	if strings.Contains(string(s.get(pageURL).Body()), "javascript:") {
		t.Error("a link that runs")
	}
}

// TestLogo: a merchant's logo is shown from where it lies, by a policy that names that place and no other.
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

// TestDarkMode: the session's word before the store's, and the buyer's own where neither has one.
func TestDarkMode(t *testing.T) {
	for _, c := range []struct {
		session, store *bool
		want           string
	}{{nil, nil, ""}, {yes(), nil, "dark"}, {no(), yes(), "light"}, {nil, yes(), "dark"}, {nil, no(), "light"}} {
		s := openShop(t)
		s.offer(t, func(session *orders.Session) { session.DarkMode = c.session; session.Environment = checkout.Prod })
		s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{DarkMode: c.store}})
		_, theme, _ := strings.Cut(string(s.get(pageURL).Body()), ` data-theme="`)
		if theme, _, _ = strings.Cut(theme, `"`); len(theme) > 9 {
			theme = ""
		}
		if theme != c.want {
			t.Errorf("theme %q, not %q", theme, c.want)
		}
	}
}
