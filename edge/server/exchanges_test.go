package server

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/orders"
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
	Omit     bool              `json:"omit,omitempty"`     // README.md does not show it, because it is like another one
}

// recorder sends requests and records them with their answers.
type recorder struct {
	*shop
	exchanges []exchange
}

func (r *recorder) send(t *testing.T, name, method, path, body string, header map[string]string) shoptest.Reply {
	t.Helper()
	request, err := http.NewRequest(method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for key, value := range header {
		request.Header.Set(key, value)
	}
	got := r.Do(t, request)
	e := exchange{Name: name, Method: method, Path: path, Header: header, Request: json.RawMessage(body), Status: got.Status}
	if strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		e.Response = json.RawMessage(got.Body)
	}
	r.exchanges = append(r.exchanges, e)
	return got
}

// sign sends a request of the merchant.
func (r *recorder) sign(t *testing.T, name, path, body string) shoptest.Reply {
	t.Helper()
	header, err := r.Merchant.Sign(path, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r.send(t, name, "POST", path, body, header)
}

// omitLast leaves the last exchange out of README.md.
func (r *recorder) omitLast() { r.exchanges[len(r.exchanges)-1].Omit = true }

// member is a text in the data of an answer.
func member(t *testing.T, r shoptest.Reply, names ...string) string {
	t.Helper()
	var answer struct{ Data map[string]any }
	if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || r.Status != 200 {
		t.Fatalf("no %s: %d %s", names, r.Status, r.Body)
	}
	for _, name := range names[:len(names)-1] {
		answer.Data = answer.Data[name].(map[string]any)
	}
	return answer.Data[names[len(names)-1]].(string)
}

// TestExchanges records one exchange with every path of the API that a merchant, a page or an operator calls.
func TestExchanges(t *testing.T) {
	r := &recorder{shop: openShop(t)}
	r.recordOrder(t)
	r.recordPayment(t)
	r.recordRefund(t)
	r.recordWebhooks(t)
	r.recordCatalog(t)
	r.recordReads(t)
	r.send(t, "client", "GET", "/v1/client.js", "", nil)
	r.send(t, "health", "GET", "/healthz", "", nil)
	r.send(t, "ready", "GET", "/readyz", "", nil)

	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(r.exchanges); err != nil {
		t.Fatal(err)
	}
	shoptest.Golden(t, "../../api/testdata/exchanges.json", r.withoutSecrets(text.String()))
}

// recordOrder records what happens from a checkout session to its order.
func (r *recorder) recordOrder(t *testing.T) {
	product := r.File.Products[0].ID
	token := member(t, r.sign(t, "issue-session-token", "/v1/actions/auth/issue-session-token",
		`{"storeId":"`+r.File.StoreID+`","buyerIdentity":"user-17"}`), "token")
	session := member(t, r.sign(t, "create-session", "/v1/actions/checkout/create-session",
		`{"productId":"`+product+`","currency":"EUR","metadata":{"plan":"team"},"successUrl":"https://shop.example.com/thanks"}`), "sessionId")
	id := `"checkoutSessionId":"` + session + `"`
	r.send(t, "issue-shopper-token", "POST", "/v1/actions/auth/issue-shopper-token", `{`+id+`}`, r.Visitor())
	r.send(t, "renew-session", "POST", "/v1/actions/checkout/renew-session", `{`+id+`}`, shoptest.Bearer(token))
	const germany = `"billingDetail":{"country":"DE","isBusiness":false}`
	r.send(t, "quote", "POST", "/v1/actions/checkout/quote", `{`+id+`,`+germany+`}`, shoptest.Bearer(token))
	r.send(t, "quote-explained", "POST", "/v1/actions/checkout/quote", `{`+id+`,`+germany+`,"explain":true}`, shoptest.Bearer(token))
	header := maps.Clone(shoptest.Bearer(token))
	header["X-Idempotency-Key"] = "order-4711"
	r.send(t, "create-order", "POST", shoptest.CreateOrderPath, `{`+id+`,"buyerEmail":"ada@example.com",`+germany+`}`, header)
	r.send(t, "create-order-refused", "POST", shoptest.CreateOrderPath,
		`{`+id+`,"buyerEmail":"ada@example.com","billingDetail":{"country":"US","isBusiness":true}}`, shoptest.Bearer(token))
	stored, err := r.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	r.send(t, "cancel-order", "POST", "/v1/actions/onetime-order/cancel-order", `{"orderId":"`+stored.OrderID+`"}`, shoptest.Bearer(token))
}

// recordPayment records the provider's event about a paid order.
func (r *recorder) recordPayment(t *testing.T) {
	session := r.Session(t, nil).SessionID
	r.CreateOrder(t, r.Token(t, "user-18"), shoptest.OrderFor(session)).CheckoutURL(t)
	_, order := r.stored(t, session)
	event := paidEvent(order)
	r.send(t, "provider-webhook", "POST", api.WebhookPath(sandboxName, checkout.Test), event, r.signed(event, time.Now()))
	r.omitLast()
}

// recordRefund records a customer's refund ticket, which is rejected and submitted again.
func (r *recorder) recordRefund(t *testing.T) {
	token := r.Token(t, "user-17")
	payment := r.paidOrder(t, token).Payments[0].ID
	ticket := `"paymentId":"` + payment + `","reason":"Not as described","requestedAmount":{"amount":"10.00","currency":"EUR"}`
	id := ticketID(t, r.send(t, "create-ticket", "POST", createTicketPath, `{`+ticket+`}`, shoptest.Bearer(token)))
	_, _, err := r.orders.ReviewTicket(t.Context(), orders.Review{Environment: checkout.Test, TicketID: id, Reviewer: "operator", Note: "Completed."})
	if err != nil {
		t.Fatal(err)
	}
	r.send(t, "resubmit-ticket", "POST", resubmitTicketPath, `{"ticketId":"`+id+`",`+ticket+`}`, shoptest.Bearer(token))
}

// recordWebhooks records the life of an endpoint.
func (r *recorder) recordWebhooks(t *testing.T) {
	const path = "/v1/actions/store/"
	endpoint := `"id":"` + member(t, r.sign(t, "add-webhook", path+"add-webhook",
		`{"storeId":"`+r.File.StoreID+`","channel":"http","url":"https://shop.example.com/webhooks","events":["order.completed"],"testMode":true}`),
		"webhook", "id") + `"`
	r.sign(t, "update-webhook", path+"update-webhook", `{`+endpoint+`,"events":["order.completed","refund.succeeded"]}`)
	r.sign(t, "remove-webhook", path+"remove-webhook", `{`+endpoint+`}`)
}

// recordReads records queries of the order that recordOrder has made.
func (r *recorder) recordReads(t *testing.T) {
	r.sign(t, "graphql", "/v1/graphql", `{"query":"query ($storeId: ID!) { onetimeOrders(storeId: $storeId, limit: 1) { id status buyerEmail`+
		` priceSnapshot { currency total } productVersion { versionNumber name } createdAt } onetimeOrdersCount(storeId: $storeId) }","variables":{"storeId":"`+r.File.StoreID+`"}}`)
	r.send(t, "graphql-customer", "POST", "/v1/graphql", `{"query":"{ onetimeOrders { id status product { name } payments { status } } paymentsCount }"}`, shoptest.Bearer(r.Token(t, "user-17")))
	r.sign(t, "graphql-refused", "/v1/graphql", `{"query":"{ refunded }"}`)
	r.omitLast()
}

// withoutSecrets replaces what differs from run to run.
func (s *shop) withoutSecrets(text string) string {
	for _, r := range []struct{ pattern, example string }{
		{regexp.QuoteMeta(s.URL), "https://pay.example.com"},
		{regexp.QuoteMeta(s.File.StoreID), "STO_2aUyqjCzEIiEcYMKj7TZtw"},
		{regexp.QuoteMeta(s.File.MerchantID), "MER_2aUyqjCzEIiEcYMKj7TZtw"},
		{regexp.QuoteMeta(s.File.Products[0].ID), "PROD_2aUyqjCzEIiEcYMKj7TZtw"},
		{regexp.QuoteMeta(s.File.StoreSlug), "fieldnotes"},
		{`\b(STO|PROD)_[0-9A-Za-z]{22}`, "${1}_2aUyqjCzEIiEcYMKj7TZtw"},
		{`field-notes-[0-9a-f]{6}`, "field-notes-a1b2c3"},
		{`cs_[0-9a-f]{8}-[0-9a-f-]{27}`, "cs_550e8400-e29b-41d4-a716-446655440000"},
		{`ORD_[0-9A-Za-z]{22}`, "ORD_2aUyqjCzEIiEcYMKj7TZtw"},
		{`PAY_[0-9A-Za-z]{22}`, "PAY_2aUyqjCzEIiEcYMKj7TZtw"},
		{`TKT_[0-9A-Za-z]{22}`, "TKT_2aUyqjCzEIiEcYMKj7TZtw"},
		{`("currentVersionId": )"[^"]*"`, `${1}"550e8400-e29b-71d4-a716-446655440000"`},
		{`eyJ[\w-]+\.[\w-]+\.[\w-]+`, "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`, "2026-11-23T10:00:00.000Z"},
		{`("id": )"[0-9a-f]{8}-[0-9a-f-]{27}"`, `${1}"11111111-2222-4333-8444-555555555555"`},
		{`("on": )"\d{4}-\d\d-\d\d"`, `${1}"2026-11-23"`},
		{`("dataVersion": )"[^"]*"`, `${1}"2026-11-23-a1b2c3d4"`},
		{`("X-Timestamp": )"\d+"`, `${1}"1795442400"`},
		{`("Stripe-Signature": )"[^"]*"`, `${1}"t=1795442400,v1=5f3a"`},
		{`("created": )\d+`, `${1}1795442400`},
		{`"cs_test_[0-9A-Za-z]{20,}"`, `"cs_test_a1b2c3d4"`},
		{`("X-Signature": )"[^"]*"`, `${1}"bWVyY2hhbnQ="`},
		{`("checkoutUrl": "https://pay.example.com/sandbox/(?:[^"]*/)?)[^"/]*"`, `${1}cs_test_a1b2c3d4"`},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.example)
	}
	return text
}
