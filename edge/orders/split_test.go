package orders

import (
	"math/big"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/core/tax"
)

// assessment is an order's tax with up to three components.
var assessment = rapid.Custom(func(t *rapid.T) *tax.Assessment {
	amount := rapid.OneOf(rapid.Int64Range(0, 50), rapid.Int64Range(0, 1_000_000), rapid.Int64Range(0, 400_000_000_000))
	a := &tax.Assessment{Subtotal: amount.Draw(t, "net")}
	for range rapid.IntRange(0, 3).Draw(t, "components") {
		c := tax.Component{Taxable: rapid.Int64Range(0, a.Subtotal).Draw(t, "taxable"), Amount: amount.Draw(t, "tax")}
		a.Tax += c.Amount
		a.Components = append(a.Components, c)
	}
	a.Total = a.Subtotal + a.Tax
	return a
})

// TestSplit: an order is refunded in parts until nothing is left, and some of the refunds fail on the way. Each split adds up to its
// refund, no part is negative or more than what is left, each is within two minor units of the exact proportion of what was refunded
// by then, and all of those that have not failed are together the order.
func TestSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := assessment.Draw(t, "order")
		whole := splitOf(a)
		left := whole
		var made []Split
		for left.Total() > 0 {
			most := left.Total()
			if len(made) < 30 {
				most = rapid.Int64Range(1, left.Total()).Draw(t, "amount")
				most = rapid.SampledFrom([]int64{1, min(7, left.Total()), most, left.Total()}).Draw(t, "which")
			}
			s := whole.take(&left, most)
			checkSplit(t, &left, &s, most)
			left = left.minus(&s)
			checkProportion(t, &whole, &left)
			made = append(made, s)
			if len(made) < 30 && rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
				left = left.minus(negative(&s))
				made = made[:len(made)-1]
			}
		}
		if zero := (Split{Parts: make([]SplitPart, len(whole.Parts))}); !reflect.DeepEqual(left, zero) {
			t.Fatalf("%+v is left of %+v", left, whole)
		}
	})
}

func negative(s *Split) *Split {
	zero := Split{Parts: make([]SplitPart, len(s.Parts))}.minus(s)
	return &zero
}

func checkSplit(t *rapid.T, left, s *Split, amount int64) {
	var sum int64
	for i, p := range s.Parts {
		sum += p.Amount
		if p.Amount < 0 || p.Amount > left.Parts[i].Amount || p.Taxable < 0 || p.Taxable > left.Parts[i].Taxable {
			t.Fatalf("part %d of %+v of %+v", i, s, left)
		}
	}
	if len(s.Parts) == 0 {
		sum = s.Tax
	}
	if s.Total() != amount || sum != s.Tax || s.Net < 0 || s.Net > left.Net {
		t.Fatalf("%d of %+v is %+v", amount, left, s)
	}
}

// checkProportion: what is left is divided as the whole is, up to rounding.
func checkProportion(t *rapid.T, whole, left *Split) {
	near := func(what string, part, of int64) {
		exact := new(big.Rat).Mul(big.NewRat(of, 1), big.NewRat(left.Total(), whole.Total()))
		if off := exact.Sub(exact, big.NewRat(part, 1)); off.Abs(off).Cmp(big.NewRat(2, 1)) > 0 {
			t.Fatalf("%s: %d of %d is left where %d of %d is left of all", what, part, of, left.Total(), whole.Total())
		}
	}
	near("net", left.Net, whole.Net)
	for i := range whole.Parts {
		near("tax", left.Parts[i].Amount, whole.Parts[i].Amount)
	}
}
