package server

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestRates: requests without a merchant's credential are limited for each address behind the trusted proxy and for each store, and
// refused with a Retry-After; signed requests are not limited.
func TestRates(t *testing.T) {
	s := openShop(t, trusting("127.0.0.0/8"), func(c *Config) { c.ClientRate, c.StoreRate = 0.001, 0.6 })
	session, token := s.Session(t, nil), s.Token(t, "user-1")
	slug := map[string]string{"X-Store-Slug": s.File.StoreSlug, "X-Environment": "test"}
	checkout := `{"checkoutSessionId":"` + session.SessionID + `"}`
	calls := map[string]func(client string) shoptest.Reply{
		"create-session": func(client string) shoptest.Reply {
			return s.Post(t, "/v1/actions/checkout/create-session", `{"productId":"`+s.File.Products[0].ID+`","currency":"EUR"}`, from(client, slug))
		},
		"issue-shopper-token": func(client string) shoptest.Reply {
			return s.Post(t, "/v1/actions/auth/issue-shopper-token", checkout, from(client, slug))
		},
		"renew-session": func(client string) shoptest.Reply {
			return s.Post(t, "/v1/actions/checkout/renew-session", checkout, from(client, slug))
		},
		"quote": func(client string) shoptest.Reply {
			return s.Post(t, "/v1/actions/checkout/quote", `{"checkoutSessionId":"`+session.SessionID+`","billingDetail":{"country":"DE","isBusiness":false}}`, from(client, slug))
		},
		"create-order": func(client string) shoptest.Reply {
			return s.Post(t, shoptest.CreateOrderPath, shoptest.OrderBody(session.SessionID), from(client, shoptest.Bearer(token)))
		},
		"the page's form": func(client string) shoptest.Reply {
			form := url.Values{"email": {"ada@example.com"}, "country": {"DE"}}
			return s.SubmitForm(t, session.CheckoutURL, form, from(client, nil))
		},
	}
	for name, call := range calls {
		client := "2001:db8:0:" + strconv.Itoa(len(name)) + "::1"
		if r := call(client); r.Status >= 400 {
			t.Errorf("%s, first call: %s", name, r)
		}
		neighbour := strings.Replace(client, "::1", ":f::2", 1) // in the same /64
		r := call(neighbour)
		if wait, _ := strconv.Atoi(r.Header.Get("Retry-After")); r.Status != 503 || wait < 500 {
			t.Errorf("%s, second call: %d, Retry-After %q, %s", name, r.Status, r.Header.Get("Retry-After"), r.Body)
		}
	}
	if r := calls["quote"]("192.0.2.1"); r.Status != 503 || r.Header.Get("Retry-After") != "5" { // the store's six are used up
		t.Errorf("a seventh client: %d, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
	s.Session(t, nil) // the merchant itself
}

// from adds the client address that a proxy reports to a header.
func from(client string, header map[string]string) map[string]string {
	with := map[string]string{"X-Forwarded-For": client}
	for name, value := range header {
		with[name] = value
	}
	return with
}

// TestWrongSignatures: an address that sends wrong signatures is refused before the next one is verified; other addresses and buyers of
// the same one are served.
func TestWrongSignatures(t *testing.T) {
	s := openShop(t, trusting("127.0.0.0/8"), func(c *Config) { c.ClientRate = 0.3 }) // a burst of three
	body := `{"storeId":"` + s.File.StoreID + `","buyerIdentity":"user-1"}`
	const path = "/v1/actions/auth/issue-session-token"
	send := func(client, signed string) shoptest.Reply {
		header, err := s.Merchant.Sign(path, []byte(signed))
		if err != nil {
			t.Fatal(err)
		}
		return s.Post(t, path, body, from(client, header))
	}
	for range 10 {
		if r := send("192.0.2.1", body); r.Status != 200 {
			t.Fatalf("a right signature: %s", r)
		}
	}
	for range 3 {
		if r := send("192.0.2.1", body+" "); r.Status != 401 {
			t.Errorf("a wrong signature: %s", r)
		}
	}
	for _, signed := range []string{body, body + " "} {
		if r := send("192.0.2.1", signed); r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("after three wrong ones: %s", r)
		}
	}
	if r := send("192.0.2.2", body); r.Status != 200 {
		t.Errorf("another address: %s", r)
	}
	slug := map[string]string{"X-Store-Slug": s.File.StoreSlug, "X-Environment": "test"}
	if r := s.Post(t, "/v1/actions/checkout/create-session", `{"productId":"`+s.File.Products[0].ID+`","currency":"EUR"}`, from("192.0.2.1", slug)); r.Status != 200 {
		t.Errorf("a buyer of the address: %s", r)
	}
}
