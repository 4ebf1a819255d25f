package checkout

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

func TestDiscountValid(t *testing.T) {
	price := money.Amount{Minor: 2900, Currency: "EUR"}
	for _, c := range []struct {
		Discount
		valid bool
	}{
		{Discount{}, true},
		{Discount{"Welcome", 0}, true},
		{Discount{"Welcome", 1}, true},
		{Discount{"Welcome", 2899}, true},
		{Discount{"Welcome", 2900}, false},
		{Discount{"Welcome", -1}, false},
		{Discount{"", 500}, false},
		{Discount{" ", 500}, false},
		{Discount{"Welcome ", 500}, false},
		{Discount{strings.Repeat("é", 80), 500}, true},
		{Discount{strings.Repeat("é", 81), 500}, false},
		{Discount{"10 % für Sie <b>", 500}, true},
		{Discount{"two\nlines", 500}, false},
		{Discount{"\u202eemocleW", 500}, false},
		{Discount{"\xff", 500}, false},
	} {
		if got := c.Valid(price); got != c.valid {
			t.Errorf("%+v: %t", c.Discount, got)
		}
		o, refused := Prepare(goodSession(), goodRequest(), testNow)
		if refused != nil {
			t.Fatal(refused)
		}
		if refused = o.Freeze(goodRequest(), c.Discount); (refused == nil) != c.valid {
			t.Errorf("%+v freezes: %v", c.Discount, refused)
		}
	}
}

// TestFreeze checks what is taxed: the price less the discount, of which the tax is on top or a part.
func TestFreeze(t *testing.T) {
	for _, c := range []struct {
		inclusive            bool
		subtotal, tax, total int64
	}{
		{false, 2400, 456, 2856},
		{true, 2017, 383, 2400},
	} {
		s := goodSession()
		s.Terms.Inclusive = c.inclusive
		o, refused := Prepare(s, goodRequest(), testNow)
		if refused != nil {
			t.Fatal(refused)
		}
		if refused := o.Freeze(goodRequest(), Discount{"Welcome", 500}); refused != nil {
			t.Fatal(refused)
		}
		q, a := &o.Quote, &o.Quote.Assessment
		if a.Subtotal != c.subtotal || a.Tax != c.tax || a.Total != c.total || q.ListPrice != 2900 || q.Discount.Minor != 500 ||
			a.Components[0].Taxable != c.subtotal || o.Terms.Price.Minor != 2900 {
			t.Errorf("inclusive %t: %d + %d = %d, list price %d less %d", c.inclusive, a.Subtotal, a.Tax, a.Total, q.ListPrice, q.Discount.Minor)
		}
	}
}

// TestDiscountHolds checks the amounts of random sales with a discount.
func TestDiscountHolds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 50_000 {
		step := []int64{1, 1, 5, 10, 100}[random.IntN(5)]
		terms := Terms{Price: money.Amount{Minor: step * (1 + random.Int64N(1+random.Int64N(1_000_000))), Currency: "EUR"}, Inclusive: random.IntN(2) == 0,
			Category: tax.Category(1 + random.IntN(7)), Step: step, Seller: tax.Seller{Country: "HK", Everywhere: true}}
		buyer := []billing.Detail{{Country: "DE"}, {Country: "CA", State: "QC"}, {Country: "US", State: "TX"}, {Country: "HK"}, {Country: "JP"}}[random.IntN(5)]
		off := Discount{"x", random.Int64N(terms.Price.Minor)}
		q, p := terms.QuoteLess(off, &buyer, "", civil.DateOf(testNow), nil)
		if p != nil {
			t.Fatalf("%+v of %+v: %v", off, terms, p)
		}
		less := terms
		less.Price.Minor -= off.Minor / step * step
		plain, p := less.Quote(&buyer, "", civil.DateOf(testNow), nil)
		if p != nil {
			t.Fatal(p)
		}
		a := &q.Assessment
		fixed := a.Subtotal
		if terms.Inclusive {
			fixed = a.Total
		}
		switch {
		case a.Subtotal+a.Tax != a.Total || a.Tax < 0 || a.Total <= 0 || a.Total%step != 0 || a.Tax != plain.Assessment.Tax || a.Total != plain.Assessment.Total,
			q.Discount.Minor > off.Minor || off.Minor-q.Discount.Minor >= step,
			q.Discount.Minor == 0 && (q.ListPrice != 0 || q.Discount.Label != ""),
			q.Discount.Minor != 0 && (q.ListPrice != terms.Price.Minor || q.ListPrice-q.Discount.Minor != fixed):
			t.Fatalf("%+v off %+v for %+v: %+v", off, terms, buyer, q)
		}
	}
}

// TestPreview checks that a quote needs no e-mail address, and shows the rules one that is valid.
func TestPreview(t *testing.T) {
	for given, want := range map[string]string{"": "", "ada@": "", "Ada@Example.com": "ada@example.com"} {
		r := goodRequest()
		r.BuyerEmail = given
		o, refused := Preview(goodSession(), r, testNow)
		if refused != nil || o.BuyerEmail != want || o.Billing.Country != "DE" || o.PlacedAt != testNow {
			t.Errorf("%q: %+v, %v", given, o, refused)
		}
	}
	r := goodRequest()
	r.Billing.Country = "XX"
	if _, refused := Preview(goodSession(), r, testNow); refused == nil {
		t.Error("an unknown country is quoted")
	}
}
