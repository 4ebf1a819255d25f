package tax_test

import (
	"fmt"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// TestGrossPricesCompute divides the first 20,000 gross prices. A price that is the total of a net price gets this net price
// and its taxes. Any other price differs from the computed taxes by one cent in one line; how many there are depends on the
// rates alone. Three taxes can leave two lines with a difference.
func TestGrossPricesCompute(t *testing.T) {
	local, mistakes := table.Parse("id\tjurisdiction\ttax\trate\ncounty\tCA-QC\tlocal\t3\n")
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	for _, c := range []struct {
		buyer     string
		overrides *table.Table
		want      string
	}{
		{"DE", nil, "16807 of a net price, 3193 with a cent in one line, 0 with more"},
		{"CA-QC", nil, "17395 of a net price, 2605 with a cent in one line, 0 with more"},
		{"CA-BC", nil, "17857 of a net price, 2143 with a cent in one line, 0 with more"},
		{"CA-SK", nil, "18018 of a net price, 1982 with a cent in one line, 0 with more"},
		{"US-TX", nil, "19048 of a net price, 952 with a cent in one line, 0 with more"},
		{"CA-QC", &local, "16952 of a net price, 3032 with a cent in one line, 16 with more"},
	} {
		s := (&assessCase{buyer: c.buyer}).sale()
		s.Overrides = c.overrides
		if got := divideGross(t, s); got != c.want {
			t.Errorf("%s: %s", c.buyer, got)
		}
	}
}

// divideGross checks the sale at every price and counts the prices.
func divideGross(t *testing.T, s *tax.Sale) string {
	t.Helper()
	const prices = 20_000
	byTotal := map[int64]tax.Assessment{}
	for net := range int64(prices + 1) {
		s.Inclusive, s.Price = false, money.Amount{Minor: net, Currency: "CAD"}
		a := assess(t, s)
		byTotal[a.Total] = a
	}
	exact, one, more := 0, 0, 0
	for price := range int64(prices) {
		s.Inclusive, s.Price.Minor = true, price+1
		gross := assess(t, s)
		if gross.Total != price+1 || gross.Subtotal+gross.Tax != gross.Total {
			t.Fatalf("%d: %s", price+1, describe(&gross))
		}
		net, found := byTotal[gross.Total]
		switch off := differences(&gross); {
		case found && describe(&gross) != describe(&net):
			t.Fatalf("%s, not %s", describe(&gross), describe(&net))
		case found:
			exact++
		case off == 1:
			one++
		default:
			more++
		}
	}
	return fmt.Sprintf("%d of a net price, %d with a cent in one line, %d with more", exact, one, more)
}

// differences adds up by how much each component differs from its rate's share of the net price.
func differences(a *tax.Assessment) (sum int64) {
	for _, c := range a.Components {
		off := c.Amount - c.Effective().Of(a.Subtotal, 1)
		sum += max(off, -off)
	}
	return sum
}
