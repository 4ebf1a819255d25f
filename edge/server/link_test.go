package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// follow requests a permanent link of the demo store's first product and does not follow the redirect.
func (s *shop) follow(t *testing.T, method, product, query string, header map[string]string) shoptest.Reply {
	t.Helper()
	request, err := http.NewRequest(method, s.URL+"/store/"+s.File.StoreSlug+"/product/"+product+"?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return shoptest.Read(t, response)
}

// sessionCount is the number of stored sessions of the demo store in an environment.
func (s *shop) sessionCount(t *testing.T, env checkout.Environment) (n int) {
	t.Helper()
	if err := s.db.(*badgerstore.DB).Scan(string(env)+"/"+s.File.StoreID+"/cs/", "", func(string, []byte) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLink: a permanent link opens a session with what its parameters say, under a visitor's rules.
func TestLink(t *testing.T) {
	shop := openShop(t)
	product := shop.File.Products[0].ID
	for _, c := range []struct {
		name, query string
		env         checkout.Environment
		want        string
	}{
		{"all parameters", "currency=EUR&email=ada%40example.com&country=DE&is_business=true&success_url=https%3A%2F%2Fexample.com%2Fok&test=true",
			checkout.Test, "€27.00"},
		{"none: prod, and the US dollar", "", checkout.Prod, "$29.00"},
		{"the currency of the buyer's country", "test=true", checkout.Test, "£23.00"},
		{"ignored parameters", "currency=JPY&test=true&metadata=x&priceSnapshot=1&test=maybe", checkout.Test, "4,500"},
		{"a broken prefill", "currency=USD&test=true&email=nobody", checkout.Test, "$29.00"},
	} {
		header := map[string]string{"Accept-Language": "en"}
		if strings.Contains(c.name, "country") {
			header["Accept-Language"] = "en-GB"
		}
		before := shop.sessionCount(t, c.env)
		got := shop.follow(t, "GET", product, c.query, header)
		location := got.Header.Get("Location")
		if got.Status != http.StatusSeeOther || !strings.HasPrefix(location, "/store/"+shop.File.StoreSlug+"/checkout/cs_") {
			t.Errorf("%s: %s to %q", c.name, got, location)
			continue
		}
		if page := shop.Get(t, location); page.Status != http.StatusOK || !strings.Contains(page.Body, c.want) {
			t.Errorf("%s: no %s on %s", c.name, c.want, page)
		}
		session, err := shop.db.Session(t.Context(), location[strings.LastIndexByte(location, '/')+1:])
		if err != nil || session.Environment != c.env || session.Product.ID != product || session.Metadata != nil {
			t.Errorf("%s: %+v, %v", c.name, session, err)
		}
		if c.name == "all parameters" && (session.BuyerEmail != "ada@example.com" || session.Billing.Country != "DE" || !*session.Billing.IsBusiness ||
			session.SuccessURL != "https://example.com/ok") {
			t.Errorf("%s: %+v", c.name, session)
		}
		if n := shop.sessionCount(t, c.env); n != before+1 {
			t.Errorf("%s: %d sessions more", c.name, n-before)
		}
	}
}

// TestLinkWithoutSession: what is not a buyer who follows a good link opens no session.
func TestLinkWithoutSession(t *testing.T) {
	shop := openShop(t)
	product, foreign := shop.File.Products[0].ID, shop.foreignProduct(t)
	test := func(query string) string { return "test=true&" + query }
	for _, c := range []struct {
		name, method, product, query string
		header                       map[string]string
		status                       int
		want                         string
	}{
		{"HEAD", "HEAD", product, test("currency=EUR"), nil, 200, ""},
		{"HEAD of an unknown product", "HEAD", "PROD_0000000000000000000000", test(""), nil, 404, ""},
		{"prefetch", "GET", product, test(""), map[string]string{"Sec-Purpose": "prefetch;prerender"}, 503, ""},
		{"Safari's prefetch", "GET", product, test(""), map[string]string{"Purpose": "prefetch"}, 503, ""},
		{"POST", "POST", product, test(""), nil, 405, ""},
		{"an unknown product", "GET", "PROD_0000000000000000000000", test(""), nil, 404, "This checkout link doesn’t work"},
		{"a malformed product", "GET", "PROD_x", test("currency=USD"), nil, 404, "This checkout link doesn’t work"},
		{"another store's product", "GET", foreign, test(""), nil, 404, "This checkout link doesn’t work"},
		{"another store's product with a currency", "GET", foreign, test("currency=USD"), nil, 404, "This checkout link doesn’t work"},
		{"a currency that is none", "GET", product, test("currency=dollars"), nil, 400, "Invalid currency: expected 3-letter"},
		{"a currency without a price", "GET", product, test("currency=CHF"), nil, 400, "Product has no price in CHF"},
		{"a country that is none", "GET", product, test("country=Germany"), nil, 400, "Invalid country: expected ISO 3166-1 alpha-2"},
		{"neither true nor false", "GET", product, test("is_business=yes"), nil, 400, "Invalid is_business: expected true or false"},
		{"no environment", "GET", product, "test=yes", nil, 400, "This checkout can’t be used"},
		{"a script", "GET", product, test("success_url=javascript:alert(1)"), nil, 400, "Invalid successUrl"},
		{"a long e-mail address", "GET", product, test("email=" + strings.Repeat("a", 300)), nil, 400, "Invalid buyerEmail"},
		{"a bad parameter in prod", "GET", product, "currency=dollars", nil, 400, "Contact Crêpe Demo"},
	} {
		before := shop.sessionCount(t, checkout.Test) + shop.sessionCount(t, checkout.Prod)
		got := shop.follow(t, c.method, c.product, c.query, c.header)
		if got.Status != c.status || !strings.Contains(got.Body, c.want) || got.Header.Get("Location") != "" {
			t.Errorf("%s: %s", c.name, got)
		}
		if strings.HasSuffix(c.name, "prod") && strings.Contains(got.Body, "Invalid") {
			t.Errorf("%s: %s", c.name, got)
		}
		if after := shop.sessionCount(t, checkout.Test) + shop.sessionCount(t, checkout.Prod); after != before {
			t.Errorf("%s: %d sessions more", c.name, after-before)
		}
	}
	if got := shop.Get(t, "/store/unknown-a1b2c3/product/"+product+"?"+url.Values{"test": {"true"}}.Encode()); got.Status != 404 {
		t.Errorf("an unknown store: %s", got)
	}
}

// TestLinkThrottle: links count against the limits of visitors.
func TestLinkThrottle(t *testing.T) {
	shop := openShop(t, func(c *Config) { c.StoreRate = 0.1 })
	if got := shop.follow(t, "GET", shop.File.Products[0].ID, "test=true", nil); got.Status != http.StatusSeeOther {
		t.Errorf("the first: %s", got)
	}
	got := shop.follow(t, "GET", shop.File.Products[0].ID, "test=true", nil)
	if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("above the limit: %s", got)
	}
}
