package server

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/goccy/go-json"
	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestAcceptedIsPayable: everything that create-session and create-order accept is rendered by the adapter and accepted by the
// provider. What cannot be paid is refused with 400, never with 500, which clients would retry.
func TestAcceptedIsPayable(t *testing.T) {
	shop := openShop(t)
	token := shop.Token(t, "user-1")
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"Kit", "", "\x00", "a\x00b\r\n\u0085", "\xff\xfe", "\u200e", "日本語",
		strings.Repeat("é", 5001), strings.Repeat("x", 40_001), "{CHECKOUT_SESSION_ID}&a=b%"}))
	address := rapid.Map(rapid.OneOf(text, rapid.SampledFrom([]string{"sale/50%off", "%zz", "%", "a%20b", "?id={CHECKOUT_SESSION_ID}", "\"<>^`{|}"})),
		func(rest string) string { return "https://shop.example/" + rest })
	amount := rapid.OneOf(rapid.Int64Range(1, 700), rapid.Int64Range(1, 5e11), rapid.SampledFrom([]int64{1, 49, 50, 99_999_999_999, 1e12}))
	answered := map[int]int{}
	rapid.Check(t, func(r *rapid.T) {
		currency := rapid.SampledFrom([]money.Currency{"USD", "EUR", "JPY", "HUF", "KWD", "ISK", "UGX", "MGA", "TND", "CLP"}).Draw(r, "currency")
		version := &catalog.Version{ID: "PVER_1", Number: 2, Name: text.Draw(r, "name"), Description: text.Draw(r, "description"),
			SuccessURL: rapid.SampledFrom([]string{"", "https://shop.example/%"}).Draw(r, "product's URL"),
			Prices: []catalog.Price{{Amount: money.Amount{Minor: amount.Draw(r, "price"), Currency: currency}, Category: tax.SaaS,
				TaxIncluded: rapid.Bool().Draw(r, "inclusive")}}}
		product, err := shop.db.Product(context.Background(), shop.File.Products[0].ID)
		if err != nil {
			r.Fatal(err)
		}
		product.Test.Version = version
		if err := shop.db.Put(context.Background(), catalog.Change{Products: []*catalog.Product{product}}); err != nil {
			r.Fatal(err)
		}
		request := map[string]any{"productId": product.ID, "currency": string(currency)}
		if rapid.Bool().Draw(r, "with a URL") {
			request["successUrl"] = address.Draw(r, "success URL")
		}
		var session demo.Session
		if err := shop.Merchant.Call("/v1/actions/checkout/create-session", request, &session); err != nil {
			if !strings.Contains(err.Error(), "400") {
				r.Fatalf("create-session: %v", err)
			}
			answered[0]++
			return
		}
		body, _ := json.Marshal(map[string]any{"checkoutSessionId": session.SessionID, "buyerEmail": "ada@example.com",
			"billingDetail": map[string]any{"country": rapid.SampledFrom([]string{"HK", "DE", "HU", "JP"}).Draw(r, "country"), "isBusiness": false}})
		got := shop.Post(t, shoptest.CreateOrderPath, string(body), shoptest.Bearer(token))
		answered[got.Status]++
		if got.Status != 200 && got.Status != 400 {
			r.Fatalf("create-order: %s", got)
		}
		stored, err := shop.db.Session(context.Background(), session.SessionID)
		if err != nil {
			r.Fatal(err)
		}
		order, err := shop.db.Order(context.Background(), stored.Environment, stored.OrderID)
		if got.Status == 400 && !errors.Is(err, orders.ErrNotFound) {
			r.Fatalf("%s was refused by the provider first: %+v", got, order)
		}
	})
	t.Logf("answers of create-order, 0 for a refused session: %v", answered)
	if answered[200] == 0 || answered[0] == 0 {
		t.Errorf("too little was tried: %v", answered)
	}
}
