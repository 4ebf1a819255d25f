package tax_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random sales")

// randomSales calls try with random sales. A failure prints the seed, which reproduces them.
func randomSales(t *testing.T, try func(t *testing.T, s *tax.Sale)) {
	t.Helper()
	r := rand.New(rand.NewPCG(*seed, 0))
	for range 50_000 {
		s := randomSale(r)
		if try(t, s); t.Failed() {
			t.Fatalf("-seed %d: buyer %+v, seller %+v, sale %+v", *seed, *s.Buyer, *s.Seller, *s)
		}
	}
}

var (
	countries = slices.Collect(country.All())
	// Half of the sales are in countries with rules.
	ruled = []country.Code{"US", "US", "US", "CA", "CA", "DE", "FR", "ES", "PT", "IE", "GB", "NO", "CH", "MC", "PR", "AU", "JP"}
)

func randomSale(r *rand.Rand) *tax.Sale {
	return &tax.Sale{
		Seller:    randomSeller(r),
		Buyer:     randomBuyer(r),
		Category:  tax.Category(1 + r.IntN(7)),
		Price:     money.Amount{Minor: r.Int64N(1e18) >> r.IntN(60), Currency: "EUR"},
		Inclusive: r.IntN(2) == 0,
		Step:      []int64{1, 1, 10, 100}[r.IntN(4)],
		On:        date("2024-01-01") + civil.Date(r.IntN(3000)),
		IPCountry: countries[r.IntN(len(countries))],
	}
}

func randomCountry(r *rand.Rand) country.Code {
	if r.IntN(2) == 0 {
		return ruled[r.IntN(len(ruled))]
	}
	return countries[r.IntN(len(countries))]
}

func randomSeller(r *rand.Rand) *tax.Seller {
	s := &tax.Seller{Country: randomCountry(r), Everywhere: r.IntN(3) == 0}
	for range r.IntN(4) {
		where := []string{"EU", "DE", "CA", "CA-QC", "CA-BC", "US-TX", "US-NY", "GB"}[r.IntN(8)]
		s.Registrations = append(s.Registrations, tax.Registration{Jurisdiction: where, From: date("2026-01-01")})
	}
	return s
}

func randomBuyer(r *rand.Rand) *billing.Detail {
	d := &billing.Detail{Country: randomCountry(r), IsBusiness: r.IntN(2) == 0}
	if states := slices.Collect(d.Country.Subdivisions()); len(states) > 0 {
		d.State = string(states[r.IntN(len(states))])
	}
	if d.IsBusiness && r.IntN(2) == 0 {
		d.TaxID, d.TaxIDChecked = string(d.Country)+"123456789", true
	}
	if r.IntN(4) == 0 {
		d.Postcode = []string{"35001", "9500-001", "97133", "78266", "10115"}[r.IntN(5)]
	}
	return d
}

func assess(t *testing.T, s *tax.Sale) tax.Assessment {
	t.Helper()
	a, p := tax.Assess(s)
	if p != nil {
		t.Error(p)
	}
	return a
}

func TestAmountsAddUp(t *testing.T) {
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		a := assess(t, s)
		sum := int64(0)
		for _, c := range a.Components {
			sum += c.Amount
			if c.Amount < 0 || c.Amount%s.Step != 0 || c.Taxable < 0 || c.Taxable > a.Subtotal || c.Effective() <= 0 {
				t.Errorf("component %+v", c)
			}
		}
		given := a.Subtotal
		if s.Inclusive {
			given = a.Total
		}
		if sum != a.Tax || a.Subtotal+a.Tax != a.Total || given != s.Price.Minor {
			t.Errorf("%s, of which the components are %d", describe(&a), sum)
		}
	})
}

// TestTaxMatchesItsRate checks that each component of a net price is within half a step of its rate, and that the tax in a
// gross price is within half a step for each component of the sum of the rates, or within half a step of the tax of all
// rates together.
func TestTaxMatchesItsRate(t *testing.T) {
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		s.Price.Minor %= 1e12 // keeps the products below within an int64
		a := assess(t, s)
		if s.Inclusive {
			rate := int64(a.Rate())
			unit := max(100_000+rate, 100_000*int64(len(a.Components)))
			checkNear(t, s, a.Tax*(100_000+rate), s.Price.Minor*rate, unit)
			return
		}
		for _, c := range a.Components {
			checkNear(t, s, c.Amount*100_000, s.Price.Minor*int64(c.Effective()), 100_000)
		}
	})
}

