package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// place is one store of one merchant in one environment, with one object of each kind.
type place struct {
	merchant, store int
	env             checkout.Environment

	key                                              *demo.Client
	merchantID, storeID, slug, productID             string
	sessionID, orderID, webhookID, token, otherToken string
	paymentID, paidOrderID                           string // of another order of the buyer

	ticketPaymentID, ticketOrderID string          // of a third order of the buyer
	ticketIDs                      []string        // rejected
	receipts                       map[string]bool // the paths of the documents of paidOrderID
}

func (p *place) otherEnvironment() checkout.Environment {
	if p.env == checkout.Test {
		return checkout.Prod
	}
	return checkout.Test
}

// credential is a kind of credential.
type credential string

const (
	asMerchant credential = "merchant"
	asCustomer credential = "customer" // the buyer of the order
	asStranger credential = "stranger" // another buyer of the same store
	asShopper  credential = "shopper"
	asVisitor  credential = "visitor"
)

// isolation is a server with two merchants, each with two stores in both environments.
type isolation struct {
	data, address string
	shop          *shoptest.Shop
	places        []*place // those of the second merchant in the second half
}

// newIsolation makes the merchants by the operator's commands and everything else over the API. The server is stopped when it returns.
func newIsolation(t *testing.T) *isolation {
	t.Helper()
	w := &isolation{data: t.TempDir(), address: freeAddress(t)}
	running := w.serve(t)
	for m := range 2 {
		merchantID := makeMerchant(t, w.data, fmt.Sprint("Merchant ", m)).Merchant.ID
		keys := make(map[checkout.Environment]*demo.Client)
		for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
			keys[env] = signer(t, w.shop.URL, merchantID, makeKey(t, w.data, merchantID, env).PrivateKey)
		}
		for s := range 2 {
			w.places = append(w.places, w.openStore(t, place{merchant: m, store: s, merchantID: merchantID}, keys)...)
		}
	}
	running.kill()
	r := openRecords(t, w.data)
	defer r.close()
	for _, p := range w.places {
		session, _ := r.order(t, p.sessionID)
		p.orderID = session.OrderID
	}
	return w
}

// serve starts the server until the test ends. crepe dev has a provider in both environments.
func (w *isolation) serve(t *testing.T) *program {
	t.Helper()
	running := start(t, w.data, w.address)
	w.shop = &shoptest.Shop{URL: "http://" + w.address}
	return running
}

// openStore creates a store with a product, and in each environment a session with an order, a webhook and tokens.
func (w *isolation) openStore(t *testing.T, common place, keys map[checkout.Environment]*demo.Client) (places []*place) {
	t.Helper()
	var store struct{ Store struct{ ID, Slug string } }
	must(t, keys[checkout.Test].Call("/v1/actions/store/create-store", map[string]any{"name": fmt.Sprint("Store ", common.store)}, &store))
	var product struct{ Product struct{ ID string } }
	must(t, keys[checkout.Test].Call("/v1/actions/onetime-product/create-product",
		map[string]any{"storeId": store.Store.ID, "name": "Product", "prices": prices}, &product))
	must(t, keys[checkout.Test].Call("/v1/actions/onetime-product/publish-product", map[string]any{"id": product.Product.ID}, &product))
	common.storeID, common.slug, common.productID = store.Store.ID, store.Store.Slug, product.Product.ID
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		p := common
		p.env, p.key = env, keys[env]
		w.sell(t, &p)
		places = append(places, &p)
	}
	return places
}

func (w *isolation) sell(t *testing.T, p *place) {
	t.Helper()
	token := func(identity string) string {
		var issued struct{ Token string }
		must(t, p.key.Call("/v1/actions/auth/issue-session-token", map[string]any{"storeId": p.storeID, "buyerIdentity": identity}, &issued))
		return issued.Token
	}
	p.token, p.otherToken = token("buyer"), token("stranger")
	session, err := p.key.CreateSession(p.productID, "")
	must(t, err)
	p.sessionID = session.SessionID
	var added struct{ Webhook struct{ ID string } }
	must(t, p.key.Call("/v1/actions/store/add-webhook", map[string]any{"storeId": p.storeID, "channel": "http", "url": "https://example.com/hook",
		"events": []string{"order.completed"}, "testMode": p.env == checkout.Test}, &added))
	p.webhookID = added.Webhook.ID
	order := shoptest.OrderFor(p.sessionID)
	body, err := json.Marshal(order)
	must(t, err)
	w.shop.Post(t, shoptest.CreateOrderPath, string(body), w.headers(t, asCustomer, p, "", "")).CheckoutURL(t)
}

// headers are the headers of a request with a credential of a place.
func (w *isolation) headers(t *testing.T, by credential, p *place, path, body string) map[string]string {
	t.Helper()
	switch by {
	case asMerchant:
		headers, err := p.key.Sign(path, []byte(body))
		must(t, err)
		return headers
	case asVisitor:
		return map[string]string{"X-Store-Slug": p.slug, "X-Environment": string(p.env)}
	case asShopper:
		var issued struct{ Data struct{ Token string } }
		got := w.shop.Post(t, "/v1/actions/auth/issue-shopper-token", `{"checkoutSessionId":"`+p.sessionID+`"}`, w.headers(t, asVisitor, p, "", ""))
		if err := json.Unmarshal([]byte(got.Body), &issued); err != nil || issued.Data.Token == "" {
			t.Fatalf("%s: no token for a shopper: %v", p, got)
		}
		return bearer(issued.Data.Token, p.env)
	case asStranger:
		return bearer(p.otherToken, p.env)
	}
	return bearer(p.token, p.env)
}

func bearer(token string, env checkout.Environment) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token, "X-Environment": string(env)}
}

// records reads all records of the places from a stopped server, by the names of their kinds and ids.
func (w *isolation) records(t *testing.T) map[string]any {
	t.Helper()
	r := openRecords(t, w.data)
	defer r.close()
	all := make(map[string]any)
	read := func(id string, record any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		all[id] = record
	}
	for _, p := range w.places {
		merchant, err := r.db.Merchant(t.Context(), p.merchantID)
		read(p.merchantID, merchant, err)
		store, err := r.db.Store(t.Context(), p.storeID)
		read(p.storeID, store, err)
		product, err := r.db.Product(t.Context(), p.productID)
		read(p.productID, product, err)
		endpoints, err := r.db.Endpoints(t.Context(), p.env, p.storeID)
		read("webhooks of "+p.storeID+" in "+string(p.env), endpoints, err)
		session, order := r.order(t, p.sessionID)
		read(p.sessionID, session, nil)
		read(p.orderID, order, nil)
		for _, id := range []string{p.paidOrderID, p.ticketOrderID} {
			paid, err := r.db.Order(t.Context(), p.env, id)
			read(id, paid, err)
		}
	}
	if strings.Contains(fmt.Sprint(all), "Taken") {
		t.Error("a record was changed by a foreign caller")
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
