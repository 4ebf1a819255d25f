package sessions

import (
	"crypto/rand"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	merchantID = "MER_2aUyqjCzEIiEcYMKj7TZtw"
	storeID    = "STO_2aUyqjCzEIiEcYMKj7TZtw"
	productID  = "PROD_2aUyqjCzEIiEcYMKj7TZtw"
	sessionID  = "cs_550e8400-e29b-41d4-a716-446655440000"
	now        = 1_795_000_000_000
)

// amounts are as Stripe's adapter has them.
func amounts(c money.Currency) (psp.Amounts, bool) {
	switch c {
	case "KWD":
		return psp.Amounts{SmallestUnit: 10, Min: 10, Max: 999_999_999_990}, true
	case "KPW":
		return psp.Amounts{}, false
	}
	return psp.Amounts{SmallestUnit: 1, Min: 50, Max: 999_999_999_999}, true
}

// opening is a merchant's call for a product with a newer version in test than in prod.
func opening() *Opening {
	usd := func(minor int64) catalog.Price {
		return catalog.Price{Amount: money.Amount{Minor: minor, Currency: "USD"}, Category: tax.SaaS}
	}
	gross := catalog.Price{Amount: money.Amount{Minor: 1234, Currency: "KWD"}, Category: tax.Ebook, TaxIncluded: true}
	yen := catalog.Price{Amount: money.Amount{Minor: 4500, Currency: "JPY"}, Category: tax.Ebook, TaxIncluded: true}
	return &Opening{
		Seller: Seller{Environment: checkout.Test, MerchantID: merchantID},
		Product: &catalog.Product{
			ID: productID, StoreID: storeID, Type: checkout.OneTime,
			Test: catalog.Listing{Version: &catalog.Version{
				ID: "PVER_new", Number: 2, Name: "Kit, second edition", Description: "New.",
				Prices: []catalog.Price{usd(31_00), yen, gross}, SuccessURL: "https://example.com/product",
			}},
			Prod: catalog.Listing{Version: &catalog.Version{ID: "PVER_old", Number: 1, Name: "Kit", Prices: []catalog.Price{usd(29_00)}}},
		},
		Store: &catalog.Store{
			ID: storeID, MerchantID: merchantID, Seller: tax.Seller{Country: "FR", Everywhere: true},
		},
		Amounts: amounts, SessionID: sessionID, Now: now,
	}
}

func visiting(o *Opening) *Opening {
	o.MerchantID, o.StoreID = "", storeID
	return o
}

func request() *Request { return &Request{ProductID: productID, Currency: "USD"} }

