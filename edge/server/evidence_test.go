package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// Addresses whose countries are in the tests' database.
const inFrance, inGermany = "192.0.2.7", "198.51.100.7"

// located opens a shop with a GeoIP database behind trusted proxies.
func located(t *testing.T, database, proxies string) *shop {
	t.Helper()
	return openShop(t, trusting(proxies), func(c *Config) { c.GeoIP = database })
}

// trusting returns a setting of the trusted proxies.
func trusting(proxies string) func(*Config) {
	return func(c *Config) {
		var err error
		if c.TrustedProxies, err = geoip.ParseProxies(proxies); err != nil {
			panic(err)
		}
	}
}

// TestEvidence orders for Germany through the API and the page, with addresses in Germany and in France. The tax is always that of
// the billing country, and an address that was not sent as buyerIp is not stored.
func TestEvidence(t *testing.T) {
	const database = "../geoip/testdata/country.mmdb"
	trusting := located(t, database, "10.0.0.0/8, 127.0.0.0/8")
	strict := located(t, database, "")
	without := located(t, "", "127.0.0.0/8")

	for _, c := range []struct {
		name               string
		shop               *shop
		buyerIP, forwarded string
		want, anonymous    tax.Evidence // of a customer, and of a shopper
	}{
		{"buyerIp of France", strict, inFrance, "", tax.Conflict, tax.Conflict},
		{"buyerIp of Germany", strict, inGermany, "", tax.Agree, tax.Agree},
		{"buyerIp of nowhere", strict, "10.0.0.7", "", tax.None, tax.None},
		{"buyerIp before the proxy's word", trusting, inFrance, inGermany, tax.Conflict, tax.Agree},
		{"the proxy's word of France", trusting, "", inFrance, tax.Conflict, tax.Conflict},
		{"the proxies' word of Germany", trusting, "", inGermany + ", 10.0.0.7", tax.Agree, tax.Agree},
		{"a client's word before the proxy's", trusting, "", inFrance + ", " + inGermany, tax.Agree, tax.Agree},
		{"a client's word where no proxy is trusted", strict, "", inFrance, tax.None, tax.None},
		{"no word at all", trusting, "", "", tax.None, tax.None},
		{"no database", without, inFrance, inFrance, tax.None, tax.None},
		{"buyerIp where the proxy names nobody", trusting, inFrance, "", tax.Conflict, tax.Conflict},
		{"buyerIp where the proxy's word is no address", trusting, inFrance, "unknown", tax.Conflict, tax.Conflict},
		{"buyerIp where no proxy is trusted", strict, inFrance, inGermany, tax.Conflict, tax.Conflict},
		{"buyerIp where the proxy's word is of nowhere", trusting, inGermany, "203.0.113.7", tax.Agree, tax.None},
	} {
		orders := map[string]*checkout.Order{
			"a customer": c.shop.orderByAPI(t, c.shop.customer, c.buyerIP, c.forwarded),
			"a shopper":  c.shop.orderByAPI(t, c.shop.ShopperToken, c.buyerIP, c.forwarded),
		}
		if c.buyerIP == "" {
			orders["with the form"] = c.shop.orderByForm(t, c.forwarded)
		}
		for how, order := range orders {
			quote, want := &order.Quote.Assessment, c.anonymous
			if how == "a customer" {
				want = c.want
			}
			if quote.Evidence != want {
				t.Errorf("%s, %s: %s, not %s", c.name, how, quote.Evidence, want)
			}
			if order.BuyerIP != c.buyerIP {
				t.Errorf("%s, %s: buyerIp is stored as %q", c.name, how, order.BuyerIP)
			}
			if len(quote.Components) != 1 || quote.Components[0].Jurisdiction != "DE" {
				t.Errorf("%s, %s: the tax is %+v", c.name, how, quote.Components)
			}
			if kept, err := json.Marshal(order); err != nil || c.buyerIP == "" && strings.Contains(string(kept), inFrance) {
				t.Errorf("%s, %s: the order keeps the address: %s %v", c.name, how, kept, err)
			}
		}
	}
}

// orderByAPI orders for Germany over the API, as a browser behind a proxy does, and returns the stored order.
func (s *shop) orderByAPI(t *testing.T, token func(testing.TB, string) string, buyerIP, forwarded string) *checkout.Order {
	t.Helper()
	session := s.Session(t, nil).SessionID
	body, err := json.Marshal(map[string]any{"checkoutSessionId": session, "buyerEmail": "ada@example.com", "buyerIp": buyerIP,
		"billingDetail": map[string]any{"country": "DE", "isBusiness": false}})
	if err != nil {
		t.Fatal(err)
	}
	header := shoptest.Bearer(token(t, session))
	header["X-Forwarded-For"] = forwarded
	s.Post(t, shoptest.CreateOrderPath, string(body), header).CheckoutURL(t)
	_, order := s.stored(t, session)
	return order.Sold()
}

// customer returns a token of a buyer whom the merchant has identified.
func (s *shop) customer(t testing.TB, _ string) string {
	t.Helper()
	return s.Token(t, "user-1")
}

// orderByForm is orderByAPI with the page's form, as a browser without JavaScript sends it.
func (s *shop) orderByForm(t *testing.T, forwarded string) *checkout.Order {
	t.Helper()
	session := s.Session(t, nil)
	form := url.Values{"email": {"ada@example.com"}, "country": {"DE"}}
	page, _, _ := strings.Cut(session.CheckoutURL, "#")
	if r := s.SubmitForm(t, page, form, map[string]string{"X-Forwarded-For": forwarded}); r.Status != http.StatusSeeOther {
		t.Fatalf("the form answers %s", r)
	}
	_, order := s.stored(t, session.SessionID)
	return order.Sold()
}

// TestEvidenceSettings: a server whose database cannot be used does not start, and the error says which and why.
func TestEvidenceSettings(t *testing.T) {
	for file, says := range map[string]string{
		"../geoip/testdata/nowhere.mmdb": "--geoip: open ../geoip/testdata/nowhere.mmdb",
		"../geoip/testdata/asn.mmdb":     "--geoip: ../geoip/testdata/asn.mmdb",
	} {
		config := Config{GeoIP: file}
		if _, err := config.locator(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
}
