package main

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRates: what comes without a merchant's credential is served so often for each address behind the trusted proxy and for
// each store, and is then told to come again; what a merchant signs is served always.
func TestRates(t *testing.T) {
	s := openShop(t, func(c *Config) { c.ClientRate, c.StoreRate, c.TrustedProxies = "0.001", "0.6", "127.0.0.0/8" })
	session, token := s.session(t, nil), s.token(t, "user-1")
	slug := map[string]string{"X-Store-Slug": s.file.StoreSlug, "X-Environment": "test"}
	checkout := `{"checkoutSessionId":"` + session.SessionID + `"}`
	calls := map[string]func(client string) reply{
		"create-session": func(client string) reply {
			return s.post(t, "/v1/actions/checkout/create-session", `{"productId":"`+s.file.Products[0].ID+`","currency":"EUR"}`, from(client, slug))
		},
		"issue-shopper-token": func(client string) reply {
			return s.post(t, "/v1/actions/auth/issue-shopper-token", checkout, from(client, slug))
		},
		"renew-session": func(client string) reply {
			return s.post(t, "/v1/actions/checkout/renew-session", checkout, from(client, slug))
		},
		"quote": func(client string) reply {
			return s.post(t, "/v1/actions/checkout/quote", `{"checkoutSessionId":"`+session.SessionID+`","billingDetail":{"country":"DE","isBusiness":false}}`, from(client, slug))
		},
		"create-order": func(client string) reply {
			return s.post(t, createOrderPath, orderBody(session.SessionID), from(client, bearer(token)))
		},
		"the page's form": func(client string) reply {
			form := url.Values{"email": {"ada@example.com"}, "country": {"DE"}}
			request, err := http.NewRequest("POST", session.CheckoutURL, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.Header.Set("X-Forwarded-For", client)
			return s.do(t, request)
		},
	}
	for name, call := range calls {
		client := "2001:db8:0:" + strconv.Itoa(len(name)) + "::1"
		if r := call(client); r.status != 200 {
			t.Errorf("%s, first call: %s", name, r)
		}
		neighbour := strings.Replace(client, "::1", ":f::2", 1) // in the same /64
		r := call(neighbour)
		if wait, _ := strconv.Atoi(r.header.Get("Retry-After")); r.status != 503 || wait < 500 {
			t.Errorf("%s, second call: %d, Retry-After %q, %s", name, r.status, r.header.Get("Retry-After"), r.body)
		}
	}
	if r := calls["quote"]("192.0.2.1"); r.status != 503 || r.header.Get("Retry-After") != "5" { // the store's six are used up
		t.Errorf("a seventh client: %d, Retry-After %q", r.status, r.header.Get("Retry-After"))
	}
	s.session(t, nil) // the merchant itself
}

// from is a header with the address that a proxy tells.
func from(client string, header map[string]string) map[string]string {
	with := map[string]string{"X-Forwarded-For": client}
	for name, value := range header {
		with[name] = value
	}
	return with
}

func TestLimitSettings(t *testing.T) {
	for value, want := range map[string]time.Duration{"": 2 * time.Hour, "90m": 90 * time.Minute, "0": 0, "-1h": 0, "2": 0, "5s": 0} {
		c := Config{KeepSessions: value}
		if got, err := c.keepSessions(); got != want || (err == nil) != (want != 0) {
			t.Errorf("--keep-sessions %q: %v, %v", value, got, err)
		}
	}
	for value, want := range map[string]float64{"": 5, "off": 0, "0": 0, "2.5": 2.5} {
		if got, err := limit("--client-rate", value, 5); err != nil || got != want {
			t.Errorf("%q: %v, %v", value, got, err)
		}
	}
	for _, value := range []string{"-1", "many", "NaN", "Inf", "5/s"} {
		if _, err := limit("--client-rate", value, 5); err == nil || !strings.Contains(err.Error(), "--client-rate") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
