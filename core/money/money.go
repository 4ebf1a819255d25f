// Package money computes with integers: an [Amount] is a number of minor units of a [Currency] of ISO 4217, a [Rate] is a
// share in units of 1e-5. No floating point is used.
//
// The exact product is rounded half up, away from zero, to the smallest amount that can be charged. The caller passes that
// amount, because a payment provider may be coarser than ISO 4217 (whole krónur, tens of fils). Several taxes on one price
// are rounded one by one and then added up.
//
// A valid Currency comes from [ParseCurrency] and a valid Rate from [ParseRate]. The methods require valid ones.
package money

import "strings"

// Amount is a sum of money. The zero value is not valid, because it has no currency.
type Amount struct {
	Minor    int64 // minor units: cents for USD, whole yen for JPY, fils for KWD
	Currency Currency
}

// ParseAmount reads the wire form of an amount, `^\d+(\.\d+)?$`, with at most as many decimals as the currency has: "29",
// "29.0" and "29.00" are the same amount of USD, "29.000" is invalid. Signs, grouping, amounts beyond an int64 of minor
// units and unknown currencies are refused. Zero is accepted; the caller decides whether it is allowed.
func ParseAmount(s string, c Currency) (Amount, bool) {
	if _, ok := ParseCurrency(string(c)); !ok {
		return Amount{}, false
	}
	minor, ok := parseDecimal(s, c.Digits())
	if !ok {
		return Amount{}, false
	}
	return Amount{minor, c}, true
}

// String returns the wire form with all of the currency's decimals, "29.00" for USD and "4500" for JPY, and a leading "-"
// for a negative amount. It does not include the currency.
func (a Amount) String() string {
	return formatDecimal(a.Minor, a.Currency.Digits())
}

// zeros has as many digits as the decimals of any currency at most, four.
const zeros = "0000"

// parseDecimal reads an unsigned decimal as an integer in units of its last place.
func parseDecimal(s string, places int) (n int64, ok bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || len(fraction) > places {
		return 0, false
	}
	digits := whole + fraction + zeros[len(fraction):places]
	for i := range len(digits) {
		d := int64(digits[i]) - '0'
		if d < 0 || d > 9 || n > (1<<63-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// formatDecimal writes what parseDecimal reads, with every place, and negative numbers.
func formatDecimal(n int64, places int) string {
	var text [len("-9223372036854775808.")]byte
	i := len(text)
	put := func(c byte) {
		i--
		text[i] = c
	}
	rest := magnitude(n)
	for written := 0; rest > 0 || written <= places; written++ {
		if written == places && places > 0 {
			put('.')
		}
		put('0' + byte(rest%10))
		rest /= 10
	}
	if n < 0 {
		put('-')
	}
	return string(text[i:])
}

// magnitude returns |n|, also for the smallest int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
