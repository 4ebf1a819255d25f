package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
)

// Where the addresses of the tests are, in the tests' database.
const inFrance, inGermany = "192.0.2.7", "198.51.100.7"

// evidenceFrom sets --geoip and --trusted-proxies.
func evidenceFrom(database, proxies string) func(*Config) {
	return func(c *Config) { c.GeoIP, c.TrustedProxies = database, proxies }
}

// TestEvidence orders from Germany, through both doors, with addresses in Germany and in France. Whatever the address says,
// the billing country is charged, and an address that nobody gave as buyerIp is not kept.
func TestEvidence(t *testing.T) {
	const database = "../../geoip/testdata/country.mmdb"
	trusting := openShop(t, evidenceFrom(database, "10.0.0.0/8, 127.0.0.0/8"))
	strict := openShop(t, evidenceFrom(database, ""))
	without := openShop(t, evidenceFrom("", "127.0.0.0/8"))

	for _, c := range []struct {
		name               string
		shop               *shop
		buyerIP, forwarded string
		want               tax.Evidence
	}{
		{"buyerIp of France", strict, inFrance, "", tax.Conflict},
		{"buyerIp of Germany", strict, inGermany, "", tax.Agree},
		{"buyerIp of nowhere", strict, "10.0.0.7", "", tax.None},
		{"buyerIp before the proxy's word", trusting, inFrance, inGermany, tax.Conflict},
		{"the proxy's word of France", trusting, "", inFrance, tax.Conflict},
		{"the proxies' word of Germany", trusting, "", inGermany + ", 10.0.0.7", tax.Agree},
		{"a client's word before the proxy's", trusting, "", inFrance + ", " + inGermany, tax.Agree},
		{"a client's word where no proxy is trusted", strict, "", inFrance, tax.None},
		{"no word at all", trusting, "", "", tax.None},
		{"no database", without, inFrance, inFrance, tax.None},
	} {
		orders := map[string]*checkout.Order{"over the API": c.shop.orderByAPI(t, c.buyerIP, c.forwarded)}
		if c.buyerIP == "" {
			orders["with the form"] = c.shop.orderByForm(t, c.forwarded)
		}
		for door, order := range orders {
			quote := &order.Quote.Assessment
			if quote.Evidence != c.want {
				t.Errorf("%s, %s: %s, not %s", c.name, door, quote.Evidence, c.want)
			}
			if len(quote.Components) != 1 || quote.Components[0].Jurisdiction != "DE" {
				t.Errorf("%s, %s: the tax is %+v", c.name, door, quote.Components)
			}
			if kept, err := json.Marshal(order); err != nil || c.buyerIP == "" && strings.Contains(string(kept), inFrance) {
				t.Errorf("%s, %s: the order keeps the address: %s %v", c.name, door, kept, err)
			}
		}
	}
}

// orderByAPI orders from Germany over the API, as a browser behind a proxy would, and returns what is stored.
func (s *shop) orderByAPI(t *testing.T, buyerIP, forwarded string) *checkout.Order {
	t.Helper()
	session := s.session(t, nil).SessionID
	body, err := json.Marshal(map[string]any{"checkoutSessionId": session, "buyerEmail": "ada@example.com", "buyerIp": buyerIP,
		"billingDetail": map[string]any{"country": "DE", "isBusiness": false}})
	if err != nil {
		t.Fatal(err)
	}
	header := bearer(s.token(t, "user-1"))
	header["X-Forwarded-For"] = forwarded
	s.post(t, createOrderPath, string(body), header).checkoutURL(t)
	_, order := s.stored(t, session)
	return order.Sold()
}

// orderByForm does the same with the page's form, as a browser without JavaScript does.
func (s *shop) orderByForm(t *testing.T, forwarded string) *checkout.Order {
	t.Helper()
	session := s.session(t, nil)
	form := url.Values{"email": {"ada@example.com"}, "country": {"DE"}}
	page, _, _ := strings.Cut(session.CheckoutURL, "#")
	request, err := http.NewRequest("POST", page, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Forwarded-For", forwarded)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("the form answers %s", response.Status)
	}
	_, order := s.stored(t, session.SessionID)
	return order.Sold()
}

// TestEvidenceSettings: a server with a wrong setting does not start, and says which and why.
func TestEvidenceSettings(t *testing.T) {
	for _, c := range []struct {
		set  func(*Config)
		says string
	}{
		{evidenceFrom("../../geoip/testdata/nowhere.mmdb", ""), "--geoip: open ../../geoip/testdata/nowhere.mmdb"},
		{evidenceFrom("../../geoip/testdata/asn.mmdb", ""), "--geoip: ../../geoip/testdata/asn.mmdb"},
		{evidenceFrom("", "10.0.0.1"), `--trusted-proxies: "10.0.0.1" is no CIDR block`},
	} {
		var config Config
		c.set(&config)
		if _, err := config.buyers(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v does not say %q", err, c.says)
		}
	}
}
