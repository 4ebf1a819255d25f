package server

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const (
	storePath   = "/v1/actions/store/"
	productPath = "/v1/actions/onetime-product/"
)

// act sends a request of the demo merchant to an action.
func (s *shop) act(t *testing.T, env checkout.Environment, path, body string, header map[string]string) shoptest.Reply {
	t.Helper()
	client, err := demo.NewClient(s.URL, s.File.MerchantID, s.File.PrivateKey[env])
	if err != nil {
		t.Fatal(err)
	}
	signed, err := client.Sign(path, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(signed, header)
	return s.Post(t, path, body, signed)
}

// newStore makes a store, and newProduct a product; they return its id.
func (s *shop) newStore(t *testing.T) string {
	t.Helper()
	return member(t, s.act(t, checkout.Test, storePath+"create-store", `{"name":"Field Notes"}`, nil), "store", "id")
}

func (s *shop) newProduct(t *testing.T, storeID string) string {
	t.Helper()
	return member(t, s.act(t, checkout.Test, productPath+"create-product",
		`{"storeId":"`+storeID+`","name":"Guide","prices":{"EUR":{"amount":"19.00","taxCategory":"ebook"}}}`, nil), "product", "id")
}

// TestCatalogInput: a wrong type is a 400 with its path, an unknown member is ignored, and null means what it is documented to mean.
func TestCatalogInput(t *testing.T) {
	shop := openShop(t)
	store := shop.newStore(t)
	product := shop.newProduct(t, store)
	id, productID := `"id":"`+store+`"`, `"id":"`+product+`"`
	for _, c := range []struct{ path, body, want string }{
		{storePath + "create-store", `[]`, `Invalid JSON body`},
		{storePath + "create-store", `{"name":7}`, `"path":"/name"`},
		{storePath + "create-store", `{"Name":"x"}`, `Missing required field: name`},
		{storePath + "create-store", `{"name":null}`, `Missing required field: name`},
		{storePath + "update-store", `{` + id + `,"id":"` + store + `"}`, `Invalid JSON body`},
		{storePath + "update-store", `{"id":["x"]}`, `"path":"/id"`},
		{storePath + "update-store", `{` + id + `,"name":{}}`, `"path":"/name"`},
		{storePath + "update-store", `{` + id + `,"checkoutSettings":true}`, `"path":"/checkoutSettings"`},
		{storePath + "update-store", `{` + id + `,"checkoutSettings":{"light":{"checkoutColorCard":1}}}`, `"path":"/checkoutSettings/light/checkoutColorCard"`},
		{storePath + "update-store", `{` + id + `,"checkoutSettings":{"defaultDarkMode":"yes"}}`, `"path":"/checkoutSettings/defaultDarkMode"`},
		{storePath + "update-store", `{` + id + `,"notificationSettings":{"a/b~c":"on"}}`, `"path":"/notificationSettings/a~1b~0c"`},
		{storePath + "update-store", `{` + id + `,"seller":{"registrations":[{"jurisdiction":"EU","from":20260101}]}}`, `"path":"/seller/registrations/0/from"`},
		{storePath + "update-store", `{` + id + `,"seller":{"registrations":{}}}`, `"path":"/seller/registrations"`},
		{storePath + "update-store", `{` + id + `,"origins":"https://a.example"}`, `"path":"/origins"`},
		{storePath + "update-store", `{` + id + `,"name":null}`, `Missing required field: name`},
		{storePath + "update-store", `{` + id + `,"status":null}`, `Invalid status: expected one of [active, inactive, suspended]`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":[]}`, `"path":"/prices"`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":{"EUR":{"amount":19}}}`, `"path":"/prices/EUR/amount"`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":{"EUR":{"amount":"19","taxCategory":"saas","taxIncluded":1}}}`,
			`"path":"/prices/EUR/taxIncluded"`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":null}`, `Missing required field: prices`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":{"EUR":null}}`, `Missing required field: prices.EUR.amount`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":{"EUR":{"amount":"0.49","taxCategory":"saas","taxIncluded":true}}}`,
			`"code":"price-not-chargeable","path":"/prices/EUR/amount"`},
		{productPath + "create-product", `{"storeId":"` + store + `","name":"x","prices":{"KPW":{"amount":"9","taxCategory":"saas"}}}`,
			`the payment provider does not support KPW`},
		{productPath + "update-product", `{` + productID + `,"media":[{"type":"image","url":7}]}`, `"path":"/media/0/url"`},
		{productPath + "update-product", `{` + productID + `,"metadata":[]}`, `"path":"/metadata"`},
		{productPath + "update-status", `{` + productID + `,"status":true}`, `"path":"/status"`},
	} {
		if got := shop.act(t, checkout.Test, c.path, c.body, nil); got.Status != http.StatusBadRequest || !strings.Contains(got.Body, c.want) ||
			!strings.Contains(got.Body, `"errors":[{`) {
			t.Errorf("%s: %s, want %s", c.body, got, c.want)
		}
	}
	for _, c := range []struct{ path, body, want string }{
		{storePath + "update-store", `{` + id + `,"logo":"https://cdn.example.com/l.svg","unknown":{"a":1},"seller":{"country":"DE","legalName":"A"}}`,
			`"logo":"https://cdn.example.com/l.svg"`},
		{storePath + "update-store", `{` + id + `}`, `"logo":"https://cdn.example.com/l.svg"`},
		{storePath + "update-store", `{` + id + `,"logo":null,"seller":{"legalName":null}}`, `"logo":null`},
		{storePath + "update-store", `{` + id + `}`, `"country":"DE","everywhere":false,"registrations":[],"legalName":null`},
		{storePath + "update-store", `{` + id + `,"seller":null}`, `"country":null`},
		{productPath + "update-product", `{` + productID + `,"metadata":{"n":1.50,"deep":{"a":[null, true]},"z":12345678901234567890},"description":"x"}`,
			`"metadata":{"deep":{"a":[null,true]},"n":1.50,"z":12345678901234567890}`},
		{productPath + "update-product", `{` + productID + `,"name":null,"prices":null,"description":null}`, `"name":"Guide","description":null`},
		{productPath + "update-product", `{` + productID + `,"metadata":null,"media":null}`, `"metadata":{}`},
	} {
		if got := shop.act(t, checkout.Test, c.path, c.body, nil); got.Status != http.StatusOK || !strings.Contains(got.Body, c.want) {
			t.Errorf("%s: %s, want %s", c.body, got, c.want)
		}
	}
}

