package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestCreateOrderRefusals sends the requests of the published error table and more over HTTP, and checks the status, the body and
// that nothing is stored. Each row differs from a successful request in the one thing that it names.
func TestCreateOrderRefusals(t *testing.T) {
	shop := openShop(t)
	token := shop.Token(t, "user-1")
	good := shop.Session(t, nil).SessionID
	const email, germany = `"buyerEmail":"ada@example.com"`, `"billingDetail":{"country":"DE","isBusiness":false}`
	order := func(session string, members ...string) string {
		return `{` + strings.Join(append([]string{`"checkoutSessionId":"` + session + `"`}, members...), ",") + `}`
	}
	detail := func(d string) string { return order(good, email, `"billingDetail":`+d) }
	test := shoptest.Bearer(token)

	rows := []struct {
		name, body string
		header     map[string]string
	}{
		{"no X-Environment", order(good, email, germany), map[string]string{"Authorization": "Bearer " + token}},
		{"another X-Environment", order(good, email, germany), map[string]string{"Authorization": "Bearer " + token, "X-Environment": "live"}},
		{"no token", order(good, email, germany), map[string]string{"X-Environment": "test"}},
		{"a token of the other environment", order(good, email, germany), map[string]string{"Authorization": "Bearer " + token, "X-Environment": "prod"}},
		{"a damaged token", order(good, email, germany), shoptest.Bearer(token[:len(token)-4] + "AAAA")},
		{"not JSON", `{"checkoutSessionId":`, test},
		{"not an object", `["` + good + `"]`, test},
		{"trailing data", order(good, email, germany) + `{}`, test},
		{"a member twice", order(good, email, email, germany), test},
		{"bad UTF-8", order(good, `"buyerEmail":"`+"\xff"+`"`, germany), test},
		{"an address of the wrong type", order(good, email, germany, `"billingAddress":{"city":17}`), test},
		{"a known field of the wrong type", order(good, email, `"billingDetail":{"country":"DE","isBusiness":"false"}`), test},
		{"no checkoutSessionId", `{` + email + `,` + germany + `}`, test},
		{"an unknown session", order("cs_550e8400-e29b-41d4-a716-446655440000", email, germany), test},
		{"a malformed session id", order("../../etc/passwd", email, germany), test},
		{"a session of another store", order(shop.foreignSession(t), email, germany), test},
		{"a session of a subscription", order(shop.SubscriptionSession(t), email, germany), test},
		{"a session of the other environment", order(shop.ProdSession(t), email, germany), test},
		{"no billingDetail", order(good, email), test},
		{"an empty billingDetail", detail(`{}`), test},
		{"no isBusiness", detail(`{"country":"DE"}`), test},
		{"no such country", detail(`{"country":"XX","isBusiness":false}`), test},
		{"US without state", detail(`{"country":"US","isBusiness":false}`), test},
		{"US with a wrong state", detail(`{"country":"US","isBusiness":false,"state":"QC"}`), test},
		{"CA with a wrong state", detail(`{"country":"CA","isBusiness":false,"state":"TX"}`), test},
		{"a business without a name", detail(`{"country":"US","isBusiness":true,"state":"TX"}`), test},
		{"an EU business without a taxId", detail(`{"country":"DE","isBusiness":true,"businessName":"A"}`), test},
		{"an EU business with a wrong taxId", detail(`{"country":"DE","isBusiness":true,"businessName":"A","taxId":"DE136695975"}`), test},
		{"a wrong postcode where it decides the tax", detail(`{"country":"ES","isBusiness":false,"postcode":"SW1A"}`), test},
		{"no buyerEmail", order(good, germany), test},
		{"a wrong buyerEmail", order(good, germany, `"buyerEmail":"ada"`), test},
		{"a wrong buyerIp", order(good, email, germany, `"buyerIp":"1.2.3"`), test},
		{"a wrong successUrl", order(good, email, germany, `"successUrl":"javascript:alert(1)"`), test},
	}
	rows = append(rows, []struct {
		name, body string
		header     map[string]string
	}{
		{"a member that is spelled otherwise", `{"CheckoutSessionID":"` + good + `",` + email + `,` + germany + `}`, test},
		{"a member that another might be taken for", order("cs_0", email, germany, `"CHECKOUTSESSIONID":"`+good+`"`), test},
		{"an expired session", order(shop.expiredSession(t), email, germany), test},
		{"a paid session", order(shop.paidSession(t, token), email, germany), test},
		{"a used shopper token", order(good, email, germany), shoptest.Bearer(shop.usedToken(t))},
		{"a total below the provider's minimum", order(shop.Session(t, map[string]any{"priceSnapshot": map[string]any{
			"amount": "0.45", "taxCategory": "saas"}}).SessionID, email, `"billingDetail":{"country":"HK","isBusiness":false}`), test},
		{"the provider refuses", order(shop.Session(t, nil).SessionID, `"buyerEmail":"400@sandbox.test"`, germany), test},
	}...)
	var text strings.Builder
	for _, row := range rows {
		text.WriteString("# " + row.name + "\n" + shop.Post(t, shoptest.CreateOrderPath, row.body, row.header).String() + "\n")
	}
	shoptest.Golden(t, "create-order-refusals.txt", text.String())

	stored, err := shop.db.Session(context.Background(), good)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Version != 1 || stored.OrderID != "" {
		t.Errorf("the refusals left version %d and order %q on the session", stored.Version, stored.OrderID)
	}
	shop.Post(t, shoptest.CreateOrderPath, order(good, email, germany), test).CheckoutURL(t)
}

