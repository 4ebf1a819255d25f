package catalog

import (
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

func priced(prices map[string]PriceInput) *ProductChange {
	return &ProductChange{Name: Set("Guide"), Prices: Set(prices)}
}

func euros(amount string) map[string]PriceInput {
	return map[string]PriceInput{"EUR": {Amount: amount, TaxCategory: "ebook"}}
}

// TestProductChange: a version has what was given, and what was not given as it was.
func TestProductChange(t *testing.T) {
	first, refused := (&ProductChange{Name: Set(" Guide "), Description: Set("Line 1\nLine 2"), SuccessURL: Set("http://localhost:3000/ok"),
		Prices:   Set(map[string]PriceInput{"USD": {Amount: "29.5", TaxCategory: "saas", TaxIncluded: true}, "JPY": {Amount: "4500", TaxCategory: "ebook"}}),
		Media:    Set([]Media{{Image, "https://cdn.example.com/a.jpg", " Cover ", ""}, {Video, "https://cdn.example.com/a.mp4", "", "https://cdn.example.com/t.jpg"}}),
		Metadata: Set(map[string]JSON{"n": "1.50", "s": `"x"`})}).Apply(new(Version), nil)
	want := &Version{Name: "Guide", Description: "Line 1\nLine 2", SuccessURL: "http://localhost:3000/ok",
		Prices:   []Price{{money.Amount{Minor: 4500, Currency: "JPY"}, tax.Ebook, false}, {money.Amount{Minor: 2950, Currency: "USD"}, tax.SaaS, true}},
		Media:    []Media{{Image, "https://cdn.example.com/a.jpg", "Cover", ""}, {Video, "https://cdn.example.com/a.mp4", "", "https://cdn.example.com/t.jpg"}},
		Metadata: map[string]JSON{"n": "1.50", "s": `"x"`}}
	if refused != nil || !reflect.DeepEqual(first, want) {
		t.Fatalf("%v\ngot  %+v\nwant %+v", refused, first, want)
	}
	for name, c := range map[string]struct {
		change ProductChange
		want   func(*Version)
	}{
		"nothing":                  {ProductChange{}, func(*Version) {}},
		"a name":                   {ProductChange{Name: Set(long(64))}, func(v *Version) { v.Name = long(64) }},
		"no description":           {ProductChange{Description: Set("")}, func(v *Version) { v.Description = "" }},
		"other prices":             {ProductChange{Prices: Set(euros("1.00"))}, func(v *Version) { v.Prices = []Price{{money.Amount{Minor: 100, Currency: "EUR"}, tax.Ebook, false}} }},
		"no media and no metadata": {ProductChange{Media: Set[[]Media](nil), Metadata: Set(map[string]JSON{})}, func(v *Version) { v.Media, v.Metadata = nil, nil }},
		"no success URL":           {ProductChange{SuccessURL: Set("")}, func(v *Version) { v.SuccessURL = "" }},
	} {
		changed := *want
		c.want(&changed)
		got, refused := c.change.Apply(first, nil)
		if refused != nil || !reflect.DeepEqual(got, &changed) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", name, refused, got, &changed)
		}
		if same := sameContent(got, first); same != (name == "nothing") {
			t.Errorf("%s: the content is the same: %t", name, same)
		}
	}
	if !reflect.DeepEqual(first, want) {
		t.Errorf("the first version is now %+v", first)
	}
}

