package psp

import "github.com/crepe-checkout/crepe/core/money"

// Amounts are the amounts that a provider can charge in a currency: the multiples of SmallestUnit from Min to Max, in minor
// units of ISO 4217. SmallestUnit is 1 for most currencies and 10 for KWD.
type Amounts struct{ SmallestUnit, Min, Max int64 }

// Why says why an amount cannot be charged, and is empty for one that can be. The text names the limit that was missed, as in
// "expected at least 0.50 USD".
func (l Amounts) Why(a money.Amount) string {
	in := func(minor int64) string {
		return money.Amount{Minor: minor, Currency: a.Currency}.String() + " " + string(a.Currency)
	}
	switch {
	case a.Minor < l.Min:
		return "expected at least " + in(l.Min)
	case a.Minor > l.Max:
		return "expected at most " + in(l.Max)
	case a.Minor%l.SmallestUnit != 0:
		return "expected a multiple of " + in(l.SmallestUnit)
	}
	return ""
}
