package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// canaries are personal data and secrets in the requests of buyers and merchants. None of them may appear in a log, or in what is
// stored or sent for others to read.
var canaries = map[string]string{
	"e-mail": "canary-mail", "company": "Canary Company GmbH", "VAT number": "DE136695976", "postcode": "10117", "address": "203.0.113.77",
	"proxy's address": "198.51.100.199", "idempotency key": "canary-idempotency-key", "buyer": "canary-identity",
	"return address": "canary-return", "metadata": "canary-metadata", "external id": "canary-external", "panic": "canary-panic",
	"bad header": "canary-header", "bad token": "canary-token", "provider's key": sandboxKey, "street": "Canary Street 1", "city": "Canaryville",
	"query": "canary-query", "dashboard token": "canary-dashboard-token-0123456789abcdef", "webhook's path": "canary-hook",
}

// shapes match tokens, signatures and keys.
var shapes = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8}|whsec_|sk_(test|live)_|BEGIN [A-Z ]*PRIVATE KEY|v1=[0-9a-f]{16}|Bearer |[A-Za-z0-9+/]{80}`)

// durations are how long requests took, whose digits can be those of a canary by chance.
var durations = regexp.MustCompile(`took(=|":)[^ ,]*`)

// TestCanaries drives a shop through successes and failures with canaries in the requests, and searches for them in the log at debug
// level in both formats, in the metrics, in stored errors, in idempotency keys and in stored requests.
func TestCanaries(t *testing.T) {
	shop := openTuned(t, func(s *server) {
		s.extra = map[string]fasthttp.RequestHandler{
			"/canary/panic": func(*fasthttp.RequestCtx) { panic(errors.New(canaries["panic"])) },
			"/canary/index": func(ctx *fasthttp.RequestCtx) { _ = []byte(canaries["panic"])[len(ctx.Path())*10] },
		}
		if err := s.openMetrics(); err != nil {
			t.Fatal(err)
		}
	}, orderTimes(150*time.Millisecond, 300*time.Millisecond), withTools, withMetrics, trusting("127.0.0.0/8"),
		func(c *Config) { c.DashboardToken = canaries["dashboard token"] })
	c := &canary{shop: shop, token: shop.Token(t, canaries["buyer"])}
	merchant := newListener(t)
	merchant.status = func(int) int { return 500 }
	c.addWebhook(t, merchant.URL+"/"+canaries["webhook's path"], "order.completed")
	c.orders(t)
	c.webhooks(t)
	c.strangers(t)
	c.readers(t)
	for range 3 { // resolve unknown outcomes
		for _, do := range []func(context.Context) error{shop.server.orders.Sweep, shop.server.orders.Reconcile} {
			if err := do(t.Context()); err != nil {
				t.Log(err)
			}
		}
	}

	log := durations.ReplaceAllString(shop.log.String(), "")
	for _, want := range []string{"webhook refused", "event in quarantine", "request failed", "credential refused", "level=ERROR msg=panic",
		"connection closed after an error", "reconciled", "webhook sent", "provider called", "msg=request", "a login to the dashboard was refused"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q: the test no longer sees what is logged", want)
		}
	}
	inspect(t, "the log", log)
	inspect(t, "the log as JSON", durations.ReplaceAllString(shop.json.String(), ""))
	_, metrics := shop.scrape(t)
	inspect(t, "the metrics", metrics)
	for _, id := range c.sessions { // a capability
		if strings.Contains(log+metrics, id) {
			t.Errorf("the log or the metrics have the id of a session")
		}
	}
	inspect(t, "the sandbox's log", c.page(t, "/sandbox/log"))
	attempts, stored := 0, 0
	for _, id := range c.sessions {
		_, order := shop.stored(t, id)
		for i := range order.Attempts {
			a := &order.Attempts[i]
			attempts++
			inspect(t, "a stored fault", a.LastError)
			inspect(t, "an idempotency key", a.Key)
			inspect(t, "a stored path", a.Request.Path)
			if len(a.Request.Body) > 0 {
				stored++
				inspect(t, "a stored request", string(a.Request.Body), "e-mail", "return address") // which the provider is to know
			}
		}
	}
	if attempts < 10 || stored == 0 {
		t.Errorf("%d attempts only, %d of them with their bytes", attempts, stored)
	}
	known, err := shop.sandboxes[checkout.Test].Sessions()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range known {
		inspect(t, "a key that was sent", k.Key)
	}
}

