package tax

import (
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// usualTaxes is the largest number of taxes of a built-in jurisdiction: a province of Canada has its own beside the federal
// one.
const usualTaxes = 2

// charge turns the rates into amounts.
//
// On a net price each tax is rounded separately, half up to the step, because each has its own line on an invoice; the total
// is their sum. A gross price contains its tax, which is rounded once and divided among the taxes, so that they add up to
// it. A gross price is the total even if no tax is due, because it is the price that was shown.
func (a *Assessment) charge(s *Sale) {
	a.Subtotal, a.Total = s.Price.Minor, s.Price.Minor
	if s.Inclusive {
		a.Tax = a.Rate().Within(s.Price.Minor, s.Step)
		a.Subtotal -= a.Tax
		a.divide(s.Step)
	} else {
		for i := range a.Components {
			c := &a.Components[i]
			c.Amount = c.Effective().Of(s.Price.Minor, s.Step)
			a.Tax += c.Amount
		}
		a.Total += a.Tax
	}
	for i := range a.Components {
		c := &a.Components[i]
		c.Taxable = (money.Rate(c.Base) * onePercent).Of(a.Subtotal, 1)
	}
}

const onePercent = money.Rate(1_000)

// divide splits the tax among the components in proportion to their rates, in whole steps. Each gets its whole steps, and
// the remaining steps go to the largest remainders.
func (a *Assessment) divide(step int64) {
	whole := uint64(a.Rate())
	steps := a.Tax / step
	left := steps
	var remainders [table.Taxes]uint64
	for i := range a.Components {
		c := &a.Components[i]
		share, remainder := money.MulDiv(uint64(steps), uint64(c.Effective()), whole)
		c.Amount, remainders[i] = int64(share)*step, remainder
		left -= int64(share)
	}
	for ; left > 0; left-- {
		largest := 0
		for i, r := range remainders {
			if r > remainders[largest] {
				largest = i
			}
		}
		a.Components[largest].Amount += step
		remainders[largest] = 0
	}
}
