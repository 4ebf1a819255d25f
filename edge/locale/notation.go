package locale

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/money"
)

// Notation describes how a locale formats decimals of one kind. The page's script uses it too.
type Notation struct {
	Before  string `json:"before"` // prefix, "$"
	After   string `json:"after"`  // suffix, " €" with a no-break space
	Decimal string `json:"decimal"`
	Group   string `json:"group"`
	Least   int    `json:"least"` // digits before the first group separator: with 2, 1290 has none and 12.900 has one
}

// Write formats an unsigned decimal such as "1290.00".
func (n *Notation) Write(decimal string) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	var b strings.Builder
	b.WriteString(n.Before)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 && len(whole) >= 3+n.Least {
			b.WriteString(n.Group)
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString(n.Decimal)
		b.WriteString(fraction)
	}
	b.WriteString(n.After)
	return b.String()
}

// Money returns the notation for amounts of a currency.
func (l *Locale) Money(currency money.Currency) Notation {
	symbol := l.Symbol(currency)
	before := strings.Replace(l.facts.Money[0], "¤", symbol, 1)
	if last, _ := utf8.DecodeLastRuneInString(before); strings.HasSuffix(before, symbol) && !unicode.In(last, unicode.S, unicode.Z) {
		before += "\u00a0" // CLDR's currencySpacing: a space separates letters from digits
	}
	return Notation{before, strings.Replace(l.facts.Money[1], "¤", symbol, 1), l.facts.Decimal, l.facts.Group, l.facts.Least}
}

// Amount formats an amount, which must not be negative.
func (l *Locale) Amount(a money.Amount) string {
	notation := l.Money(a.Currency)
	return notation.Write(a.String())
}

// Percent returns the notation for percentages from 0 to 100.
func (l *Locale) Percent() Notation {
	return Notation{l.facts.Percent[0], l.facts.Percent[1], l.facts.Decimal, l.facts.Group, l.facts.Least}
}

// Symbol returns the symbol of a currency, or its code if the locale has none.
func (l *Locale) Symbol(currency money.Currency) string {
	if symbol := l.facts.Symbols[string(currency)]; symbol != "" {
		return symbol
	}
	return string(currency)
}

// Shared reports whether several currencies use the symbol, so that an amount needs the currency's code beside it.
func (l *Locale) Shared(currency money.Currency) bool {
	switch l.Symbol(currency) {
	case "$", "¥", "￥":
		return true
	}
	return false
}

// Date formats the UTC date of t, "November 23, 2026".
func (l *Locale) Date(t time.Time) string {
	t = t.UTC()
	var b strings.Builder
	for i, part := range strings.Split(l.facts.Date, "'") {
		if i%2 == 1 { // quoted text
			b.WriteString(part)
			continue
		}
		for part != "" {
			rest := strings.TrimLeft(part, part[:firstSize(part)])
			b.WriteString(l.dateField(part[:len(part)-len(rest)], t))
			part = rest
		}
	}
	return b.String()
}

func firstSize(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// dateField formats a field of a UTS #35 pattern. Anything else is literal.
func (l *Locale) dateField(letters string, t time.Time) string {
	switch letters {
	case "d":
		return strconv.Itoa(t.Day())
	case "M":
		return strconv.Itoa(int(t.Month()))
	case "MMMM":
		return l.facts.Months[t.Month()-1]
	case "y":
		return strconv.Itoa(t.Year() + l.facts.YearsAhead)
	}
	return letters
}
