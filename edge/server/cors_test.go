package server

import (
	"context"
	"crypto/rand"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// listForeign adds a store of another merchant that lists an origin.
func (s *shop) listForeign(t testing.TB, origin string) {
	t.Helper()
	other, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other.Store.Origins = []string{origin}
	if err := s.db.Put(context.Background(), other.Change()); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) list(t testing.TB, origins ...string) {
	t.Helper()
	store, err := s.db.Store(t.Context(), s.File.StoreID)
	if err != nil {
		t.Fatal(err)
	}
	store.Origins = origins
	if err := s.db.Put(t.Context(), catalog.Change{Store: store}); err != nil {
		t.Fatal(err)
	}
}

// preflight sends the preflight request of a browser.
func (s *shop) preflight(t testing.TB, path, origin string) shoptest.Reply {
	t.Helper()
	request, err := http.NewRequest("OPTIONS", s.PublicURL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", "POST")
	request.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-environment,x-idempotency-key")
	return s.Do(t, request)
}

// allowed returns the CORS headers of a response.
func allowed(r shoptest.Reply) map[string]string {
	headers := map[string]string{}
	for name := range r.Header {
		if short, ok := strings.CutPrefix(name, "Access-Control-"); ok {
			headers[short] = r.Header.Get(name)
		}
	}
	return headers
}

const mine, theirs, nobodys = "https://shop.example.com", "https://other.example.com:8443", "https://nobody.example.com"

// TestPreflight: a preflight names no store, so it is answered for an origin that any store lists.
func TestPreflight(t *testing.T) {
	shop := openShop(t)
	shop.list(t, "http://localhost:5173", mine)
	shop.listForeign(t, theirs)
	granted := func(origin string) map[string]string {
		return map[string]string{"Allow-Origin": origin, "Allow-Methods": "POST", "Max-Age": "7200",
			"Allow-Headers": "Authorization, Content-Type, X-Environment, X-Idempotency-Key, X-Store-Slug"}
	}
	for _, c := range []struct {
		path, origin string
		status       int
		granted      bool
	}{
		{shoptest.CreateOrderPath, mine, 204, true},
		{shoptest.CreateOrderPath, "http://localhost:5173", 204, true},
		{shoptest.CreateOrderPath, theirs, 204, true},
		{"/v1/actions/checkout/quote", mine, 204, true},
		{"/v1/actions/checkout/create-session", mine, 204, true},
		{"/v1/actions/auth/issue-shopper-token", mine, 204, true},
		{shoptest.CreateOrderPath, nobodys, 204, false},
		{shoptest.CreateOrderPath, "null", 204, false},
		{shoptest.CreateOrderPath, "https://shop.example.com.evil.example", 204, false},
		{shoptest.CreateOrderPath, "https://shop.example.co", 204, false},
		{shoptest.CreateOrderPath, "http://shop.example.com", 204, false},
		{shoptest.CreateOrderPath, "https://other.example.com", 204, false},
		{shoptest.CreateOrderPath, "https:/", 204, false},
		{"/v1/actions/auth/issue-session-token", mine, 405, false},
		{"/v1/webhooks/sandbox/test", mine, 405, false},
		{"/v1/actions/nothing", mine, 404, false},
	} {
		got := shop.preflight(t, c.path, c.origin)
		want := map[string]string{}
		if c.granted {
			want = granted(c.origin)
		}
		if headers := allowed(got); got.Status != c.status || !maps.Equal(headers, want) {
			t.Errorf("%s from %s: %d %v", c.path, c.origin, got.Status, headers)
		}
		if vary := got.Header.Get("Vary"); (vary == "Origin") != (c.status == 204) {
			t.Errorf("%s from %s: Vary: %s", c.path, c.origin, vary)
		}
	}
	shop.list(t, mine)
	if got := allowed(shop.preflight(t, shoptest.CreateOrderPath, "http://localhost:5173")); len(got) > 0 {
		t.Errorf("an origin that has left the list is granted %v", got)
	}
	if got := allowed(shop.preflight(t, shoptest.CreateOrderPath, mine)); len(got) == 0 {
		t.Error("an origin that has stayed is granted nothing")
	}
}

// TestOriginOfAnswer: a response about a store is readable for that store's origins only, one about no store for every listed
// origin. Responses that are not readable differ in nothing else.
func TestOriginOfAnswer(t *testing.T) {
	shop := openShop(t)
	shop.list(t, mine)
	shop.listForeign(t, theirs)
	session, token := shop.Session(t, nil).SessionID, shop.Token(t, "user-1")
	body, err := json.Marshal(shoptest.OrderFor(session))
	if err != nil {
		t.Fatal(err)
	}
	slug := map[string]string{"X-Store-Slug": shop.File.StoreSlug, "X-Environment": "test"}
	one := `{"checkoutSessionId":"` + session + `"}`
	product := `{"productId":"` + shop.File.Products[0].ID + `","currency":"EUR"}`
	signed, err := shop.Merchant.Sign("/v1/actions/checkout/create-session", []byte(product))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, body string
		header           map[string]string
		status           int
		readable         []string
	}{
		{"an order", shoptest.CreateOrderPath, string(body), shoptest.Bearer(token), 200, []string{mine}},
		{"a refusal", shoptest.CreateOrderPath, `{}`, shoptest.Bearer(token), 400, []string{mine}},
		{"no JSON", shoptest.CreateOrderPath, `{`, shoptest.Bearer(token), 400, []string{mine}},
		{"a quote", "/v1/actions/checkout/quote", `{"checkoutSessionId":"` + session + `","billingDetail":{"country":"DE","isBusiness":false}}`, slug, 200, []string{mine}},
		{"a shopper's token", "/v1/actions/auth/issue-shopper-token", one, slug, 200, []string{mine}},
		{"a visitor's session", "/v1/actions/checkout/create-session", product, slug, 200, []string{mine}},
		{"a damaged token", shoptest.CreateOrderPath, string(body), shoptest.Bearer(token + "A"), 401, []string{mine, theirs}},
		{"no environment", shoptest.CreateOrderPath, string(body), map[string]string{"Authorization": "Bearer " + token}, 400, []string{mine, theirs}},
		{"no such store", "/v1/actions/auth/issue-shopper-token", one, map[string]string{"X-Store-Slug": "no", "X-Environment": "test"}, 404, []string{mine, theirs}},
		{"another type", shoptest.CreateOrderPath, string(body), map[string]string{"Content-Type": "text/plain"}, 415, []string{mine, theirs}},
		{"a merchant's session", "/v1/actions/checkout/create-session", product, signed, 200, nil},
		{"a merchant's endpoint", "/v1/actions/auth/issue-session-token", one, nil, 401, nil},
	} {
		for _, origin := range []string{mine, theirs, nobodys, ""} {
			header := map[string]string{"Origin": origin}
			for name, value := range c.header {
				header[name] = value
			}
			got := shop.Post(t, c.path, c.body, header)
			want := map[string]string{}
			for _, readable := range c.readable {
				if origin == readable {
					want = map[string]string{"Allow-Origin": origin, "Expose-Headers": "Retry-After, X-Request-Id"}
				}
			}
			if headers := allowed(got); got.Status != c.status || !maps.Equal(headers, want) {
				t.Errorf("%s, from %q: %d %v, want %d %v", c.name, origin, got.Status, headers, c.status, want)
			}
			if vary := got.Header.Get("Vary"); (vary == "Origin") != (c.name != "a merchant's endpoint") {
				t.Errorf("%s: Vary: %s", c.name, vary)
			}
		}
	}
}

// TestClientCodes: the client's type has every code of the published refusals.
func TestClientCodes(t *testing.T) {
	source, err := os.ReadFile("../../web/src/client/client.ts")
	if err != nil {
		t.Fatal(err)
	}
	refusals, err := os.ReadFile("testdata/create-order-refusals.txt")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`"code":("[a-z-]+")`).FindAllSubmatch(refusals, -1)
	if len(codes) < 20 {
		t.Fatalf("%d codes only: the test no longer finds them", len(codes))
	}
	for _, code := range codes {
		if !strings.Contains(string(source), "\t| "+string(code[1])+"\n") {
			t.Errorf("ErrorCode lacks %s", code[1])
		}
	}
}
