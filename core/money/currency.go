package money

import "iter"

//go:generate go run gen.go

// Currency is an alphabetic code of ISO 4217 in capitals, "USD". A valid one comes only from ParseCurrency.
type Currency string

// currencyWidth is the size of a table entry: three letters and one digit.
const currencyWidth = len("USD2")

// ParseCurrency accepts the active codes of ISO 4217 that have a minor unit, in capitals. It refuses codes without one (gold
// XAU, testing XTS, "no currency" XXX) and withdrawn ones. The result shares no memory with s.
func ParseCurrency(s string) (Currency, bool) {
	if entry := findCurrency(s); entry != "" {
		return Currency(entry[:3]), true
	}
	return "", false
}

// Digits returns the number of decimals of the currency in ISO 4217, from 0 to 4.
func (c Currency) Digits() int {
	if entry := findCurrency(string(c)); entry != "" {
		return int(entry[3] - '0')
	}
	return 0
}

// Currencies yields every code that ParseCurrency accepts, in alphabetic order.
func Currencies() iter.Seq[Currency] {
	return func(yield func(Currency) bool) {
		for i := 0; i < len(currencies); i += currencyWidth {
			if !yield(Currency(currencies[i : i+3])) {
				return
			}
		}
	}
}

// findCurrency returns the code's entry in the table, empty if there is none.
func findCurrency(code string) string {
	low, high := 0, len(currencies)/currencyWidth
	for low < high {
		middle := int(uint(low+high) / 2)
		entry := currencies[middle*currencyWidth:][:currencyWidth]
		switch {
		case entry[:3] == code:
			return entry
		case entry[:3] < code:
			low = middle + 1
		default:
			high = middle
		}
	}
	return ""
}