// TestTransportRefusals: every refusal has the envelope that the SDK expects.
func TestTransportRefusals(t *testing.T) {
	shop := openShop(t)
	raw := func(method, path, body string, header http.Header) shoptest.Reply {
		request, err := http.NewRequest(method, shop.PublicURL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = header
		return shop.Do(t, request)
	}
	asJSON := http.Header{"Content-Type": {"application/json"}}
	var text strings.Builder
	for _, row := range []struct {
		name string
		got  shoptest.Reply
	}{
		{"an unknown path", raw("POST", "/v1/actions/nothing/here", "{}", asJSON)},
		{"a path that a router would normalise", raw("POST", "/v1//actions/onetime-order/create-order", "{}", asJSON)},
		{"a query on an action", raw("POST", shoptest.CreateOrderPath+"?x=1", "{}", asJSON)},
		{"GET", raw("GET", shoptest.CreateOrderPath, "", asJSON)},
		{"a body over 64 KiB", raw("POST", shoptest.CreateOrderPath, strings.Repeat(" ", 64<<10+1), asJSON)},
		{"no JSON", raw("POST", shoptest.CreateOrderPath, "a=b", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})},
		{"gzip", raw("POST", shoptest.CreateOrderPath, "{}", http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}})},
		{"two tokens", raw("POST", shoptest.CreateOrderPath, "{}", http.Header{"Content-Type": {"application/json"}, "Authorization": {"a", "b"}})},
		{"no credential for create-session", raw("POST", "/v1/actions/checkout/create-session", "{}", asJSON)},
		{"an unsigned merchant", raw("POST", "/v1/actions/checkout/create-session", "{}",
			http.Header{"Content-Type": {"application/json"}, "X-Merchant-Id": {shop.File.MerchantID}})},
		{"a forged webhook", raw("POST", "/v1/webhooks/sandbox/test", "{}", http.Header{"Content-Type": {"application/json"}, "Stripe-Signature": {"t=1,v1=00"}})},
	} {
		text.WriteString("# " + row.name + "\n" + row.got.String() + "\n")
	}
	shoptest.Golden(t, "transport-refusals.txt", text.String())
}

