package invoices

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// Exchange is the tax of a document in the currency of the seller's country (Directive 2006/112/EC, Art. 230 and 91(2)).
type Exchange struct {
	Currency money.Currency // of the seller's country
	Base     money.Currency
	Sold     ExchangeRate // of the document's currency
	Own      ExchangeRate // of Currency
	On       civil.Date   // the day of the rates
	Source   string       // who has published them
	Amounts  []int64      // of the document's components, each rounded half up, minor units of Currency
}

// Tax is the tax of the document, in minor units of Currency.
func (e *Exchange) Tax() (sum int64) {
	for _, amount := range e.Amounts {
		sum += amount
	}
	return sum
}

// convert returns e with the amounts of other components; nil for nil.
func (e *Exchange) convert(components []tax.Component, from money.Currency) *Exchange {
	if e == nil {
		return nil
	}
	converted := *e
	converted.Amounts = make([]int64, len(components))
	sold := scaled(e.Sold, from.Digits())
	for i := range components {
		// amount × own / sold, rounded half up: (2 × amount × own + sold) / (2 × sold)
		n := scaled(e.Own, e.Currency.Digits())
		n.Mul(n, big.NewInt(2*components[i].Amount)).Add(n, sold)
		converted.Amounts[i] = n.Quo(n, new(big.Int).Lsh(sold, 1)).Int64()
	}
	return &converted
}

// scaled is a rate in the minor units of its currency.
func scaled(r ExchangeRate, digits int) *big.Int {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	return power.Mul(power, big.NewInt(int64(r)))
}

// ExchangeRate is how many units of a currency one unit of another is worth, in millionths.
type ExchangeRate int64

const (
	rateDigits = 6
	oneToOne   = ExchangeRate(1_000_000)
)

// String writes a rate without trailing zeros, "1.0832".
func (r ExchangeRate) String() string {
	s := fmt.Sprintf("%d.%06d", r/oneToOne, r%oneToOne)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// parseExchangeRate reads a positive decimal with at most six digits before and after the point.
func parseExchangeRate(s string) (r ExchangeRate, ok bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || point && fraction == "" || len(whole) > rateDigits || len(fraction) > rateDigits || strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, false
	}
	for _, digit := range whole + fraction + strings.Repeat("0", rateDigits-len(fraction)) {
		r = 10*r + ExchangeRate(digit-'0')
	}
	return r, r > 0
}

// Rates are exchange rates by day: how many units of each currency one unit of Base is worth.
type Rates struct {
	Base   money.Currency
	Source string
	days   []ratesOfDay // the oldest first
}

type ratesOfDay struct {
	on    civil.Date
	rates map[money.Currency]ExchangeRate
}

// The limits of a file of rates: a day counts until the next, and for a month; the name of a source in characters.
const (
	ratesLast = 31
	maxSource = 60
)

// ecb is the source of a file whose header begins with Date.
const ecb = "EUR European Central Bank"

// ParseRates reads exchange rates as the European Central Bank publishes them, as eurofxref.csv and eurofxref-hist.csv: CSV whose header
// is Date and the codes of currencies, with a row for each day, and the rates for one euro. In a file of another source the header
// begins with the currency that the rates are for one unit of, and the name of the source: "GBP HM Revenue & Customs". Cells that are
// empty or N/A are skipped. The error says what to mend.
func ParseRates(r io.Reader) (*Rates, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, true
	table, err := in.ReadAll()
	if err != nil {
		return nil, err
	}
	if len(table) < 2 {
		return nil, fmt.Errorf("expected a header and a row for each day, as in the European Central Bank's eurofxref.csv")
	}
	header := table[0]
	first := strings.TrimSpace(strings.TrimPrefix(header[0], "\ufeff"))
	if first == "Date" {
		first = ecb
	}
	code, source, _ := strings.Cut(first, " ")
	rates := &Rates{Source: source}
	var ok bool
	if rates.Base, ok = money.ParseCurrency(code); !ok || source == "" || utf8.RuneCountInString(source) > maxSource {
		return nil, fmt.Errorf("the header begins with %q: expected Date, or a currency and the name of the source in at most %d characters", first, maxSource)
	}
	for i, row := range table[1:] {
		day, err := parseDay(header, row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		day.rates[rates.Base] = oneToOne
		rates.days = append(rates.days, day)
	}
	slices.SortFunc(rates.days, func(a, b ratesOfDay) int { return int(a.on) - int(b.on) })
	return rates, nil
}

func parseDay(header, row []string) (day ratesOfDay, err error) {
	on, err := time.Parse(time.DateOnly, row[0])
	if err != nil {
		if on, err = time.Parse("2 January 2006", row[0]); err != nil {
			return day, fmt.Errorf("%q is no day: expected 2026-01-31 or 31 January 2026", row[0])
		}
	}
	day = ratesOfDay{civil.DateOf(on.UnixMilli()), make(map[money.Currency]ExchangeRate, len(row))}
	for i, cell := range row[1:] {
		cell = strings.TrimSpace(cell)
		if cell == "" || cell == "N/A" {
			continue
		}
		if i+1 >= len(header) {
			return day, fmt.Errorf("more cells than the header has")
		}
		code := strings.TrimSpace(header[i+1])
		rate, ok := parseExchangeRate(cell)
		if !ok || len(code) != 3 {
			return day, fmt.Errorf("%q is no rate of %q: expected a currency's code in the header and a number such as 1.0832", cell, code)
		}
		day.rates[money.Currency(code)] = rate
	}
	return day, nil
}

// on returns the last rates that were published by a day; ok is false if they are more than a month old.
func (r *Rates) on(day civil.Date) (last ratesOfDay, ok bool) {
	for _, d := range r.days {
		if d.on <= day {
			last, ok = d, int(day-d.on) <= ratesLast
		}
	}
	return last, ok
}

// exchange returns the tax of a document in the currency of the seller's country. It is nil if the document is in that currency or has
// no tax, and without rates of the day.
func (s *Service) exchange(d *Document) *Exchange {
	own := sessions.CurrencyOf(d.Seller.Country)
	if s.config.Rates == nil || own == "" || own == d.Currency || d.Tax == 0 {
		return nil
	}
	rates := s.config.Rates()
	day, ok := rates.on(civil.DateOf(d.SuppliedAt))
	e := &Exchange{Currency: own, Base: rates.Base, Sold: day.rates[d.Currency], Own: day.rates[own], On: day.on, Source: rates.Source}
	if !ok || e.Sold == 0 || e.Own == 0 {
		s.config.Log.Warn("a receipt has no tax in the seller's currency: the file of exchange rates has none of the last month",
			"order", d.OrderID, "currency", d.Currency, "seller", own)
		return nil
	}
	return e.convert(d.Components, d.Currency)
}