// TestCatalogIdempotency: a repeated key has the stored answer, also with members in another order; another request is refused, one with a
// null instead of nothing too.
func TestCatalogIdempotency(t *testing.T) {
	shop := openShop(t)
	store := shop.newStore(t)
	key := map[string]string{"X-Idempotency-Key": "p-1"}
	body := func(name string) string {
		return `{"storeId":"` + store + `","name":"` + name + `","prices":{"EUR":{"amount":"19.00","taxCategory":"ebook"}}}`
	}
	first := member(t, shop.act(t, checkout.Test, productPath+"create-product", body("Guide"), key), "product", "id")
	turned := `{"prices":{"EUR":{"taxCategory":"ebook","amount":"19.00"}}, "name":"Guide", "ignored":1, "storeId":"` + store + `"}`
	if again := member(t, shop.act(t, checkout.Test, productPath+"create-product", turned, key), "product", "id"); again != first {
		t.Errorf("made %s and %s", first, again)
	}
	for _, other := range []string{body("Another"), strings.Replace(body("Guide"), `"name"`, `"description":null,"name"`, 1)} {
		if got := shop.act(t, checkout.Test, productPath+"create-product", other, key); got.Status != http.StatusBadRequest {
			t.Errorf("%s: %s", other, got)
		}
	}
	if prod := member(t, shop.act(t, checkout.Prod, productPath+"create-product", body("Guide"), key), "product", "id"); prod == first {
		t.Error("a key of prod replays the answer of test")
	}
	refused := map[string]string{"X-Idempotency-Key": "p-2"}
	if got := shop.act(t, checkout.Test, productPath+"create-product", body(" "), refused); got.Status != http.StatusBadRequest {
		t.Errorf("%s", got)
	}
	member(t, shop.act(t, checkout.Test, productPath+"create-product", body("Guide"), refused), "product", "id")
}

// TestEnvironments: the key's environment decides which status changes; content is edited in test and reaches prod when it is published, with
// either key.
func TestEnvironments(t *testing.T) {
	shop := openShop(t)
	product := shop.newProduct(t, shop.newStore(t))
	id := `{"id":"` + product + `"`
	sells := func(env checkout.Environment) bool {
		got := shop.act(t, env, "/v1/actions/checkout/create-session", `{"productId":"`+product+`","currency":"EUR"}`, nil)
		if got.Status != http.StatusOK && !strings.Contains(got.Body, "Product not found") {
			t.Errorf("%s", got)
		}
		return got.Status == http.StatusOK
	}
	check := func(when string, test, prod bool) {
		t.Helper()
		if sells(checkout.Test) != test || sells(checkout.Prod) != prod {
			t.Errorf("%s: test %t, prod %t", when, sells(checkout.Test), sells(checkout.Prod))
		}
	}
	check("new", true, false)
	shop.act(t, checkout.Prod, productPath+"publish-product", id+`}`, nil)
	check("published", true, true)
	shop.act(t, checkout.Test, productPath+"update-status", id+`,"status":"inactive"}`, nil)
	check("inactive in test", false, true)
	shop.act(t, checkout.Prod, productPath+"update-status", id+`,"status":"inactive"}`, nil)
	shop.act(t, checkout.Test, productPath+"update-status", id+`,"status":"active"}`, nil)
	check("inactive in prod", true, false)
	if got := shop.act(t, checkout.Prod, productPath+"update-product", id+`,"name":"Second"}`, nil); member(t, got, "product", "name") != "Second" ||
		member(t, got, "product", "status") != "active" {
		t.Errorf("%s", got)
	}
	if got := shop.act(t, checkout.Prod, productPath+"update-status", id+`,"status":"active"}`, nil); member(t, got, "product", "name") != "Guide" {
		t.Errorf("%s", got)
	}
}

