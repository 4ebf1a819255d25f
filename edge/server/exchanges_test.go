package server

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// exchange is one request with its answer, as edge/api/README.md shows it and edge/api/openapi.yaml describes it.
type exchange struct {
	Name     string            `json:"name"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Header   map[string]string `json:"header,omitempty"`
	Request  json.RawMessage   `json:"request,omitempty"`
	Status   int               `json:"status"`
	Response json.RawMessage   `json:"response,omitempty"` // absent unless it is JSON
}

// TestExchanges records one exchange with every path of the API that a merchant, a page or an operator calls.
func TestExchanges(t *testing.T) {
	shop := openShop(t)
	var exchanges []exchange
	send := func(name, method, path, body string, header map[string]string) shoptest.Reply {
		request, err := http.NewRequest(method, shop.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			request.Header.Set("Content-Type", "application/json")
		}
		for key, value := range header {
			request.Header.Set(key, value)
		}
		got := shop.Do(t, request)
		e := exchange{Name: name, Method: method, Path: path, Header: header, Request: json.RawMessage(body), Status: got.Status}
		if strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
			e.Response = json.RawMessage(got.Body)
		}
		exchanges = append(exchanges, e)
		return got
	}
	signed := func(path, body string) map[string]string {
		header, err := shop.Merchant.Sign(path, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return header
	}
	member := func(r shoptest.Reply, name string) string {
		var answer struct{ Data map[string]any }
		if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || r.Status != 200 {
			t.Fatalf("no %s: %d %s", name, r.Status, r.Body)
		}
		return answer.Data[name].(string)
	}
	slug := shop.Visitor()

	const tokenPath, sessionPath = "/v1/actions/auth/issue-session-token", "/v1/actions/checkout/create-session"
	body := `{"storeId":"` + shop.File.StoreID + `","buyerIdentity":"user-17"}`
	token := member(send("issue-session-token", "POST", tokenPath, body, signed(tokenPath, body)), "token")
	body = `{"productId":"` + shop.File.Products[0].ID + `","currency":"EUR","metadata":{"plan":"team"},"successUrl":"https://shop.example.com/thanks"}`
	session := member(send("create-session", "POST", sessionPath, body, signed(sessionPath, body)), "sessionId")
	id := `"checkoutSessionId":"` + session + `"`
	send("issue-shopper-token", "POST", "/v1/actions/auth/issue-shopper-token", `{`+id+`}`, slug)
	send("renew-session", "POST", "/v1/actions/checkout/renew-session", `{`+id+`}`, shoptest.Bearer(token))
	const germany = `"billingDetail":{"country":"DE","isBusiness":false}`
	send("quote", "POST", "/v1/actions/checkout/quote", `{`+id+`,`+germany+`}`, shoptest.Bearer(token))
	send("quote-explained", "POST", "/v1/actions/checkout/quote", `{`+id+`,`+germany+`,"explain":true}`, shoptest.Bearer(token))
	header := maps.Clone(shoptest.Bearer(token))
	header["X-Idempotency-Key"] = "order-4711"
	send("create-order", "POST", shoptest.CreateOrderPath, `{`+id+`,"buyerEmail":"ada@example.com",`+germany+`}`, header)
	send("create-order-refused", "POST", shoptest.CreateOrderPath,
		`{`+id+`,"buyerEmail":"ada@example.com","billingDetail":{"country":"US","isBusiness":true}}`, shoptest.Bearer(token))
	stored, err := shop.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	send("cancel-order", "POST", "/v1/actions/onetime-order/cancel-order", `{"orderId":"`+stored.OrderID+`"}`, shoptest.Bearer(token))
	const addPath, updatePath, removePath = "/v1/actions/store/add-webhook", "/v1/actions/store/update-webhook", "/v1/actions/store/remove-webhook"
	body = `{"storeId":"` + shop.File.StoreID + `","channel":"http","url":"https://shop.example.com/webhooks","events":["order.completed"],"testMode":true}`
	added := send("add-webhook", "POST", addPath, body, signed(addPath, body))
	var answer struct {
		Data struct{ Webhook struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(added.Body), &answer); err != nil {
		t.Fatal(err)
	}
	endpoint := `"id":"` + answer.Data.Webhook.ID + `"`
	body = `{` + endpoint + `,"events":["order.completed","refund.succeeded"]}`
	send("update-webhook", "POST", updatePath, body, signed(updatePath, body))
	body = `{` + endpoint + `}`
	send("remove-webhook", "POST", removePath, body, signed(removePath, body))
	send("client", "GET", "/v1/client.js", "", nil)
	send("health", "GET", "/healthz", "", nil)
	send("ready", "GET", "/readyz", "", nil)

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(exchanges); err != nil {
		t.Fatal(err)
	}
	shoptest.Golden(t, "../../api/testdata/exchanges.json", shop.withoutSecrets(text.String()))
}

// withoutSecrets replaces what differs from run to run.
func (s *shop) withoutSecrets(text string) string {
	for _, r := range []struct{ pattern, example string }{
		{regexp.QuoteMeta(s.URL), "https://pay.example.com"},
		{regexp.QuoteMeta(s.File.StoreID), "STO_2aUyqjCzEIiEcYMKj7TZtw"},
		{regexp.QuoteMeta(s.File.MerchantID), "MER_2aUyqjCzEIiEcYMKj7TZtw"},
		{regexp.QuoteMeta(s.File.Products[0].ID), "PROD_2aUyqjCzEIiEcYMKj7TZtw"},
		{regexp.QuoteMeta(s.File.StoreSlug), "fieldnotes"},
		{`cs_[0-9a-f]{8}-[0-9a-f-]{27}`, "cs_550e8400-e29b-41d4-a716-446655440000"},
		{`ORD_[0-9A-Za-z]{22}`, "ORD_2aUyqjCzEIiEcYMKj7TZtw"},
		{`eyJ[\w-]+\.[\w-]+\.[\w-]+`, "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`, "2026-11-23T10:00:00.000Z"},
		{`("id": )"[0-9a-f]{8}-[0-9a-f-]{27}"`, `${1}"11111111-2222-4333-8444-555555555555"`},
		{`("on": )"\d{4}-\d\d-\d\d"`, `${1}"2026-11-23"`},
		{`("dataVersion": )"[^"]*"`, `${1}"2026-11-23-a1b2c3d4"`},
		{`("X-Timestamp": )"\d+"`, `${1}"1795442400"`},
		{`("X-Signature": )"[^"]*"`, `${1}"bWVyY2hhbnQ="`},
		{`("checkoutUrl": "https://pay.example.com/sandbox/(?:[^"]*/)?)[^"/]*"`, `${1}cs_test_a1b2c3d4"`},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.example)
	}
	return text
}
