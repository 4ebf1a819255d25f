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
// Each tax is computed on the net price and rounded separately, half up to the step, because each has its own line on an
// invoice; the tax is their sum. A gross price is divided so that this holds, too, if that is possible. It is the total even
// if no tax is due, because it is the price that was shown.
func (a *Assessment) charge(s *Sale) {
	a.Subtotal, a.Total = s.Price.Minor, s.Price.Minor
	if s.Inclusive {
		a.extract(s.Step)
		a.Subtotal -= a.Tax
	} else {
		a.Tax = a.compute(a.Subtotal, s.Step)
		a.Total += a.Tax
	}
	for i := range a.Components {
		c := &a.Components[i]
		c.Taxable = (money.Rate(c.Base) * onePercent).Of(a.Subtotal, 1)
	}
}

const onePercent = money.Rate(1_000)

// compute sets the components' amounts to the taxes on a net price and returns their sum.
func (a *Assessment) compute(net, step int64) (sum int64) {
	for i := range a.Components {
		c := &a.Components[i]
		c.Amount = c.Effective().Of(net, step)
		sum += c.Amount
	}
	return sum
}

// extract sets Tax and the components' amounts to the taxes in the gross price Total: those of the net price that makes this
// total. A net price and its taxes grow together, so there is at most one, and its tax differs from that of all rates
// together by less than a step for each component.
//
// Some totals have none: 0.03 at 19 % is between 0.02 + 0.00 and 0.03 + 0.01. Then Tax is, of the two amounts between which
// the sum of the components' taxes passes it, the one nearer to the tax of all rates together, and is divided among them.
func (a *Assessment) extract(step int64) {
	a.Tax = a.Rate().Within(a.Total, step)
	excess := a.compute(a.Total-a.Tax, step) - a.Tax
	for excess != 0 {
		toward := step
		if excess < 0 {
			toward = -step
		}
		next := a.compute(a.Total-a.Tax-toward, step) - a.Tax - toward
		if next != 0 && (next < 0) != (excess < 0) {
			a.divide(step)
			return
		}
		a.Tax, excess = a.Tax+toward, next
	}
}

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