// canary is a shop whose requests contain canaries.
type canary struct {
	*shop
	token    string
	sessions []string // with an order
}

// everyFault are the faults of the orders; "" is none.
var everyFault = []string{"", "timeout", "reset", "429", "409", "400", "502", "lost_response", "reset_side_effect", "truncated", "malformed",
	"huge", "502_side_effect", "500_saved", "500_side_effect", "slow-400ms"}

// headers are those of a buyer's request.
func (c *canary) headers() map[string]string {
	h := shoptest.Bearer(c.token)
	h["X-Idempotency-Key"] = canaries["idempotency key"]
	h["X-Forwarded-For"] = canaries["proxy's address"]
	return h
}

// order is a business's request.
func (c *canary) order(session, email string) string {
	return fmt.Sprintf(`{"checkoutSessionId":"%s","buyerEmail":"%s","buyerIp":"%s","successUrl":"https://shop.example/%s","billingDetail":`+
		`{"country":"DE","isBusiness":true,"businessName":"%s","taxId":"%s","postcode":"%s","street":"%s","city":"%s"}}`, session, email, canaries["address"],
		canaries["return address"], canaries["company"], canaries["VAT number"], canaries["postcode"], canaries["street"], canaries["city"])
}

// orders sends valid and invalid orders, with every fault of the provider, and pays one.
func (c *canary) orders(t *testing.T) {
	for _, fault := range everyFault {
		id := c.Session(t, map[string]any{"metadata": map[string]string{"k": canaries["metadata"]},
			"orderMerchantExternalId": canaries["external id"], "buyerEmail": canaries["e-mail"] + "@example.com"}).SessionID
		email := canaries["e-mail"] + "+" + fault + "@sandbox.test"
		header := c.headers()
		header["X-Idempotency-Key"] += fault
		got := c.Post(t, shoptest.CreateOrderPath, c.order(id, email), header)
		for fault == "" && got.Status/100 == 5 { // a slow machine; it is tried again, as a buyer's page does
			got = c.Post(t, shoptest.CreateOrderPath, c.order(id, email), header)
		}
		if fault == "" && got.Status != http.StatusOK || got.Status/100 == 4 {
			t.Fatalf("%q: %s", fault, got)
		}
		c.sessions = append(c.sessions, id)
		if fault == "" {
			c.Pay(t, got.CheckoutURL(t))
		}
		for _, bad := range []string{
			strings.Replace(c.order(id, email), `"DE"`, `"FR"`, 1), // the tax id is another country's
			c.order(id, canaries["e-mail"]), c.order(id, email) + canaries["e-mail"], c.order(canaries["e-mail"], email),
			strings.Replace(c.order(id, email), canaries["address"], canaries["address"]+"0", 1),
			strings.Replace(c.order(id, email), "https://", "javascript:", 1),
		} {
			if got := c.Post(t, shoptest.CreateOrderPath, bad, shoptest.Bearer(c.token)); got.Status/100 != 4 {
				t.Fatalf("%s: %s", bad, got)
			}
		}
	}
	page := c.Session(t, nil)
	c.SubmitForm(t, page.CheckoutURL, map[string][]string{"country": {"DE"}, "email": {canaries["e-mail"] + "+timeout@sandbox.test"},
		"buyerEmail": {canaries["e-mail"] + "+timeout@sandbox.test"}, "postcode": {canaries["postcode"]}}, nil)
}

// webhooks sends genuine events that match nothing, and forged ones.
func (c *canary) webhooks(t *testing.T) {
	_, order := c.stored(t, c.sessions[0])
	good := strings.ReplaceAll(paidEvent(order), canaryEmail, canaries["e-mail"])
	for _, body := range []string{good, strings.Replace(good, `"eur"`, `"usd"`, 1), strings.Replace(good, "ORD_", canaries["e-mail"], 1),
		strings.Replace(good, `"attempt":"1"`, `"attempt":"9"`, 1), good[1:], `"` + canaries["e-mail"] + `"`} {
		body = strings.Replace(body, "evt_good", fmt.Sprint("evt_", len(body)), 1)
		c.Post(t, api.WebhookPath(sandboxName, checkout.Test), body, c.signed(body, time.Now()))
		c.Post(t, api.WebhookPath(sandboxName, checkout.Test), body, c.signed(body+" ", time.Now()))
		c.Post(t, api.WebhookPath(sandboxName, checkout.Test), body, map[string]string{"Stripe-Signature": canaries["bad header"]})
	}
	c.sandboxes[checkout.Test].Script("lost", fault.Spec("list.502"), "list.malformed")
}

