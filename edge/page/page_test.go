package page

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/web"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a page with testdata/<name>.html. It masks asset hashes and the script's messages, and leaves out the
// options that are not selected.
func golden(t *testing.T, name string, r *fasthttp.Response) {
	t.Helper()
	page := string(r.Body())
	page = regexp.MustCompile(`(checkout|receipt)-[0-9a-f]{16}`).ReplaceAllString(page, "$1-HASH")
	page = regexp.MustCompile(`"crepe [0-9a-f]{12}"`).ReplaceAllString(page, `"crepe RELEASE"`)
	page = regexp.MustCompile(`sha384-[^"]+`).ReplaceAllString(page, "sha384-DIGEST")
	page = regexp.MustCompile(`"texts":\{.*\}\}`).ReplaceAllString(page, `"texts":{}}`)
	page = regexp.MustCompile(`(?m)^<option value="[^"]+"( data-[a-z-]+(="[^"]*")?)*>.*\n`).ReplaceAllString(page, "")
	file := "testdata/" + name + ".html"
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if page != string(want) {
		t.Errorf("differs from %s:\n%s", file, page)
	}
}

func TestForm(t *testing.T) {
	for name, change := range map[string]func(*sessions.Session){"form": nil, "form-germany": german} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.offer(t, change)
			page := s.get(pageURL)
			expect(t, page, fasthttp.StatusOK)
			golden(t, name, page)
		})
	}
}

// TestTaxIncluded shows a price that includes the tax, in production and with the session's dark theme.
func TestTaxIncluded(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(s *sessions.Session) {
		ottawan(s)
		s.Terms.Inclusive, s.DarkMode, s.Environment = true, yes(), checkout.Prod
	})
	page := s.get(pageURL)
	expect(t, page, fasthttp.StatusOK, `data-theme="dark"`,
		`<dd id="subtotal">$114.16</dd>`, `<dt>HST <small>13% · Ontario</small></dt><dd>$14.84</dd>`,
		`<strong data-total>$129.00</strong>`, "Includes $14.84 tax", `"environment":"prod"`, `"taxIncluded":true`,
		"<dt>Province or territory</dt><dd>Ontario</dd>", "<dt>Postal code</dt><dd>K1A 0B1</dd>")
	if strings.Contains(string(page.Body()), `class="tag"`) {
		t.Error("a production page has the tag of a test")
	}
}

// TestPost orders without JavaScript: a plain form, and a redirect to the provider's page.
func TestPost(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	first := s.confirm(t, ottawa())
	expect(t, first, fasthttp.StatusSeeOther)
	location := string(first.Header.Peek("Location"))
	if !strings.HasPrefix(location, "http://127.0.0.1:8787/sandbox/test/pay/cs_test_") {
		t.Errorf("sent to %s", location)
	}
	if again := s.confirm(t, ottawa()); string(again.Header.Peek("Location")) != location {
		t.Error("the repeated form led to another payment page")
	}
	expect(t, s.get(pageURL), fasthttp.StatusOK,
		`value="ada@fieldnotes.example"`, `<option value="CA-ON" selected>`, "Total")
}

// TestPostHiddenFields: values of fields that the page hides are ignored. A plain form sends them; the script does not.
func TestPostHiddenFields(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	expect(t, s.confirm(t, url.Values{"email": {"ada@fieldnotes.example"}, "country": {"DE"}, "state": {"US-NY"},
		"businessName": {"Fieldnotes"}, "taxId": {"nonsense"}}), fasthttp.StatusSeeOther)
	stored, err := s.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	if b := stored.Billing; b.State != "" || b.BusinessName != "" || b.TaxID != "" || *b.IsBusiness {
		t.Errorf("ordered with %+v", b)
	}
}