func checkNear(t *testing.T, s *tax.Sale, got, exact, unit int64) {
	t.Helper()
	if off := 2 * (got - exact); off > s.Step*unit || off <= -s.Step*unit {
		t.Errorf("a tax is %d/%d off its rate, the step is %d", off/2, unit, s.Step)
	}
}

// TestNetPriceOfGross checks that the net price and the components of a gross price are those of the only net price that has
// this total, or that the total lies between those of two net prices a step apart, one of which is taken.
func TestNetPriceOfGross(t *testing.T) {
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		s.Inclusive = true
		gross := assess(t, s)
		if gross.Components == nil {
			return
		}
		total := func(net int64) int64 {
			sale := *s
			sale.Inclusive, sale.Price.Minor = false, max(net, 0)
			return assess(t, &sale).Total
		}
		switch at := total(gross.Subtotal); {
		case at == s.Price.Minor:
			sale := *s
			sale.Inclusive, sale.Price.Minor = false, gross.Subtotal
			if net := assess(t, &sale); describe(&net) != describe(&gross) {
				t.Errorf("%s, of the net price %s", describe(&gross), describe(&net))
			}
		case at < s.Price.Minor && total(gross.Subtotal+s.Step) <= s.Price.Minor,
			at > s.Price.Minor && total(gross.Subtotal-s.Step) >= s.Price.Minor:
			t.Errorf("%s, but %d with the taxes on the net price", describe(&gross), at)
		}
	})
}

func TestTaxGrowsWithThePrice(t *testing.T) {
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		less := assess(t, s)
		dearer := *s
		dearer.Price.Minor += 1 + dearer.Price.Minor%1000
		more := assess(t, &dearer)
		if more.Tax < less.Tax || more.Subtotal < less.Subtotal && s.Step == 1 {
			t.Errorf("%s, but at %d: %s", describe(&less), dearer.Price.Minor, describe(&more))
		}
	})
}

// TestReasonAgreesWithTax checks that only taxed sales have tax, and that decided sales name their rules.
func TestReasonAgreesWithTax(t *testing.T) {
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		a := assess(t, s)
		taxed := a.Reason == tax.Standard || a.Reason == tax.Reduced
		if taxed != (len(a.Components) > 0) || taxed != (a.Name() != "") || !taxed && a.Tax != 0 {
			t.Error(describe(&a))
		}
		if decided := len(a.Rules) > 0; decided != (a.Confidence != 0) || decided != (a.Precision != "none") ||
			!decided && a.Reason != tax.Unsupported {
			t.Error(describe(&a))
		}
	})
}

// TestReverseChargeNeedsABusinessAbroad also assesses the same buyer as a consumer, who must be charged although the
// business fields are still set.
func TestReverseChargeNeedsABusinessAbroad(t *testing.T) {
	reversed := 0
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		a := assess(t, s)
		if a.Reason != tax.ReverseCharge {
			return
		}
		reversed++
		abroad := s.Buyer.Country != s.Seller.Country || s.Buyer.Postcode == "35001" // the Canary Islands
		if !s.Buyer.IsBusiness || !s.Buyer.TaxIDChecked || !abroad || a.Tax != 0 {
			t.Error(describe(&a))
		}
		s.Seller = everywhere
		s.Category = tax.SaaS
		s.Price.Minor = 1e6
		s.Buyer.IsBusiness = false
		if a = assess(t, s); a.Tax == 0 {
			t.Errorf("with the business turned off: %s", describe(&a))
		}
	})
	if reversed < 100 {
		t.Errorf("%d sales of 50,000 were reverse charged: too few to say anything", reversed)
	}
}

// TestAddressFormAndIPChangeNoAmount checks that neither a space in the postcode nor the IP address changes an amount.
func TestAddressFormAndIPChangeNoAmount(t *testing.T) {
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		a := assess(t, s)
		s.IPCountry = ""
		if n := len(s.Buyer.Postcode); n > 2 {
			s.Buyer.Postcode = s.Buyer.Postcode[:2] + " " + s.Buyer.Postcode[2:]
		}
		if b := assess(t, s); describe(&a) != describe(&b) {
			t.Errorf("%s, then %s", describe(&a), describe(&b))
		}
	})
}