// strangers sends requests that are refused, incomplete, or cause a panic.
func (c *canary) strangers(t *testing.T) {
	c.Post(t, shoptest.CreateOrderPath, c.order(c.sessions[0], canaries["e-mail"]), shoptest.Bearer(canaries["bad token"]))
	c.Post(t, shoptest.CreateOrderPath, c.order(c.sessions[0], canaries["e-mail"]), shoptest.Bearer(c.token+canaries["bad token"]))
	c.Post(t, "/v1/actions/checkout/create-session", `{"buyerEmail":"`+canaries["e-mail"]+`"}`, map[string]string{
		"X-Merchant-Id": c.File.MerchantID, "X-Timestamp": fmt.Sprint(time.Now().Unix()), "X-Signature": canaries["bad header"]})
	c.Post(t, "/v1/"+canaries["bad header"], "{}", nil)
	for _, path := range []string{"/canary/panic", "/canary/index"} {
		if got := c.Post(t, path, canaries["panic"], nil); got.Status != http.StatusInternalServerError {
			t.Errorf("%s: %s", path, got)
		}
	}
	c.page(t, "/store/x/checkout/"+c.sessions[0]+"?"+canaries["e-mail"])
	address := strings.TrimPrefix(c.PublicURL, "http://")
	for _, c := range []struct{ request, status string }{
		{"POST " + shoptest.CreateOrderPath + " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: Bearer " + c.token + "\r\nX y: " + canaries["bad header"] + "\r\n\r\n", "400"},
		{"POST /" + canaries["bad header"] + "\x00 HTTP/9\r\nAuthorization: Bearer " + canaries["bad token"] + "\r\n\r\n", "400"},
		{"POST / HTTP/1.1\r\nHost: " + address + "\r\nContent-Length: 99999999\r\nX: " + canaries["bad header"] + "\r\n\r\n" +
			strings.Repeat(canaries["panic"], maxBody), "413"},
		{"GET / HTTP/1.1\r\nX: " + strings.Repeat(canaries["bad header"], maxHeader) + "\r\n\r\n", "431"},
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(c.request))
		conn.SetReadDeadline(time.Now().Add(5 * time.Minute))
		answer := make([]byte, len("HTTP/1.1 400"))
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer[len("HTTP/1.1 "):]) != c.status {
			t.Errorf("%.40q…: %q, not %s: %v", c.request, answer, c.status, err)
		}
		conn.Close()
	}
}

// readers sends queries, requests to the dashboard, and requests of which only the header is unusual.
func (c *canary) readers(t *testing.T) {
	for _, query := range []string{`{onetimeOrders(filter:{buyerEmail:{eq:"` + canaries["e-mail"] + `"}}){id}}`, `{` + canaries["query"] + `}`,
		`{store(id:"` + canaries["query"] + `"){id}}`} {
		c.query(t, queryBody(query))
	}
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {c.PublicURL}, "X-Request-Id": {canaries["e-mail"] + "@example.com"}}
	for _, secret := range []string{canaries["bad token"], canaries["dashboard token"]} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", c.PublicURL+"/dashboard/login", strings.NewReader("secret="+secret))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = form
		c.Do(t, request)
	}
	c.page(t, "/dashboard/test/orders?q="+canaries["e-mail"])
	c.ShopperToken(t, c.Session(t, nil).SessionID)
}

// page returns the body of a path.
func (c *canary) page(t *testing.T, path string) string {
	return c.Get(t, path).Body
}

// inspect searches a text for canaries, except the allowed ones, and for secrets.
func inspect(t *testing.T, where, text string, allowed ...string) {
	t.Helper()
	around := func(from, to int) string { return text[max(0, from-100):min(len(text), to+40)] }
	for what, value := range canaries {
		if i := strings.Index(text, value); i >= 0 && !slices.Contains(allowed, what) {
			t.Errorf("%s has the %s: …%s…", where, what, around(i, i))
		}
	}
	if at := shapes.FindStringIndex(text); at != nil {
		t.Errorf("%s has a secret: …%s…", where, around(at[0], at[1]))
	}
}
