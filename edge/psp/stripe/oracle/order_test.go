package oracle

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
)

const (
	apiKey = "sk_test_oracle"
	secret = "whsec_oracle"
)

var adapter = stripe.New(stripe.Config{Key: apiKey, WebhookSecret: secret})

// order generates orders as the core would freeze them: a real tax of a real place on a price in any currency that can be
// charged, in texts that test the encoding.
var order = rapid.Custom(func(t *rapid.T) psp.CheckoutParams {
	return psp.CheckoutParams{
		OrderID: rapid.StringMatching(`ORD_[0-9A-Za-z]{1,40}`).Draw(t, "order"),
		Images:  rapid.SliceOfN(rapid.SampledFrom([]string{"https://cdn.example.com/a.jpg", "https://cdn.example.com/%7E/ä?x=1&y=[2]"}), 0, 9).Draw(t, "images"),
		Attempt: rapid.IntRange(1, 1<<31-1).Draw(t, "attempt"),
		Order: &checkout.Order{
			SessionID:  "cs_" + rapid.StringMatching(`[0-9a-f-]{36}`).Draw(t, "session"),
			Product:    checkout.Product{Name: line.Draw(t, "name"), Description: rapid.OneOf(rapid.Just(""), line).Draw(t, "description")},
			Quote:      quote(t),
			BuyerEmail: rapid.SampledFrom([]string{"", "ada@example.com", "ada+=&%2B@例え.test"}).Draw(t, "email"),
		},
		SuccessTo: address.Draw(t, "success"),
		CancelTo:  rapid.OneOf(rapid.Just(""), address).Draw(t, "cancel"),
		Language:  rapid.SampledFrom(slices.Sorted(maps.Keys(locales))).Draw(t, "language"),
		ExpiresAt: time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "expires"), 0).UTC(),
	}
})

// locales are languages with what Stripe's page calls them.
var locales = map[string]string{
	"": "auto", "en-US": "en", "en-GB": "en-GB", "de": "de", "de-AT": "de", "es-MX": "es-419", "fr-CA": "fr-CA", "nn": "nb",
	"pt-BR": "pt-BR", "tl": "fil", "zh-Hans-CN": "zh", "zh-Hant-TW": "zh-TW", "zh-HK": "zh-HK", "ar": "auto",
}

// odd characters mean something in a form, a URL or JSON, or are seldom thought of.
const odd = "a é日👩‍👩‍👧&=+%;#?/[]{}\"'\\<>~*.\x00\t\r\n\u00a0\u2028\u202e\ufeff\ufffd"

// text is what merchants may write.
var text = rapid.OneOf(
	rapid.String(),
	rapid.StringOf(rapid.SampledFrom([]rune(odd))),
	rapid.SampledFrom([]string{"", "%2B", "%", "a[b]=c&d", "{CHECKOUT_SESSION_ID}", "null", "true", "1e3"}),
	rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
)

// line is a text as the adapter shows it: its own tests say what it does with control characters and space around a text.
var line = rapid.Map(text, func(s string) string {
	return strings.TrimSpace("N" + strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
})

var address = rapid.Custom(func(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"https://shop.example/thanks", "https://shop.example/t?id={CHECKOUT_SESSION_ID}", "https://shop.example/?a=b%20c&d=e+f&",
		"http://127.0.0.1:8787/store/s/checkout/cs_1/complete#",
	}).Draw(t, "page") + text.Draw(t, "rest")
})

// places have no tax, one and two. The last is the Azores, which have a rate of their own within Portugal.
var places = []billing.Detail{
	{Country: "HK"}, {Country: "DE"}, {Country: "JP"}, {Country: "US", State: "TX"}, {Country: "US", State: "OR"},
	{Country: "CA", State: "ON"}, {Country: "CA", State: "QC"}, {Country: "PT", Postcode: "9500-321"},
}

// chargeable are the currencies that the adapter takes.
var chargeable = slices.Collect(func(yield func(money.Currency) bool) {
	for c := range money.Currencies() {
		if _, ok := adapter.Amounts(c); ok && !yield(c) {
			return
		}
	}
})

// quote is of a price that stays below Stripe's maximum with every tax.
func quote(t *rapid.T) checkout.Quote {
	currency := rapid.SampledFrom(chargeable).Draw(t, "currency")
	limits, _ := adapter.Amounts(currency)
	steps := rapid.Int64Range(1, 5e9).Draw(t, "price")
	place := rapid.SampledFrom(places).Draw(t, "place")
	terms := checkout.Terms{
		Price: money.Amount{Minor: steps * limits.SmallestUnit, Currency: currency}, Step: limits.SmallestUnit,
		Inclusive: rapid.Bool().Draw(t, "inclusive"), Category: tax.SaaS, Seller: tax.Seller{Country: "DE", Everywhere: true},
	}
	q, refused := terms.Quote(&place, "", civil.DateOf(1_795_000_000_000), nil)
	if refused != nil {
		t.Fatal(refused)
	}
	return q
}

// plain is an order with nothing odd about it.
func plain() psp.CheckoutParams {
	vat := tax.Component{Jurisdiction: "DE", Tax: "vat", Rate: 19_000, Base: 100, Taxable: 2900, Amount: 551}
	return psp.CheckoutParams{
		OrderID: "ORD_1", Attempt: 1,
		Order: &checkout.Order{
			SessionID: "cs_550e8400-e29b-41d4-a716-446655440000",
			Product:   checkout.Product{Name: "Northline Pro", Description: "A licence for one person"},
			Quote: checkout.Quote{Currency: "EUR", Assessment: tax.Assessment{
				Subtotal: 2900, Tax: 551, Total: 3451, Components: []tax.Component{vat},
			}},
			BuyerEmail: "ada@example.com",
		},
		SuccessTo: "https://shop.example/thanks?id={CHECKOUT_SESSION_ID}", CancelTo: "https://shop.example/cart", Language: "de",
		ExpiresAt: time.Now().Add(time.Hour).Truncate(time.Second),
	}
}

func render(t testing.TB, p psp.CheckoutParams) psp.RenderedRequest {
	t.Helper()
	wire, err := adapter.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// seed gives a fuzz target inputs that are long enough to make an order of.
func seed(f *testing.F) {
	for i := range byte(4) {
		random, input := rand.NewChaCha8([32]byte{i}), make([]byte, 16<<10)
		random.Read(input)
		f.Add(input)
	}
}
