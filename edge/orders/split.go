package orders

import (
	"math/bits"

	"github.com/crepe-checkout/crepe/core/tax"
)

// Split is an amount of money, divided into the net price and the taxes of the order that it belongs to. All amounts are in minor
// units; Net and Tax are together the whole.
type Split struct {
	Net   int64
	Tax   int64
	Parts []SplitPart // one for each component of the order's tax, in its order; together they are Tax
}

// SplitPart is the part of one component of the tax.
type SplitPart struct {
	Taxable int64 // the part of the component's taxable amount
	Amount  int64
}

// Total is the whole.
func (s *Split) Total() int64 { return s.Net + s.Tax }

// splitOf is the order's own division.
func splitOf(a *tax.Assessment) Split {
	s := Split{Net: a.Subtotal, Tax: a.Tax, Parts: make([]SplitPart, len(a.Components))}
	for i, c := range a.Components {
		s.Parts[i] = SplitPart{c.Taxable, c.Amount}
	}
	return s
}

// minus returns what is left of s without another split of the same order.
func (s Split) minus(other *Split) Split {
	left := Split{Net: s.Net - other.Net, Tax: s.Tax - other.Tax, Parts: make([]SplitPart, len(s.Parts))}
	for i := range s.Parts {
		left.Parts[i] = s.Parts[i]
		if i < len(other.Parts) {
			left.Parts[i].Taxable -= other.Parts[i].Taxable
			left.Parts[i].Amount -= other.Parts[i].Amount
		}
	}
	return left
}

// take divides an amount, which is at most what is left of the whole, so that what is left then is divided as the whole is, to the
// minor unit. No part is negative or more than what is left of it. The last refund takes all that is left: however an order is
// refunded in parts, the splits of its refunds are together the order's own division.
func (whole Split) take(left *Split, amount int64) Split {
	rest := left.Total() - amount
	s := Split{Net: within(left.Net-proportion(whole.Net, rest, whole.Total()), max(0, amount-left.Tax), min(left.Net, amount)),
		Parts: make([]SplitPart, len(whole.Parts))}
	s.Tax = amount - s.Net
	due, later := s.Tax, left.Tax // of the parts from here on: to be taken, and left
	target, of := left.Tax-s.Tax, whole.Tax
	for i, part := range whole.Parts {
		remains := left.Parts[i]
		later -= remains.Amount
		keep := proportion(part.Amount, target, of)
		s.Parts[i] = SplitPart{
			Taxable: within(remains.Taxable-proportion(part.Taxable, rest, whole.Total()), 0, remains.Taxable),
			Amount:  within(remains.Amount-keep, max(0, due-later), min(remains.Amount, due)),
		}
		due -= s.Parts[i].Amount
		target, of = target-keep, of-part.Amount
	}
	return s
}

func within(n, least, most int64) int64 { return min(max(n, least), most) }

// proportion returns n × part ÷ whole, rounded half up; 0 for a whole of 0. part is at most whole.
func proportion(n, part, whole int64) int64 {
	if n <= 0 || part <= 0 || whole <= 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(n), uint64(part))
	quotient, remainder := bits.Div64(high, low, uint64(whole))
	if remainder >= uint64(whole)-remainder {
		quotient++
	}
	return int64(quotient)
}