// TestClosedStore: a store that is not active opens no sessions, and those that are open can be paid; a deleted store is as unknown.
func TestClosedStore(t *testing.T) {
	shop := openShop(t)
	store := shop.newStore(t)
	product := shop.newProduct(t, store)
	session := func() shoptest.Reply {
		return shop.act(t, checkout.Test, "/v1/actions/checkout/create-session", `{"productId":"`+product+`","currency":"EUR"}`, nil)
	}
	open := member(t, session(), "sessionId")
	token := member(t, shop.act(t, checkout.Test, "/v1/actions/auth/issue-session-token", `{"storeId":"`+store+`","buyerIdentity":"ada"}`, nil), "token")
	slug := ""
	for _, status := range []string{"inactive", "suspended", "active"} {
		slug = member(t, shop.act(t, checkout.Test, storePath+"update-store", `{"id":"`+store+`","status":"`+status+`"}`, nil), "store", "slug")
		closed := status != "active"
		if got := session(); closed != strings.Contains(got.Body, "Store is not active") {
			t.Errorf("%s: %s", status, got)
		}
		if got := shop.Get(t, fmt.Sprintf("/store/%s/product/%s?test=true", slug, product)); closed != (got.Status == http.StatusBadRequest) {
			t.Errorf("a link while %s: %s", status, got)
		}
		if got := shop.CreateOrder(t, token, shoptest.OrderFor(open)); got.Status != http.StatusOK {
			t.Errorf("%s: %s", status, got)
		}
	}
	member(t, shop.act(t, checkout.Test, storePath+"delete-store", `{"id":"`+store+`"}`, nil), "store", "deletedAt")
	for path, body := range map[string]string{
		storePath + "update-store":              `{"id":"` + store + `"}`,
		storePath + "delete-store":              `{"id":"` + store + `"}`,
		productPath + "create-product":          `{"storeId":"` + store + `","name":"x"}`,
		productPath + "update-product":          `{"id":"` + product + `"}`,
		productPath + "publish-product":         `{"id":"` + product + `"}`,
		productPath + "update-status":           `{"id":"` + product + `","status":"active"}`,
		"/v1/actions/checkout/create-session":   `{"productId":"` + product + `","currency":"EUR"}`,
		"/v1/actions/auth/issue-session-token":  `{"storeId":"` + store + `","buyerIdentity":"ada"}`,
		"/v1/actions/auth/issue-session-token ": `{"productId":"` + product + `","buyerIdentity":"ada"}`,
	} {
		path = strings.TrimSpace(path)
		got := shop.act(t, checkout.Test, path, body, nil)
		unknown := strings.NewReplacer(store, "STO_0000000000000000000000", product, "PROD_0000000000000000000000").Replace(body)
		if want := shop.act(t, checkout.Test, path, unknown, nil); got.Status != http.StatusNotFound || got.Body != want.Body {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := shop.Get(t, fmt.Sprintf("/store/%s/product/%s?test=true", slug, product)); got.Status != http.StatusNotFound {
		t.Errorf("a link: %s", got)
	}
	if got := shop.CreateOrder(t, token, shoptest.OrderFor(open)); got.Status != http.StatusOK {
		t.Errorf("an open session of a deleted store: %s", got)
	}
}

// TestUnsupported: what Crêpe does not have answers 501 with errors, to everybody.
func TestUnsupported(t *testing.T) {
	shop := openShop(t)
	for _, path := range []string{"store-merchant/add-merchant", "subscription-product/create-product", "subscription-product-group/create-group",
		"subscription-order/cancel-order", "verification/scan-prompt"} {
		for _, got := range []shoptest.Reply{shop.act(t, checkout.Prod, "/v1/actions/"+path, `{}`, nil), shop.Post(t, "/v1/actions/"+path, `{`, nil)} {
			var answer struct {
				Data   *struct{}
				Errors []struct{ Message, Layer, Code string }
			}
			if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || got.Status != http.StatusNotImplemented || answer.Data != nil ||
				len(answer.Errors) != 1 || !strings.HasPrefix(answer.Errors[0].Message, "Not supported") {
				t.Errorf("%s: %s", path, got)
			}
		}
	}
}
