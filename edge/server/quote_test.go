package server

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/goccy/go-json"
)

// TestQuoteCall: the API quotes exactly what an order then freezes, and stores nothing.
func TestQuoteCall(t *testing.T) {
	shop := openShop(t)
	session := shop.Session(t, nil).SessionID
	token := shop.Token(t, "user-1")
	const path = "/v1/actions/checkout/quote"
	body := `{"checkoutSessionId":"` + session + `","explain":true,"billingDetail":{"country":"CA","isBusiness":false,"state":"QC"}}`
	got := shop.Post(t, path, body, shoptest.Bearer(token))
	var answer struct {
		Data struct {
			SubtotalMinor, TaxMinor, TotalMinor int64
			Components                          []struct{ Tax string }
			Explanation                         []struct{ ID, Source string }
		}
	}
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || got.Status != 200 {
		t.Fatalf("%v: %s", err, got)
	}
	q := answer.Data
	if len(q.Components) != 2 || len(q.Explanation) == 0 || q.Explanation[0].Source == "" || q.TotalMinor != q.SubtotalMinor+q.TaxMinor {
		t.Errorf("got %s", got)
	}
	if again := shop.Post(t, path, body, map[string]string{"X-Store-Slug": shop.File.StoreSlug, "X-Environment": "test"}); again.Body != got.Body {
		t.Errorf("a visitor of the page gets %s", again)
	}
	if stored, _ := shop.stored(t, session); stored.Version != 1 {
		t.Errorf("the quotes wrote version %d", stored.Version)
	}
	for name, body := range map[string]string{
		"State is required for US/CA": `{"checkoutSessionId":"` + session + `","billingDetail":{"country":"CA","isBusiness":false}}`,
		"Missing billingDetail":       `{"checkoutSessionId":"` + session + `"}`,
		"Checkout session invalid":    `{"checkoutSessionId":"cs_0","billingDetail":{"country":"DE","isBusiness":false}}`,
	} {
		if got := shop.Post(t, path, body, shoptest.Bearer(token)); got.Status/100 != 4 || !strings.Contains(got.Body, name) {
			t.Errorf("%s: %s", name, got)
		}
	}
	shop.CreateOrder(t, token, map[string]any{"checkoutSessionId": session, "buyerEmail": "ada@example.com",
		"billingDetail": map[string]any{"country": "CA", "isBusiness": false, "state": "QC"}}).CheckoutURL(t)
	_, order := shop.stored(t, session)
	if a := order.Sold().Quote.Assessment; a.Total != q.TotalMinor || a.Tax != q.TaxMinor {
		t.Errorf("quoted %d + %d, ordered %d + %d", q.SubtotalMinor, q.TaxMinor, a.Subtotal, a.Tax)
	}
}