// TestProductChangeRefused: every refusal names its field.
func TestProductChangeRefused(t *testing.T) {
	media := func(m Media) *ProductChange {
		c := priced(euros("1"))
		c.Media = Set([]Media{{Image, "https://a.example/1", "", ""}, m})
		return c
	}
	with := func(change func(*ProductChange)) *ProductChange { c := priced(euros("1")); change(c); return c }
	many := make(map[string]JSON)
	for i := range 51 {
		many[strconv.Itoa(i)] = "1"
	}
	const positive = `expected positive numeric string in display format (e.g., "9.99", "1000")`
	for _, c := range []struct {
		change     *ProductChange
		path, text string
	}{
		{&ProductChange{Prices: Set(euros("1"))}, "/name", "Missing required field: name"},
		{with(func(c *ProductChange) { c.Name = Set(long(65)) }), "/name", "name must be at most 64 characters"},
		{&ProductChange{Name: Set("Guide")}, "/prices", "Missing required field: prices"},
		{priced(nil), "/prices", "prices must contain at least one currency"},
		{priced(map[string]PriceInput{"eur": {}}), "/prices/eur", `Invalid currency: expected 3-letter ISO 4217 currency code (e.g., "USD")`},
		{priced(euros("")), "/prices/EUR/amount", "Missing required field: prices.EUR.amount"},
		{priced(euros("0")), "/prices/EUR/amount", "Invalid prices.EUR.amount: " + positive},
		{priced(euros("0.00")), "/prices/EUR/amount", "Invalid prices.EUR.amount: " + positive},
		{priced(euros("-1")), "/prices/EUR/amount", "Invalid prices.EUR.amount: " + positive},
		{priced(euros("1.")), "/prices/EUR/amount", "Invalid prices.EUR.amount: " + positive},
		{priced(euros("1,00")), "/prices/EUR/amount", "Invalid prices.EUR.amount: " + positive},
		{priced(euros("1e3")), "/prices/EUR/amount", "Invalid prices.EUR.amount: " + positive},
		{priced(euros("1.005")), "/prices/EUR/amount", "Invalid prices.EUR.amount: expected at most 2 decimals in EUR"},
		{priced(euros(strings.Repeat("9", 40))), "/prices/EUR/amount", "Product price in EUR cannot be charged: too much"},
		{priced(map[string]PriceInput{"EUR": {Amount: "1"}}), "/prices/EUR/taxCategory", "Missing required field: prices.EUR.taxCategory"},
		{priced(map[string]PriceInput{"EUR": {Amount: "1", TaxCategory: "food"}}), "/prices/EUR/taxCategory",
			"Invalid prices.EUR.taxCategory: expected one of [digital_goods, saas, software, ebook, online_course, consulting, professional_service]"},
		{priced(map[string]PriceInput{"EUR": {Amount: "1", TaxCategory: "saas", TrialAmount: "0.50"}}), "/prices/EUR/trialAmount",
			"Invalid trial: it needs a subscription product"},
		{with(func(c *ProductChange) { c.Description = Set(long(5001)) }), "/description", "description must be at most 5000 characters"},
		{with(func(c *ProductChange) { c.Description = Set("a\x00b") }), "/description", "Invalid description"},
		{with(func(c *ProductChange) { c.SuccessURL = Set("https://example.com/" + strings.Repeat("a", 500)) }), "/successUrl", "successUrl must be at most 512 characters"},
		{with(func(c *ProductChange) { c.SuccessURL = Set("javascript:alert(1)") }), "/successUrl", "Invalid successUrl"},
		{with(func(c *ProductChange) { c.Metadata = Set(many) }), "/metadata", ErrMetadata.Message},
		{with(func(c *ProductChange) { c.Metadata = Set(map[string]JSON{long(41): "1"}) }), "/metadata", ErrMetadata.Message},
		{with(func(c *ProductChange) { c.Metadata = Set(map[string]JSON{"a": JSON(`"` + long(501) + `"`)}) }), "/metadata", ErrMetadata.Message},
		{with(func(c *ProductChange) { c.Media = Set(make([]Media, 21)) }), "/media", "media must have at most 20 entries"},
		{media(Media{URL: "https://a.example/2"}), "/media/1/type", "Invalid media.1.type: expected one of [image, video]"},
		{media(Media{Type: Image}), "/media/1/url", "Missing required field: media.1.url"},
		{media(Media{Type: Image, URL: "http://a.example/2"}), "/media/1/url", "Invalid media.1.url: expected an https URL"},
		{media(Media{Type: Image, URL: "https://a;b/2"}), "/media/1/url", "Invalid media.1.url: expected an https URL"},
		{media(Media{Type: Video, URL: "https://a.example/2", Thumbnail: "x"}), "/media/1/thumbnail", "Invalid media.1.thumbnail: expected an https URL"},
		{media(Media{Type: Image, URL: "https://a.example/2", Alt: long(301)}), "/media/1/alt", "media.1.alt must be at most 300 characters"},
	} {
		got, refused := c.change.Apply(new(Version), small)
		if refused == nil || got != nil || refused.Path != c.path || refused.Message != c.text {
			t.Errorf("%+v: %+v %v, want %s %q", c.change, got, refused, c.path, c.text)
		}
	}
}

// small takes prices below 10,000.00 in test, and below 100.00 in prod.
func small(env checkout.Environment, p *Price) string {
	if p.Amount.Minor >= map[checkout.Environment]int64{checkout.Test: 1_000_000, checkout.Prod: 10_000}[env] {
		return "too much"
	}
	return ""
}

// TestMetadataLimit is the other side of the limits: fifty keys, and five hundred characters beside the quotation marks.
func TestMetadataLimit(t *testing.T) {
	most := map[string]JSON{long(40): JSON(`"` + long(500) + `"`)}
	for i := range 49 {
		most[fmt.Sprint(i)] = "null"
	}
	c := priced(euros("1"))
	c.Metadata = Set(most)
	if v, refused := c.Apply(new(Version), nil); refused != nil || !maps.Equal(v.Metadata, most) {
		t.Errorf("%v", refused)
	}
}
