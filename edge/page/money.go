package page

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/money"
)

// symbols is what English text puts before the digits, for currencies that it has a sign for; of all others it is the code
// and a space (Unicode CLDR, en).
var symbols = map[money.Currency]string{
	"AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "HKD": "HK$", "ILS": "₪", "INR": "₹",
	"JPY": "¥", "KRW": "₩", "MXN": "MX$", "NZD": "NZ$", "PHP": "₱", "TWD": "NT$", "USD": "$", "VND": "₫",
	"XAF": "FCFA\u00a0", "XCD": "EC$", "XCG": "Cg.\u00a0", "XOF": "F\u202fCFA\u00a0", "XPF": "CFPF\u00a0",
}

// display writes an amount for a buyer, as browsers do in English: "$1,290.00", "¥4,500", "CHF 29.00".
func display(minor int64, currency money.Currency) string {
	digits, sign := money.Amount{Minor: minor, Currency: currency}.String(), ""
	if digits[0] == '-' {
		digits, sign = digits[1:], "-"
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	var b strings.Builder
	b.WriteString(sign)
	b.WriteString(symbol(currency))
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteByte('.')
		b.WriteString(fraction)
	}
	return b.String()
}

func symbol(currency money.Currency) string {
	if known, ok := symbols[currency]; ok {
		return known
	}
	return string(currency) + "\u00a0"
}
