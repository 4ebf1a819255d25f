package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const cancelPath = "/v1/actions/onetime-order/cancel-order"

// orderOf creates an order of a buyer and returns its id and the provider's URL.
func (s *shop) orderOf(t *testing.T, token string) (id, url string) {
	t.Helper()
	session := s.Session(t, nil).SessionID
	url = s.CreateOrder(t, token, shoptest.OrderFor(session)).CheckoutURL(t)
	stored, err := s.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	return stored.OrderID, url
}

// TestCancelOrder: a customer cancels an order that is not paid, and only theirs; the answer says so only when the provider's
// checkout has ended.
func TestCancelOrder(t *testing.T) {
	s := openShop(t)
	token := s.Token(t, "user-17")
	id, _ := s.orderOf(t, token)
	post := func(body string, header map[string]string) shoptest.Reply {
		t.Helper()
		return s.Post(t, cancelPath, body, header)
	}
	for _, c := range []struct {
		name, body string
		header     map[string]string
		status     int
		text       string
	}{
		{"no credential", `{"orderId":"` + id + `"}`, nil, 401, `"message":"Authentication failed","layer":"user"`},
		{"a bad token", `{"orderId":"` + id + `"}`, shoptest.Bearer("x"), 401, `"message":"Authentication failed","layer":"user"`},
		{"a shopper", `{"orderId":"` + id + `"}`, shoptest.Bearer(s.ShopperToken(t, s.Session(t, nil).SessionID)), 401, `"message":"Authentication failed","layer":"user"`},
		{"a visitor", `{"orderId":"` + id + `"}`, s.Visitor(), 401, `"message":"Authentication failed","layer":"user"`},
		{"another buyer", `{"orderId":"` + id + `"}`, shoptest.Bearer(s.Token(t, "user-18")), 404, `"message":"Order not found","layer":"order"`},
		{"unknown", `{"orderId":"ORD_2aUyqjCzEIiEcYMKj7TZtw"}`, shoptest.Bearer(token), 404, `"message":"Order not found","layer":"order"`},
		{"no id", `{}`, shoptest.Bearer(token), 400, `"message":"Missing required field: orderId"`},
		{"wrong type", `{"orderId":7}`, shoptest.Bearer(token), 400, `"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/orderId"`},
	} {
		if r := post(c.body, c.header); r.Status != c.status || !strings.Contains(r.Body, c.text) {
			t.Errorf("%s: %s", c.name, r)
		}
	}
	s.sandboxes[checkout.Test].Script("expire.lost_response")
	if r := post(`{"orderId":"`+id+`"}`, shoptest.Bearer(token)); r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("without the provider's answer: %s", r)
	}
	if r := post(`{"orderId":"`+id+`","more":1}`, shoptest.Bearer(token)); r.Status != 200 || strings.TrimSpace(r.Body) != `{"data":{"orderId":"`+id+`","status":"canceled"}}` {
		t.Errorf("got %s", r)
	}
	if r := post(`{"orderId":"`+id+`"}`, shoptest.Bearer(token)); r.Status != 400 || !strings.Contains(r.Body, "Order cannot be canceled, current status: canceled") {
		t.Errorf("again: %s", r)
	}
	paid, url := s.orderOf(t, token)
	s.Pay(t, url)
	shoptest.Eventually(t, "the order is completed", func() bool {
		r := post(`{"orderId":"`+paid+`"}`, shoptest.Bearer(token))
		return r.Status == 400 && strings.Contains(r.Body, "Order cannot be canceled, current status: completed")
	})
}