func TestOpenLocks(t *testing.T) {
	got, refused := Open(opening(), request())
	if refused != nil {
		t.Fatal(refused)
	}
	want := &Session{
		Session: checkout.Session{
			ID: sessionID, Environment: checkout.Test, StoreID: storeID,
			Product: checkout.Product{
				ID: productID, VersionID: "PVER_new", Type: checkout.OneTime, Name: "Kit, second edition", Description: "New.",
			},
			Terms: checkout.Terms{
				Price: money.Amount{Minor: 31_00, Currency: "USD"}, Category: tax.SaaS,
				Seller: tax.Seller{Country: "FR", Everywhere: true}, Step: 1,
			},
			ExpiresAt:  now + 45*60*1000,
			SuccessURL: "https://example.com/product",
		},
		MerchantID: merchantID,
		CreatedAt:  now, LastsUntil: now + 27_000_000,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestOpenInProd(t *testing.T) {
	o := opening()
	o.Environment = checkout.Prod
	got, refused := Open(o, request())
	if refused != nil {
		t.Fatal(refused)
	}
	if got.Environment != checkout.Prod || got.Product.VersionID != "PVER_old" || got.Terms.Price.Minor != 29_00 {
		t.Errorf("%+v", got.Session)
	}
}

func TestOpenSubscription(t *testing.T) {
	o := opening()
	o.Product.Type = checkout.Subscription
	if got, refused := Open(o, request()); refused != nil || got.Product.Type != checkout.Subscription {
		t.Errorf("a subscription's session is needed to refuse its order: %+v, %v", got, refused)
	}
}

// everything is a request with every field set; the billing detail is the SDK's own example, which lacks the state.
func everything() *Request {
	lifetime, dark, personal := int64(600), true, false
	return &Request{
		ProductID: productID, Currency: "JPY",
		PriceSnapshot:    &Snapshot{Amount: "1980", TaxCategory: "software", TaxIncluded: true},
		ExpiresInSeconds: &lifetime,
		Metadata:         map[string]string{"campaign": "spring"},
		ExternalID:       "ORDER-2026-00891",
		BuyerEmail:       " Foo@Bar.COM",
		Billing:          &billing.Input{Country: "us", IsBusiness: &personal, Postcode: "10001"},
		SuccessURL:       "https://example.com/thank-you",
		DarkMode:         &dark,
		Language:         "zh-Hant-TW",
	}
}

func TestOpenEverything(t *testing.T) {
	r := everything()
	got, refused := Open(opening(), r)
	if refused != nil {
		t.Fatal(refused)
	}
	want := checkout.Terms{
		Price: money.Amount{Minor: 1980, Currency: "JPY"}, Inclusive: true, Category: tax.Software,
		Seller: tax.Seller{Country: "FR", Everywhere: true}, Step: 1,
	}
	if !reflect.DeepEqual(got.Terms, want) {
		t.Errorf("terms %+v", got.Terms)
	}
	if got.ExpiresAt != now+600_000 || got.ExternalID != r.ExternalID || !maps.Equal(got.Metadata, r.Metadata) {
		t.Errorf("the merchant's fields: %+v", got)
	}
	checkPrefill(t, got, r)
}

// TestOpenUnderSlug: the merchant's four fields are dropped without being looked at, the buyer's stay.
func TestOpenUnderSlug(t *testing.T) {
	r := everything()
	*r.ExpiresInSeconds = -1
	r.PriceSnapshot.Amount = "free"
	r.ExternalID = strings.Repeat("x", 129)
	before := *r
	got, refused := Open(visiting(opening()), r)
	if refused != nil {
		t.Fatal(refused)
	}
	if got.Terms.Price.Minor != 4500 || got.ExpiresAt != now+2_700_000 || got.ExternalID != "" || got.Metadata != nil {
		t.Errorf("the merchant's fields: %+v", got)
	}
	if got.MerchantID != merchantID {
		t.Errorf("merchant %q", got.MerchantID)
	}
	if !reflect.DeepEqual(*r, before) {
		t.Error("the request was changed")
	}
	checkPrefill(t, got, r)
}

func checkPrefill(t *testing.T, got *Session, r *Request) {
	t.Helper()
	if got.BuyerEmail != r.BuyerEmail || !reflect.DeepEqual(got.Billing, r.Billing) || got.SuccessURL != r.SuccessURL ||
		got.DarkMode != r.DarkMode || got.Language != r.Language {
		t.Errorf("the buyer's fields are not as typed: %+v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	const (
		wantProduct  = "Invalid productId: expected Product Short ID format (PROD_xxx)"
		wantCurrency = `Invalid currency: expected 3-letter ISO 4217 currency code (e.g., "USD")`
		wantAmount   = `Invalid priceSnapshot.amount: expected positive numeric string in display format (e.g., "9.99", "1000")`
		wantCategory = "Invalid priceSnapshot.taxCategory: expected one of [digital_goods, saas, software, ebook, " +
			"online_course, consulting, professional_service]"
		wantLifetime = "Invalid expiresInSeconds: expected positive integer of at most 604800"
		wantLanguage = `Invalid language: expected IETF BCP 47 tag (e.g., "pt-BR")`
	)
	snapshot := func(amount, category string) func(*Opening, *Request) {
		return func(_ *Opening, r *Request) { r.PriceSnapshot = &Snapshot{Amount: amount, TaxCategory: category} }
	}
	in := func(currency string, also func(*Opening, *Request)) func(*Opening, *Request) {
		return func(o *Opening, r *Request) { r.Currency = currency; also(o, r) }
	}
	nothing := func(*Opening, *Request) {}
	lasting := func(seconds int64) func(*Opening, *Request) {
		return func(_ *Opening, r *Request) { r.ExpiresInSeconds = &seconds }
	}
	speaking := func(tag string) func(*Opening, *Request) { return func(_ *Opening, r *Request) { r.Language = tag } }

	for _, c := range []struct {
		name  string
		spoil func(*Opening, *Request)
		kind  problem.Kind
		path  string
		text  string
	}{
		{"nothing given", func(_ *Opening, r *Request) { *r = Request{} }, problem.Invalid, "/productId",
			"Missing required field: productId"},
		{"no currency", in("", nothing), problem.Invalid, "/currency", "Missing required field: currency"},
		{"another thing's id", func(_ *Opening, r *Request) { r.ProductID = storeID }, problem.Invalid, "/productId", wantProduct},
		{"half an id", func(_ *Opening, r *Request) { r.ProductID = "PROD_xxx" }, problem.Invalid, "/productId", wantProduct},
		{"small currency", in("usd", nothing), problem.Invalid, "/currency", wantCurrency},
		{"no currency of ISO 4217", in("ABC", nothing), problem.Invalid, "/currency", wantCurrency},

		{"unknown product", func(o *Opening, _ *Request) { o.Product, o.Store = nil, nil }, problem.NotFound, "/productId",
			"Product not found"},
		{"another merchant's", func(o *Opening, _ *Request) { o.Store.MerchantID = "MER_0" }, problem.NotFound, "/productId",
			"Product not found"},
		{"another store's", func(o *Opening, _ *Request) { visiting(o).StoreID = "STO_0" }, problem.NotFound, "/productId",
			"Product not found"},
		{"nobody's call", func(o *Opening, _ *Request) { o.MerchantID = "" }, problem.NotFound, "/productId", "Product not found"},
		{"store and product apart", func(o *Opening, _ *Request) { o.Product.StoreID = "STO_0" }, problem.NotFound, "/productId",
			"Product not found"},
		{"inactive", func(o *Opening, _ *Request) { o.Product.Test.Inactive = true }, problem.NotFound, "/productId",
			"Product not found"},
		{"never published", func(o *Opening, _ *Request) { o.Product.Prod, o.Environment = catalog.Listing{}, checkout.Prod },
			problem.NotFound, "/productId", "Product not found"},

		{"no price", in("EUR", nothing), problem.Invalid, "/currency", "Product has no price in EUR"},
		{"price below the PSP's step", in("KWD", nothing), problem.Invalid, "/currency",
			"Product price in KWD cannot be charged: expected a multiple of 0.010 KWD"},
		{"price below the PSP's minimum", in("JPY", func(o *Opening, _ *Request) { o.Product.Test.Version.Prices[1].Amount.Minor = 40 }),
			problem.Invalid, "/currency", "Product price in JPY cannot be charged: expected at least 50 JPY"},
		{"no PSP", func(o *Opening, _ *Request) { o.Amounts = nil }, problem.Invalid, "",
			"No payment provider is configured for environment test"},
		{"currency of no PSP", in("KPW", snapshot("100", "saas")), problem.Invalid, "/currency", "Unsupported currency: KPW"},

		{"snapshot without amount", snapshot("", "saas"), problem.Invalid, "/priceSnapshot/amount",
			"Missing required field: priceSnapshot.amount"},
		{"snapshot of nothing", snapshot("0.00", "saas"), problem.Invalid, "/priceSnapshot/amount", wantAmount},
		{"snapshot below nothing", snapshot("-1", "saas"), problem.Invalid, "/priceSnapshot/amount", wantAmount},
		{"snapshot with a comma", snapshot("1,00", "saas"), problem.Invalid, "/priceSnapshot/amount", wantAmount},
		{"snapshot with an exponent", snapshot("1e2", "saas"), problem.Invalid, "/priceSnapshot/amount", wantAmount},
		{"snapshot too fine", snapshot("1.000", "saas"), problem.Invalid, "/priceSnapshot/amount",
			"Invalid priceSnapshot.amount: expected at most 2 decimals in USD"},
		{"yen with decimals", in("JPY", snapshot("100.0", "saas")), problem.Invalid, "/priceSnapshot/amount",
			"Invalid priceSnapshot.amount: expected at most 0 decimals in JPY"},
		{"snapshot below the PSP's minimum with its tax", func(_ *Opening, r *Request) { r.PriceSnapshot = &Snapshot{"0.45", "saas", true} },
			problem.Invalid, "/priceSnapshot/amount", "Invalid priceSnapshot.amount: expected at least 0.50 USD"},
		{"snapshot below the PSP's minimum", snapshot("0.41", "saas"), problem.Invalid, "/priceSnapshot/amount",
			"Invalid priceSnapshot.amount: expected at least 0.50 USD"},
		{"snapshot too fine for the PSP", in("KWD", snapshot("1.505", "saas")), problem.Invalid, "/priceSnapshot/amount",
			"Invalid priceSnapshot.amount: expected a multiple of 0.010 KWD"},
		{"snapshot too large", snapshot("1000000000.00", "saas"), problem.Invalid, "/priceSnapshot/amount",
			"Invalid priceSnapshot.amount: expected at most 999999999.99 USD"},
		{"snapshot beyond an integer", snapshot(strings.Repeat("9", 40), "saas"), problem.Invalid, "/priceSnapshot/amount",
			"Invalid priceSnapshot.amount: expected at most 999999999.99 USD"},
		{"snapshot without category", snapshot("1", ""), problem.Invalid, "/priceSnapshot/taxCategory",
			"Missing required field: priceSnapshot.taxCategory"},
		{"snapshot of no category", snapshot("1", "SaaS"), problem.Invalid, "/priceSnapshot/taxCategory", wantCategory},

		{"no lifetime", lasting(0), problem.Invalid, "/expiresInSeconds", wantLifetime},
		{"less than none", lasting(-1), problem.Invalid, "/expiresInSeconds", wantLifetime},
		{"more than a week", lasting(604_801), problem.Invalid, "/expiresInSeconds", wantLifetime},
		{"more than an integer of milliseconds", lasting(1 << 62), problem.Invalid, "/expiresInSeconds", wantLifetime},
		{"51 pairs", func(_ *Opening, r *Request) { r.Metadata = pairs(51) }, problem.Invalid, "/metadata",
			catalog.ErrMetadata.Message},
		{"a long key", func(_ *Opening, r *Request) { r.Metadata = map[string]string{long(41): ""} }, problem.Invalid, "/metadata",
			catalog.ErrMetadata.Message},
		{"a long value", func(_ *Opening, r *Request) { r.Metadata = map[string]string{"key": long(501)} }, problem.Invalid, "/metadata",
			catalog.ErrMetadata.Message},
		{"a long e-mail address", func(_ *Opening, r *Request) { r.BuyerEmail = long(255) }, problem.Invalid, "/buyerEmail",
			"Invalid buyerEmail"},
		{"a long country", billed(billing.Input{Country: long(21)}), problem.Invalid, "/billingDetail/country",
			"billingDetail.country must be at most 20 bytes"},
		{"a long state", billed(billing.Input{State: long(101)}), problem.Invalid, "/billingDetail/state",
			"billingDetail.state must be at most 100 bytes"},
		{"a long postcode", billed(billing.Input{Postcode: long(21)}), problem.Invalid, "/billingDetail/postcode",
			"billingDetail.postcode must be at most 20 bytes"},
		{"a long name", billed(billing.Input{BusinessName: long(301)}), problem.Invalid, "/billingDetail/businessName",
			"billingDetail.businessName must be at most 300 bytes"},
		{"a long tax id", billed(billing.Input{TaxID: long(41)}), problem.Invalid, "/billingDetail/taxId",
			"billingDetail.taxId must be at most 40 bytes"},
		{"129 characters", func(_ *Opening, r *Request) { r.ExternalID = strings.Repeat("é", 129) }, problem.Invalid,
			"/orderMerchantExternalId", "orderMerchantExternalId must be at most 128 characters"},
		{"script", func(_ *Opening, r *Request) { r.SuccessURL = "javascript:alert(1)" }, problem.Invalid, "/successUrl",
			"Invalid successUrl"},
		{"localhost in prod", func(o *Opening, r *Request) { o.Environment, r.SuccessURL = checkout.Prod, "http://localhost/ok" },
			problem.Invalid, "/successUrl", "Invalid successUrl"},
		{"an address in prod", func(o *Opening, r *Request) { o.Environment, r.SuccessURL = checkout.Prod, "https://192.0.2.1/ok" },
			problem.Invalid, "/successUrl", "Invalid successUrl"},
		{"another port in prod", func(o *Opening, r *Request) {
			o.Environment, r.SuccessURL = checkout.Prod, "https://example.com:8443/ok"
		},
			problem.Invalid, "/successUrl", "Invalid successUrl"},
		{"a visitor's own host", func(o *Opening, r *Request) {
			visiting(o).Store.Links.Website, r.SuccessURL = "https://shop.example", "https://evil.example/"
		}, problem.Invalid, "/successUrl", "Invalid successUrl"},
		{"a product without a name", func(o *Opening, _ *Request) { o.Product.Test.Version.Name = " \x00\u200e" }, problem.Invalid,
			"/productId", "Product has no name"},
		{"a product's way back", func(o *Opening, _ *Request) { o.Product.Test.Version.SuccessURL = "javascript:alert(1)" },
			problem.Invalid, "/productId", "Product has an invalid successUrl"},
		{"a plan change of what is sold once", func(_ *Opening, r *Request) { r.OriginOrderID = "ORD_1" }, problem.Invalid,
			"/originOrderId", "Invalid originOrderId: a plan change needs a subscription product"},
		{"a plan change", func(o *Opening, r *Request) { o.Product.Type, r.OriginOrderID = checkout.Subscription, "ORD_1" },
			problem.Invalid, "/originOrderId", "Invalid originOrderId: plan changes are not supported"},
		{"a plan change under a slug", func(o *Opening, r *Request) { visiting(o); r.OriginOrderID = "ORD_1" }, problem.Invalid,
			"/originOrderId", "Invalid originOrderId: a plan change needs a subscription product"},
		{"a trial of what is sold once", func(_ *Opening, r *Request) { r.WithTrial = new(true) }, problem.Invalid, "/withTrial",
			"Invalid trial: it needs a subscription product"},
		{"methods in two ways", func(_ *Opening, r *Request) {
			r.IncludePaymentMethods, r.ExcludePaymentMethods = []string{"card"}, []string{"wechat"}
		}, problem.Invalid, "/excludePaymentMethods", "includePaymentMethods and excludePaymentMethods are mutually exclusive"},
		{"some methods", func(_ *Opening, r *Request) { r.IncludePaymentMethods = []string{"card"} }, problem.Invalid,
			"/includePaymentMethods", "Invalid includePaymentMethods: the payment provider's settings choose the payment methods"},
		{"not some methods", func(_ *Opening, r *Request) { r.ExcludePaymentMethods = []string{"card"} }, problem.Invalid,
			"/excludePaymentMethods", "Invalid excludePaymentMethods: the payment provider's settings choose the payment methods"},
		{"one letter", speaking("x"), problem.Invalid, "/language", wantLanguage},
		{"underscore", speaking("pt_BR"), problem.Invalid, "/language", wantLanguage},
		{"digits for a language", speaking("12"), problem.Invalid, "/language", wantLanguage},
		{"hyphen at the end", speaking("pt-"), problem.Invalid, "/language", wantLanguage},
		{"long subtag", speaking("pt-Brazilian"), problem.Invalid, "/language", wantLanguage},
		{"long tag", speaking("en" + strings.Repeat("-abc", 9)), problem.Invalid, "/language", wantLanguage},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, r := opening(), request()
			c.spoil(o, r)
			session, refused := Open(o, r)
			if refused == nil {
				t.Fatalf("accepted: %+v", session)
			}
			if session != nil || refused.Kind != c.kind || refused.Path != c.path || refused.Message != c.text || refused.Code == "" {
				t.Errorf("got %v %s %q, want %v %s %q", refused.Kind, refused.Path, refused.Message, c.kind, c.path, c.text)
			}
		})
	}
}

// TestLengths: what a session keeps is as long as what an order takes, and no longer.
func TestLengths(t *testing.T) {
	yes := true
	longest := billing.Input{Country: "HK", IsBusiness: &yes, State: long(maxState), Postcode: long(maxPostcode),
		BusinessName: long(maxBusinessName), TaxID: long(maxTaxID)}
	if _, refused := billing.Check(longest); refused != nil {
		t.Errorf("an order does not take what a session keeps: %v", refused)
	}
	for name, in := range map[string]func(*billing.Input){
		"state":        func(in *billing.Input) { in.State += "x" },
		"postcode":     func(in *billing.Input) { in.Postcode += "x" },
		"businessName": func(in *billing.Input) { in.BusinessName += "x" },
		"taxId":        func(in *billing.Input) { in.TaxID += "x" },
	} {
		longer := longest
		in(&longer)
		if _, refused := billing.Check(longer); len(refused) != 1 {
			t.Errorf("an order takes a longer %s: %v", name, refused)
		}
	}
	address := long(64) + "@" + long(63) + "." + long(63) + "." + long(61)
	if len(address) != maxEmail || !email.Valid(address) || email.Valid(address+"x") {
		t.Errorf("an order takes an e-mail address of other lengths than %d", maxEmail)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func billed(in billing.Input) func(*Opening, *Request) {
	return func(_ *Opening, r *Request) { r.Billing = &in }
}

// TestOpenAccepts is the other side of the limits.
func TestOpenAccepts(t *testing.T) {
	for name, change := range map[string]func(*Opening, *Request){
		"no trial": func(_ *Opening, r *Request) { r.WithTrial = new(false) },
		"a trial":  func(o *Opening, r *Request) { o.Product.Type, r.WithTrial = checkout.Subscription, new(true) },
		"a visitor's wish for what only merchants set": func(o *Opening, r *Request) {
			visiting(o)
			r.WithTrial, r.IncludePaymentMethods, r.ExcludePaymentMethods = new(true), []string{"card"}, []string{"card"}
		},
		"a visitor's return to the store's website": func(o *Opening, r *Request) {
			visiting(o).Store.Links.Website, r.SuccessURL = "https://Shop.example/home", "https://shop.example/thanks"
		},
		"a visitor's return to the store's origin": func(o *Opening, r *Request) {
			visiting(o).Store.Origins, r.SuccessURL = []string{"https://app.shop.example"}, "https://app.shop.example/thanks"
		},
		"a visitor's return to the product's page": func(o *Opening, r *Request) {
			visiting(o).Store.Links.Website, r.SuccessURL = "https://shop.example", "https://example.com/thanks"
		},
		"a merchant's other host": func(o *Opening, r *Request) {
			o.Store.Links.Website, r.SuccessURL = "https://shop.example", "https://other.example/thanks"
		},
		"a percent sign":      func(_ *Opening, r *Request) { r.SuccessURL = "https://example.com/sale/50%off?x=%zz" },
		"one second":          func(_ *Opening, r *Request) { r.ExpiresInSeconds = new(int64(1)) },
		"a week":              func(_ *Opening, r *Request) { r.ExpiresInSeconds = new(int64(604_800)) },
		"50 pairs":            func(_ *Opening, r *Request) { r.Metadata = pairs(50) },
		"128 characters":      func(_ *Opening, r *Request) { r.ExternalID = strings.Repeat("é", 128) },
		"localhost in test":   func(_ *Opening, r *Request) { r.SuccessURL = "http://localhost:3000/ok" },
		"largest price":       func(_ *Opening, r *Request) { r.PriceSnapshot = &Snapshot{"999999999.99", "saas", false} },
		"tax lifts the total": func(_ *Opening, r *Request) { r.PriceSnapshot = &Snapshot{"0.45", "saas", false} },
		"tens of fils": func(_ *Opening, r *Request) {
			r.Currency, r.PriceSnapshot = "KWD", &Snapshot{"1.500", "saas", false}
		},
		"currency of the snapshot only": func(_ *Opening, r *Request) {
			r.Currency, r.PriceSnapshot = "CHF", &Snapshot{"19.80", "saas", false}
		},
		"inactive elsewhere": func(o *Opening, _ *Request) { o.Product.Prod.Inactive = true },
		"a broken prefill": func(_ *Opening, r *Request) {
			r.BuyerEmail, r.Billing = "nobody", &billing.Input{Country: "XX", TaxID: "?"}
		},
	} {
		o, r := opening(), request()
		change(o, r)
		if _, refused := Open(o, r); refused != nil {
			t.Errorf("%s: %v", name, refused)
		}
	}
}

// TestOpenLanguages takes every tag that the SDK names.
func TestOpenLanguages(t *testing.T) {
	const tags = "en pt-BR es-MX id-ID vi-VN ru-RU en-KE es-PE es-CO es-CL zh-Hant-TW zh-Hant-HK th-TH ja-JP en-NG ko-KR en-HK " +
		"zh-Hans-HK pl-PL tr-TR zh-Hans ms-MY"
	for tag := range strings.FieldsSeq(tags) {
		if !isLanguageTag(tag) {
			t.Errorf("%s is refused", tag)
		}
	}
}

func pairs(n int) map[string]string {
	m := make(map[string]string, n)
	for i := range n {
		m[strconv.Itoa(i)] = "x"
	}
	return m
}

// TestOpenDemo opens a session for each product of the demo, each environment and currency.
func TestOpenDemo(t *testing.T) {
	demo, err := catalog.NewDemo(time.UnixMilli(now), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, product := range demo.Products {
		for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
			for currency := range strings.FieldsSeq("USD EUR GBP HKD JPY") {
				o := &Opening{
					Seller: Seller{Environment: env, MerchantID: demo.Merchant.ID}, Product: product, Store: demo.Store, Amounts: amounts, Now: now,
				}
				session, refused := Open(o, &Request{ProductID: product.ID, Currency: currency})
				if refused != nil || string(session.Terms.Price.Currency) != currency || session.Product.Name == "" {
					t.Errorf("%s in %s for %s: %+v, %v", product.ID, env, currency, session, refused)
				}
			}
		}
	}
}