// TestCreateOrder: an order freezes its total and is written back to the session; the same request returns the same URL, a changed
// one another; the payment completes the order.
func TestCreateOrder(t *testing.T) {
	shop := openShop(t)
	session := shop.Session(t, nil)
	request := map[string]any{"checkoutSessionId": session.SessionID, "buyerEmail": " Ada@Example.COM ",
		"billingDetail": map[string]any{"country": "de", "isBusiness": false}, "storeId": 17}
	token := shop.Token(t, "user-1")
	first := shop.CreateOrder(t, token, request).CheckoutURL(t)

	stored, order := shop.stored(t, session.SessionID)
	quote := order.Sold().Quote
	if a := quote.Assessment; a.Total != a.Subtotal+a.Tax || a.Tax == 0 || order.State != orders.AwaitingPayment {
		t.Errorf("the order froze %+v and is %s", quote, order.State)
	}
	if stored.BuyerEmail != "ada@example.com" || stored.Billing == nil || stored.Billing.Country != "DE" {
		t.Errorf("the session got %q, %+v back", stored.BuyerEmail, stored.Billing)
	}
	if again := shop.CreateOrder(t, token, request).CheckoutURL(t); again != first {
		t.Errorf("the same request led to %s and to %s", first, again)
	}
	request["billingDetail"] = map[string]any{"country": "FR", "isBusiness": false}
	second := shop.CreateOrder(t, token, request).CheckoutURL(t)
	if second == first {
		t.Error("another billing detail led to the same checkout")
	}
	shop.Pay(t, second)
	shoptest.Eventually(t, "the order is paid", func() bool {
		_, order := shop.stored(t, session.SessionID)
		status, _ := order.Published()
		return status == "completed"
	})
	if got := shop.CreateOrder(t, token, request); got.Status != 409 {
		t.Errorf("a paid session answers %s", got)
	}
	_, order = shop.stored(t, session.SessionID)
	if len(order.Payments) != 1 || order.Payments[0].Status != orders.Succeeded || len(order.Attempts) != 2 {
		t.Errorf("payments %+v, %d attempts", order.Payments, len(order.Attempts))
	}
}

// TestProd: the prod environment of the demo sells, too.
func TestProd(t *testing.T) {
	shop := openShop(t)
	merchant, err := demo.NewClient(shop.PublicURL, shop.File.MerchantID, shop.File.PrivateKey[checkout.Prod])
	if err != nil {
		t.Fatal(err)
	}
	token, err := merchant.IssueToken(shop.File.StoreID)
	if err != nil {
		t.Fatal(err)
	}
	session := shop.ProdSession(t)
	url := shop.Post(t, shoptest.CreateOrderPath, `{"checkoutSessionId":"`+session+`","buyerEmail":"ada@example.com",`+
		`"billingDetail":{"country":"DE","isBusiness":false}}`,
		map[string]string{"Authorization": "Bearer " + token, "X-Environment": "prod"}).CheckoutURL(t)
	shop.Pay(t, url)
	shoptest.Eventually(t, "the order is completed", func() bool {
		_, order := shop.stored(t, session)
		status, _ := order.Published()
		return status == "completed"
	})
}

// TestShopperToken: anyone with the link can buy once. Afterwards the same token gets only the same answer.
func TestShopperToken(t *testing.T) {
	shop := openShop(t)
	session := shop.Session(t, nil).SessionID
	token := shop.ShopperToken(t, session)
	request := map[string]any{"checkoutSessionId": session, "billingDetail": map[string]any{"country": "US", "isBusiness": false}}
	if got := shop.CreateOrder(t, token, request); got.Status != 400 {
		t.Errorf("without a state: %s", got)
	}
	request["billingDetail"] = map[string]any{"country": "US", "isBusiness": false, "state": "NY"}
	request["buyerEmail"] = "ada@example.com"
	url := shop.CreateOrder(t, token, request).CheckoutURL(t)
	if again := shop.CreateOrder(t, token, request); again.CheckoutURL(t) != url {
		t.Errorf("the same request again led to %s, first to %s", again, url)
	}
	request["buyerEmail"] = "bob@example.com"
	if got := shop.CreateOrder(t, token, request); got.Status != 401 {
		t.Errorf("a used token with another request: %s", got)
	}
	if got := shop.Post(t, "/v1/actions/checkout/quote", `{"checkoutSessionId":"`+session+`"}`, shoptest.Bearer(token)); got.Status != 401 {
		t.Errorf("a used token for a quote: %s", got)
	}
	request["buyerEmail"] = "ada@example.com"
	if got := shop.CreateOrder(t, token, with(request, "checkoutSessionId", shop.Session(t, nil).SessionID)); got.Status != 401 {
		t.Errorf("a used token for another session: %s", got)
	}
	_, order := shop.stored(t, session)
	if len(order.Attempts) != 1 {
		t.Errorf("%d attempts", len(order.Attempts))
	}
	shop.CreateOrder(t, shop.ShopperToken(t, session), with(request, "buyerEmail", "bob@example.com")).CheckoutURL(t)
	if got := shop.CreateOrder(t, token, request); got.Status != 401 {
		t.Errorf("a used token whose order has been changed since: %s", got)
	}
}