// TestPostSelectsState: F4, without JavaScript. A postcode selects its state; another chosen state is accepted.
func TestPostSelectsState(t *testing.T) {
	for chosen, want := range map[string]string{"": "NY", "US-NY": "NY", "US-NJ": "NJ"} {
		s := openShop(t)
		s.offer(t, nil)
		expect(t, s.confirm(t, url.Values{"email": {"ada@fieldnotes.example"}, "country": {"US"}, "state": {chosen},
			"postcode": {"10012"}}), fasthttp.StatusSeeOther)
		stored, err := s.db.Session(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		if stored.Billing.State != want {
			t.Errorf("state %q with postcode 10012 is stored as %s, want %s", chosen, stored.Billing.State, want)
		}
	}
}

// TestPostAsTyped checks that full-width text is stored as ASCII, and that a postcode in an unknown format blocks no order.
func TestPostAsTyped(t *testing.T) {
	for _, c := range []struct {
		form          url.Values
		email, stored string
	}{
		{url.Values{"email": {"ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ"}, "country": {"JP"}, "postcode": {"〒１００－０００１"}}, "taro@example.co.jp", "100-0001"},
		{url.Values{"email": {"ada@fieldnotes.example"}, "country": {"CA"}, "state": {"CA-QC"}, "postcode": {"h2x-1y4"}}, "ada@fieldnotes.example", "H2X-1Y4"},
		{url.Values{"email": {"ada@fieldnotes.example"}, "country": {"US"}, "state": {"US-NY"}, "postcode": {"1001"}}, "ada@fieldnotes.example", "1001"},
	} {
		s := openShop(t)
		s.offer(t, nil)
		expect(t, s.confirm(t, c.form), fasthttp.StatusSeeOther)
		stored, err := s.db.Session(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		if stored.BuyerEmail != c.email || stored.Billing.Postcode != c.stored {
			t.Errorf("%v: ordered by %q in %q", c.form, stored.BuyerEmail, stored.Billing.Postcode)
		}
	}
}

// TestPostTaxIDAbroad checks that a business outside the European Union may give its tax ID, and that session and order keep it.
func TestPostTaxIDAbroad(t *testing.T) {
	for country, c := range map[string]struct{ state, typed, stored string }{
		"US": {"US-NY", "12-3456789", "12-3456789"},
		"AU": {"", "ABN 51 824 753 556", "51824753556"},
		"BR": {"", "12.345.678/0001-95", "12.345.678/0001-95"},
		"HK": {"", "", ""},
	} {
		s := openShop(t)
		s.offer(t, nil)
		order := s.orderBy(t, url.Values{"email": {"ada@fieldnotes.example"}, "country": {country}, "state": {c.state}, "isBusiness": {"on"},
			"businessName": {"Fieldnotes"}, "taxId": {c.typed}})
		stored, err := s.db.Session(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		if of := order.Sold().Billing; stored.Billing.TaxID != c.stored || of.TaxID != c.stored || of.TaxIDChecked != (country == "AU") {
			t.Errorf("%s: the session has %q, the order %q, checked: %t", country, stored.Billing.TaxID, of.TaxID, of.TaxIDChecked)
		}
	}
}

func TestPostRefused(t *testing.T) {
	business := ottawa()
	business.Del("state")
	business.Set("email", `"><script>alert(1)</script>`)
	business.Set("postcode", "K1A")
	business.Set("isBusiness", "on")
	german := url.Values{"email": {"ada@fieldnotes.example"}, "country": {"DE"}, "isBusiness": {"on"},
		"businessName": {"Fieldnotes"}, "taxId": {"DE136695970"}}
	for name, c := range map[string]struct {
		form  url.Values
		parts []string
	}{
		"refused-business": {business, nil}, // a golden file
		"empty": {url.Values{}, []string{"<h2>Check 2 details to continue</h2><ul><li><a href=\"#email\" target=\"_self\">Enter your email</a></li>" +
			"<li><a href=\"#country\" target=\"_self\">Select your country or region</a></li></ul>",
			`required aria-invalid="true" aria-describedby="email-error">`, `<p class="error" id="country-error">Select your country or region</p>`}},
		"VAT ID": {german, []string{"<h2>Check one detail to continue</h2>", `maxlength="40" aria-invalid="true" aria-describedby="taxId-error">`,
			`<p class="error" id="taxId-error">Check the VAT ID: it is not one of the country you chose</p>`, `value="DE136695970"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.offer(t, nil)
			page := s.post(pageURL, c.form)
			expect(t, page, fasthttp.StatusBadRequest, append(c.parts, "<title>Error: Checkout")...)
			if c.parts == nil {
				golden(t, name, page)
			}
			stored, err := s.db.Session(t.Context(), session)
			if err != nil || stored.OrderID != "" || stored.Billing != nil {
				t.Errorf("a refused form was stored: %+v, %v", stored, err)
			}
		})
	}
}

// TestPostWithoutProvider: if the order cannot be created, the form stays filled and says that nothing was charged.
func TestPostWithoutProvider(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.Environment = checkout.Prod })
	page := s.confirm(t, ottawa())
	expect(t, page, fasthttp.StatusServiceUnavailable, "You haven’t been charged. Try again.", "Ada@Fieldnotes.example")
	golden(t, "failed", page)
}

// Q1: TestPostInQueue: a buyer whose turn is later gets the filled form with the time until then, and its button again.
func TestPostInQueue(t *testing.T) {
	s := openShop(t)
	s.now = time.Now() // as the limiter's
	s.offer(t, nil)
	limiter := limit.New(s.adapter, limit.Limits{Rate: 0.05})
	if held := limiter.For("", "", "another").Reserve(s.now); held != nil {
		t.Fatal(held)
	}
	s.config.Orders = orders.New(orders.Config{Store: s.db, Providers: map[checkout.Environment]orders.Provider{"test": orders.Limited(limiter)},
		Now: func() time.Time { return s.now }, Rand: rand.NewChaCha8([32]byte{}), Log: slog.New(slog.DiscardHandler)})
	form := ottawa()
	page := s.confirm(t, form)
	expect(t, page, fasthttp.StatusServiceUnavailable, "<h2>Many people are buying right now</h2><p>You haven’t been charged and your details are safe.</p>"+
		"<p>Your turn is in about 20 s. Press the button again then.</p>", "Ada@Fieldnotes.example", fmt.Sprintf(`<button name="confirm" value="%s">Continue to payment</button>`, form.Get("confirm")))
	if after := string(page.Header.Peek("Retry-After")); after != "20" {
		t.Errorf("Retry-After is %s", after)
	}
	s.config.Orders = s.orders
	expect(t, s.post(pageURL, form), fasthttp.StatusSeeOther)
}

func TestStatus(t *testing.T) {
	for status, c := range map[string]struct {
		kind  psp.EventKind
		paid  bool
		waits bool // for the payment, and refreshes
		form  bool // the checkout page still has one
		title string
		text  string
	}{
		"pending":    {psp.EventDeclined, false, true, true, "Waiting for your payment", "as soon as the payment is confirmed"},
		"processing": {psp.EventCompleted, false, true, false, "Your payment is on its way", "You don’t need to do anything."},
		"paid":       {psp.EventCompleted, true, false, false, "Thank you. Your order is complete.", "Your payment to Northline is confirmed."},
		"canceled":   {psp.EventExpired, false, false, false, "This order was canceled", "You haven’t been charged."},
	} {
		t.Run(status, func(t *testing.T) {
			s := openShop(t)
			s.offer(t, nil)
			s.report(t, s.order(t), c.kind, c.paid)
			page := s.get(pageURL + "/complete")
			expect(t, page, fasthttp.StatusOK, `data-standing="`+status+`"`, "<h1>"+c.title+"</h1>", c.text, "$145.77")
			body := string(page.Body())
			if refreshes := strings.Contains(body, `<noscript><meta http-equiv="refresh" content="3">`); refreshes != c.waits {
				t.Errorf("refreshes: %t", refreshes)
			}
			if back := strings.Contains(body, "Back to checkout"); back != c.form {
				t.Errorf("leads back to the form: %t", back)
			}
			if form := strings.Contains(string(s.get(pageURL).Body()), "<form"); form != c.form {
				t.Errorf("shows the form: %t", form)
			}
			if status == "pending" {
				golden(t, "status-pending", page)
			}
		})
	}
}

// TestStatusOfDecoratedStore shows a paid order in a store with a look, links and a page to return to.
func TestStatusOfDecoratedStore(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.SuccessURL = "https://northline.example/thanks?a=1&b=2" })
	s.decorate(t, decorated)
	s.report(t, s.order(t), psp.EventCompleted, true)
	page := s.get(pageURL + "/complete")
	expect(t, page, fasthttp.StatusOK, `href="https://northline.example/thanks?a=1&amp;b=2"`, "Return to Northline")
	golden(t, "status-paid", page)
}

// TestStatusWithoutOrder: without an order the status page redirects to the form.
func TestStatusWithoutOrder(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	page := s.get(pageURL + "/complete")
	expect(t, page, fasthttp.StatusSeeOther)
	if location := string(page.Header.Peek("Location")); !strings.HasSuffix(location, pageURL) {
		t.Errorf("sent to %s", location)
	}
}

// TestUnusable checks the pages of a wrong link, of a session that cannot be ordered from, and of an expired session.
func TestUnusable(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.Product.Type = checkout.Subscription })
	golden(t, "unknown", s.get(pageURL+"x"))
	expect(t, s.get(pageURL), fasthttp.StatusBadRequest, `<p class="badge broken"`, "<h1>This checkout can’t be used</h1>",
		"<p>Something is wrong with this checkout link. Contact Northline.</p>")
	s.now = s.now.Add(45 * time.Minute)
	s.decorate(t, decorated)
	golden(t, "expired", s.get(pageURL))
	expect(t, s.get(pageURL), fasthttp.StatusGone, "This checkout has expired")
	expect(t, s.post(pageURL, ottawa()), fasthttp.StatusGone)
}

func TestPaths(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", pageURL, fasthttp.StatusOK},
		{"HEAD", pageURL, fasthttp.StatusOK},
		{"GET", pageURL + "?utm_source=x", fasthttp.StatusOK},
		{"GET", pageURL + "/", fasthttp.StatusNotFound},
		{"GET", pageURL + "/complete/", fasthttp.StatusNotFound},
		{"GET", pageURL + "/other", fasthttp.StatusNotFound},
		{"POST", pageURL + "/complete", fasthttp.StatusMethodNotAllowed},
		{"PUT", pageURL, fasthttp.StatusMethodNotAllowed},
		{"GET", "/store/" + slug + "/checkout/", fasthttp.StatusNotFound},
		{"GET", "/store/another/checkout/" + session, fasthttp.StatusNotFound},
		{"GET", "/store//checkout/" + session, fasthttp.StatusNotFound},
		{"GET", "/store/" + slug + "/checkout/cs_00000000-0000-4000-8000-000000000000", fasthttp.StatusNotFound},
		{"GET", "/favicon.ico", fasthttp.StatusNotFound},
		{"GET", "/", fasthttp.StatusNotFound},
		{"GET", web.Named("checkout.js").URL, fasthttp.StatusOK},
		{"POST", web.Named("checkout.js").URL, fasthttp.StatusMethodNotAllowed},
		{"GET", "/assets/checkout-0000000000000000.js", fasthttp.StatusNotFound},
	} {
		if got := s.do(c.method, c.path, nil).StatusCode(); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got, c.want)
		}
	}
}

// TestForeignSession: a session is not found under another store's slug.
func TestForeignSession(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) { session.StoreID = "STO_another" })
	expect(t, s.get(pageURL), fasthttp.StatusNotFound)
	expect(t, s.post(pageURL, ottawa()), fasthttp.StatusNotFound)
	expect(t, s.get(pageURL+"/complete"), fasthttp.StatusNotFound)
}
