package invoices_test

import (
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// daily and history are in the forms of the European Central Bank's files.
const (
	daily   = "Date, USD, JPY, GBP, HUF, \n30 November 2026, 1.0832, 163.55, 0.85713, 391.23, \n"
	history = "Date,USD,JPY,HUF,BGN,\n2026-11-30,1.0832,163.55,391.23,N/A,\n2026-11-27,1.0900,162,390.5,1.9558,\n"
	british = "\ufeffGBP HM Revenue & Customs,EUR,USD\n2026-11-01,1.1512,1.3401\n"
)

func parseRates(t *testing.T, text string) *invoices.Rates {
	t.Helper()
	rates, err := invoices.ParseRates(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return rates
}

// exchanging is a database with a store that sells from a country, and rates.
func exchanging(t *testing.T, rates string) *sales {
	s := openSales(t)
	s.addStore(t, "STO_1")
	parsed := parseRates(t, rates)
	s.Service = invoices.New(invoices.Config{Store: s.db, Orders: s.db, Catalog: s.db, Now: func() time.Time { return s.now },
		Rand: rand.NewChaCha8([32]byte{1}), Log: slog.New(slog.DiscardHandler), Rates: func() *invoices.Rates { return parsed }})
	return s
}

// sold sells for 100 units of a currency to a consumer in Germany, and returns the order with its receipt.
func (s *sales) sold(t *testing.T, seller country.Code, c money.Currency) (*orders.Order, *invoices.Document) {
	t.Helper()
	price, _ := money.ParseAmount("100", c)
	terms := checkout.Terms{Price: price, Step: 1, Category: tax.SaaS, Seller: tax.Seller{Country: seller, Everywhere: true}}
	o := s.sell(t, checkout.Prod, "STO_1", terms, buyers[0], s.now)
	s.issue(t)
	receipt, err := s.ReceiptOf(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return o, receipt
}

// TestExchange: the tax of 19 in another currency than that of the seller's country is also in the latter, rounded half up, by the last
// rates that were published by the day of the payment.
func TestExchange(t *testing.T) {
	for _, c := range []struct {
		name, rates string
		seller      country.Code
		sold        money.Currency
		want        string // "" for none
	}{
		{"dollars in euros", daily, "DE", "USD", "17.54 EUR of 2026-11-30, European Central Bank: EUR USD 1.0832"},
		{"yen in euros", daily, "FR", "JPY", "0.12 EUR of 2026-11-30, European Central Bank: EUR JPY 163.55"},
		{"euros in pounds", daily, "GB", "EUR", "16.29 GBP of 2026-11-30, European Central Bank: EUR GBP 0.85713"},
		{"by the euro", daily, "GB", "USD", "15.03 GBP of 2026-11-30, European Central Bank: EUR USD 1.0832 EUR GBP 0.85713"},
		{"in forints", history, "HU", "EUR", "7433.37 HUF of 2026-11-30, European Central Bank: EUR HUF 391.23"},
		{"the seller's own list", british, "GB", "EUR", "16.50 GBP of 2026-11-01, HM Revenue & Customs: GBP EUR 1.1512"},
		{"one currency", daily, "DE", "EUR", ""},
		{"no rate of the currency", daily, "DE", "CHF", ""},
		{"no rate of the seller's", history, "GB", "EUR", ""},
		{"only later rates", "Date,USD\n2026-12-02,1.1\n", "DE", "USD", ""},
		{"old rates", "Date,USD\n2026-10-30,1.1\n", "DE", "USD", ""},
		{"the oldest that count", "Date,USD\n2026-10-31,1.1\n", "DE", "USD", "17.27 EUR of 2026-10-31, European Central Bank: EUR USD 1.1"},
	} {
		s := exchanging(t, c.rates)
		_, receipt := s.sold(t, c.seller, c.sold)
		if got := s.exchangeOf(t, receipt); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// exchangeOf writes what the JSON form of a document has about its tax in another currency.
func (s *sales) exchangeOf(t *testing.T, d *invoices.Document) string {
	t.Helper()
	v, err := s.JSON(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Rates) == 0 {
		return v.Totals.OwnCurrency + v.Totals.OwnTax
	}
	text := v.Totals.OwnTax + " " + v.Totals.OwnCurrency + " of " + v.Rates[0].At + ", " + v.Rates[0].Source + ":"
	for _, r := range v.Rates {
		text += " " + r.From + " " + r.To + " " + r.Amount
	}
	return text
}

// TestExchangeOfCreditNote: a credit note has the rates of its receipt, whatever the rates of its day are, and the report has both.
func TestExchangeOfCreditNote(t *testing.T) {
	s := exchanging(t, daily)
	o, receipt := s.sold(t, "DE", "USD")
	s.now = s.now.AddDate(0, 0, 60)
	o.Version++
	o.Refunds = []orders.Refund{{ID: "REF_1", PaymentID: o.Payments[0].ID, State: orders.RefundSucceeded, Amount: 5950,
		Split: orders.Split{Net: 5000, Tax: 950, Parts: []orders.SplitPart{{Taxable: 5000, Amount: 950}}}}}
	if err := s.db.Commit(t.Context(), orders.Change{Order: o, Facts: []orders.Fact{{Kind: orders.RefundHasSucceeded, Environment: o.Environment, StoreID: o.StoreID,
		OrderID: o.ID, EventID: "REF_1", At: s.now.UnixMilli()}}}); err != nil {
		t.Fatal(err)
	}
	s.issue(t)
	note, err := s.db.DocumentOf(t.Context(), o.Environment, o.ID, "REF_1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.exchangeOf(t, note), "8.77 EUR of 2026-11-30, European Central Bank: EUR USD 1.0832"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if receipt.Exchange.Tax() != 1754 {
		t.Errorf("the receipt has %+v", receipt.Exchange)
	}
	s.sold(t, "DE", "USD") // after the last rates
	today := civil.DateOf(s.now.UnixMilli())
	report, err := s.Report(t.Context(), invoices.ReportQuery{Environment: checkout.Prod, Stores: []string{"STO_1"}, From: today - 90, To: today})
	if err != nil {
		t.Fatal(err)
	}
	got := map[money.Currency]int64{}
	for _, line := range report.Taxes {
		got[line.Own] += line.OwnTax
	}
	if want := map[money.Currency]int64{"EUR": 877, "": 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("the report has %v, want %v", got, want)
	}
}

func TestParseRatesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "expected a header and a row",
		"Date,USD\n":                       "expected a header and a row",
		"Day,USD\n2026-11-30,1.1\n":        `the header begins with "Day"`,
		"EUR,USD\n2026-11-30,1.1\n":        `the header begins with "EUR"`,
		"XXQ Bank,USD\n2026-11-30,1\n":     "the header begins with",
		"Date,USD\n30/11/2026,1.1\n":       `line 2: "30/11/2026" is no day`,
		"Date,USD\n2026-11-30,1.1,2\n":     "more cells than the header has",
		"Date,USD\n2026-11-30,0\n":         `"0" is no rate of "USD"`,
		"Date,USD\n2026-11-30,-1\n":        `"-1" is no rate`,
		"Date,USD\n2026-11-30,1e3\n":       `"1e3" is no rate`,
		"Date,USD\n2026-11-30,1.\n":        `"1." is no rate`,
		"Date,Dollar\n2026-11-30,1\n":      `"1" is no rate of "Dollar"`,
		"Date,USD\n2026-11-30,1234567\n":   "is no rate",
		"Date,USD\n2026-11-30,1.0000001\n": "is no rate",
		"EUR " + strings.Repeat("x", 61) + ",USD\n2026-11-30,1\n": "in at most 60 characters",
	} {
		if _, err := invoices.ParseRates(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