// TestShopperTokenLostAnswer: a request whose response was lost is repeated with the used-up token and gets the same answer, under
// the same idempotency key, another one or none.
func TestShopperTokenLostAnswer(t *testing.T) {
	shop := openShop(t)
	session := shop.Session(t, nil).SessionID
	token := shop.ShopperToken(t, session)
	body := `{"checkoutSessionId":"` + session + `","buyerEmail":"ada@example.com","billingDetail":{"country":"DE","isBusiness":false}}`
	under := func(key string) shoptest.Reply {
		header := shoptest.Bearer(token)
		if key != "" {
			header["X-Idempotency-Key"] = key
		}
		return shop.Post(t, shoptest.CreateOrderPath, body, header)
	}
	first := under("1").CheckoutURL(t)
	for _, key := range []string{"1", "", "2", "2"} {
		if again := under(key).CheckoutURL(t); again != first {
			t.Errorf("under %q %s, first %s", key, again, first)
		}
	}
	header := shoptest.Bearer(token)
	header["X-Environment"] = "prod"
	if got := shop.Post(t, shoptest.CreateOrderPath, body, header); got.Status != 401 {
		t.Errorf("in the other environment: %s", got)
	}
	header = shoptest.Bearer(token[:len(token)-4] + "AAAA")
	header["X-Idempotency-Key"] = "1"
	if got := shop.Post(t, shoptest.CreateOrderPath, body, header); got.Status != 401 {
		t.Errorf("a damaged token under a key that has an answer: %s", got)
	}
}

// TestShopperTokenAtOnce: concurrent identical calls with one shopper token get the same answer or 503 with Retry-After.
func TestShopperTokenAtOnce(t *testing.T) {
	shop := openShop(t)
	session := shop.Session(t, nil).SessionID
	token := shop.ShopperToken(t, session)
	shop.sandboxes[checkout.Test].Script("slow:100ms")
	answers := make(chan shoptest.Reply, 10)
	var wait sync.WaitGroup
	for range cap(answers) {
		wait.Go(func() { answers <- shop.CreateOrder(t, token, shoptest.OrderFor(session)) })
	}
	wait.Wait()
	close(answers)
	urls := make(map[string]int)
	for got := range answers {
		switch {
		case got.Status == 200:
			urls[got.CheckoutURL(t)]++
		case got.Status != 503 || got.Header.Get("Retry-After") == "":
			t.Error(got)
		}
	}
	if len(urls) != 1 {
		t.Errorf("answers: %v", urls)
	}
}

// with returns a copy of a request with one member changed.
func with(request map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(request)
	changed[name] = value
	return changed
}

// stored reads a session and its order from the database.
func (s *shop) stored(t testing.TB, sessionID string) (*sessions.Session, *orders.Order) {
	t.Helper()
	ctx := context.Background()
	session, err := s.db.Session(ctx, sessionID)
	if err != nil {
		t.Fatal(err)
	}
	order, err := s.db.Order(ctx, session.Environment, session.OrderID)
	if err != nil && !errors.Is(err, orders.ErrNotFound) {
		t.Fatal(err)
	}
	return session, order
}
