package locale

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/money"
)

// Notation is how a language writes decimals of one kind. The page's script writes with it too.
type Notation struct {
	Before  string `json:"before"` // the digits: "$"
	After   string `json:"after"`  // them: " €", with a space that no line is broken at
	Decimal string `json:"decimal"`
	Group   string `json:"group"`
	Least   int    `json:"least"` // digits before the first separator of groups: with 2 it is 1290, but 12.900
}

// Write writes a decimal without a sign, "1290.00".
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

// Money is how amounts of a currency are written.
func (l *Locale) Money(currency money.Currency) Notation {
	symbol := l.Symbol(currency)
	before := strings.Replace(l.facts.Money[0], "¤", symbol, 1)
	if last, _ := utf8.DecodeLastRuneInString(before); strings.HasSuffix(before, symbol) && !unicode.In(last, unicode.S, unicode.Z) {
		before += "\u00a0" // CLDR's currencySpacing: what is no sign does not touch the digits
	}
	return Notation{before, strings.Replace(l.facts.Money[1], "¤", symbol, 1), l.facts.Decimal, l.facts.Group, l.facts.Least}
}

// Amount writes an amount, which is not negative.
func (l *Locale) Amount(a money.Amount) string {
	notation := l.Money(a.Currency)
	return notation.Write(a.String())
}

// Percent is how percentages are written, of which there are at most a hundred.
func (l *Locale) Percent() Notation {
	return Notation{l.facts.Percent[0], l.facts.Percent[1], l.facts.Decimal, l.facts.Group, l.facts.Least}
}

// Symbol is what stands for a currency, its code where the language has no sign for it.
func (l *Locale) Symbol(currency money.Currency) string {
	if symbol := l.facts.Symbols[string(currency)]; symbol != "" {
		return symbol
	}
	return string(currency)
}

// Shared reports whether the symbol is one that several countries take for their own, so that an amount with it does not say
// by itself what money it is.
func (l *Locale) Shared(currency money.Currency) bool {
	switch l.Symbol(currency) {
	case "$", "¥", "￥":
		return true
	}
	return false
}

// Date writes the day of a time in UTC: "November 23, 2026".
func (l *Locale) Date(t time.Time) string {
	t = t.UTC()
	var b strings.Builder
	for i, part := range strings.Split(l.facts.Date, "'") {
		if i%2 == 1 { // text in quotes
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

// dateField is what stands for a run of one letter in a pattern; all else stands for itself.
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
