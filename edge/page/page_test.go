package page

import (
	"flag"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a page with a file of testdata, but for what changes with the assets, the sentences for the script, and
// what was not chosen from the lists.
func golden(t *testing.T, name string, r *fasthttp.Response) {
	t.Helper()
	page := string(r.Body())
	page = regexp.MustCompile(`checkout-[0-9a-f]{16}`).ReplaceAllString(page, "checkout-HASH")
	page = regexp.MustCompile(`sha384-[^"]+`).ReplaceAllString(page, "sha384-DIGEST")
	page = regexp.MustCompile(`"texts":\{.*\}\}`).ReplaceAllString(page, `"texts":{}}`)
	page = regexp.MustCompile(`(?m)^<option value="[^"]+"( data-[a-z-]+)*>.*\n`).ReplaceAllString(page, "")
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
	for name, with := range map[string]func(*orders.Session){
		"form": nil, "form-germany": german, "form-ottawa": ottawan,
		"form-dark-included": func(s *orders.Session) {
			ottawan(s)
			s.Terms.Inclusive, s.DarkMode, s.Environment = true, yes(), checkout.Prod
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.offer(t, with)
			page := s.get(pageURL)
			expect(t, page, fasthttp.StatusOK)
			golden(t, name, page)
		})
	}
}

// TestPost goes the way without JavaScript: a plain form, and a redirect to the provider's page.
func TestPost(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	first := s.post(pageURL, ottawa())
	expect(t, first, fasthttp.StatusSeeOther)
	location := string(first.Header.Peek("Location"))
	if !strings.HasPrefix(location, "http://127.0.0.1:8787/sandbox/test/pay/cs_test_") {
		t.Errorf("sent to %s", location)
	}
	if again := s.post(pageURL, ottawa()); string(again.Header.Peek("Location")) != location {
		t.Error("the same form again led to another payment page")
	}
	expect(t, s.get(pageURL), fasthttp.StatusOK,
		`value="ada@fieldnotes.example"`, `<option value="CA-ON" selected>`, "Total due today")
}

// TestPostLeavesOut what the buyer cannot see: the script does not send it, a plain form does.
func TestPostLeavesOut(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	expect(t, s.post(pageURL, url.Values{"email": {"ada@fieldnotes.example"}, "country": {"DE"}, "state": {"US-NY"},
		"businessName": {"Fieldnotes"}, "taxId": {"nonsense"}}), fasthttp.StatusSeeOther)
	stored, err := s.orders.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	if b := stored.Billing; b.State != "" || b.BusinessName != "" || b.TaxID != "" || *b.IsBusiness {
		t.Errorf("ordered with %+v", b)
	}
}

// TestPostPlaces: F4, without JavaScript. A postcode says which state is meant, and who chooses another is not refused.
func TestPostPlaces(t *testing.T) {
	for chosen, want := range map[string]string{"": "NY", "US-NY": "NY", "US-NJ": "NJ"} {
		s := openShop(t)
		s.offer(t, nil)
		expect(t, s.post(pageURL, url.Values{"email": {"ada@fieldnotes.example"}, "country": {"US"}, "state": {chosen},
			"postcode": {"10012"}}), fasthttp.StatusSeeOther)
		stored, err := s.orders.Session(t.Context(), session)
		if err != nil {
			t.Fatal(err)
		}
		if stored.Billing.State != want {
			t.Errorf("%q and 10012 are %s, not %s", chosen, stored.Billing.State, want)
		}
	}
}

func TestPostRefused(t *testing.T) {
	business := ottawa()
	business.Del("state")
	business.Set("email", `"><script>alert(1)</script>`)
	business.Set("postcode", "K1A")
	business.Set("isBusiness", "on")
	for name, form := range map[string]url.Values{
		"refused-empty":    {},
		"refused-business": business,
		"refused-vat": {"email": {"ada@fieldnotes.example"}, "country": {"DE"}, "isBusiness": {"on"},
			"businessName": {"Fieldnotes"}, "taxId": {"DE136695970"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openShop(t)
			s.offer(t, nil)
			page := s.post(pageURL, form)
			expect(t, page, fasthttp.StatusBadRequest, "<title>Error: Checkout")
			golden(t, name, page)
			stored, err := s.orders.Session(t.Context(), session)
			if err != nil || stored.OrderID != "" || stored.Billing != nil {
				t.Errorf("something was written: %+v, %v", stored, err)
			}
		})
	}
}

// TestPostWithoutProvider: an order that cannot be placed leaves the buyer with the filled form and no doubt about money.
func TestPostWithoutProvider(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *orders.Session) { session.Environment = checkout.Prod })
	page := s.post(pageURL, ottawa())
	expect(t, page, fasthttp.StatusServiceUnavailable, "You haven’t been charged. Try again.", "Ada@Fieldnotes.example")
	golden(t, "failed", page)
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		name    string
		kind    orders.EventKind
		paid    bool
		refresh bool
	}{
		{"status-pending", orders.EventDeclined, false, true},
		{"status-processing", orders.EventCompleted, false, true},
		{"status-paid", orders.EventCompleted, true, false},
		{"status-canceled", orders.EventExpired, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openShop(t)
			s.offer(t, nil)
			s.report(t, s.order(t), c.kind, c.paid)
			page := s.get(pageURL + "/complete")
			expect(t, page, fasthttp.StatusOK)
			golden(t, c.name, page)
			if refreshes := strings.Contains(string(page.Body()), `http-equiv="refresh"`); refreshes != c.refresh {
				t.Errorf("refreshes: %t", refreshes)
			}
			hasForm := strings.Contains(string(s.get(pageURL).Body()), "<form")
			if over := c.kind != orders.EventDeclined; hasForm == over {
				t.Errorf("the form is shown: %t", hasForm)
			}
		})
	}
}

// TestStatusWithoutOrder: a buyer who comes too early is sent to the form.
func TestStatusWithoutOrder(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	page := s.get(pageURL + "/complete")
	expect(t, page, fasthttp.StatusSeeOther)
	if location := string(page.Header.Peek("Location")); !strings.HasSuffix(location, pageURL) {
		t.Errorf("sent to %s", location)
	}
}

func TestReturnsToMerchant(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *orders.Session) { session.SuccessURL = "https://northline.example/thanks?a=1&b=2" })
	s.report(t, s.order(t), orders.EventCompleted, true)
	expect(t, s.get(pageURL+"/complete"), fasthttp.StatusOK,
		`href="https://northline.example/thanks?a=1&amp;b=2"`, "Return to Northline")
}

func TestEnds(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *orders.Session) { session.Product.Type = checkout.Subscription })
	golden(t, "unknown", s.get(pageURL+"x"))
	golden(t, "broken", s.get(pageURL))
	expect(t, s.get(pageURL), fasthttp.StatusBadRequest)
	s.now = s.now.Add(45 * time.Minute)
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
			t.Errorf("%s %s: %d, not %d", c.method, c.path, got, c.want)
		}
	}
}

// TestForeignSession: under another store's slug a session does not exist.
func TestForeignSession(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *orders.Session) { session.StoreID = "STO_another" })
	expect(t, s.get(pageURL), fasthttp.StatusNotFound)
	expect(t, s.post(pageURL, ottawa()), fasthttp.StatusNotFound)
	expect(t, s.get(pageURL+"/complete"), fasthttp.StatusNotFound)
}
