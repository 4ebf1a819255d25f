package sessions

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// TestUsualCurrency: the buyer's own currency, else the euro in the EU, else the US dollar, else the first price's.
func TestUsualCurrency(t *testing.T) {
	for _, c := range []struct {
		near   country.Code
		prices string
		want   money.Currency
	}{
		{"GB", "EUR GBP USD", "GBP"}, {"DE", "USD EUR", "EUR"}, {"SE", "USD EUR", "EUR"}, {"SE", "USD EUR SEK", "SEK"}, {"JP", "EUR USD", "USD"},
		{"JP", "EUR JPY", "JPY"}, {"", "EUR USD", "USD"}, {"", "CHF EUR", "CHF"}, {"US", "CHF EUR", "CHF"}, {"DE", "", ""},
	} {
		var prices []catalog.Price
		for currency := range strings.FieldsSeq(c.prices) {
			prices = append(prices, catalog.Price{Amount: money.Amount{Minor: 1, Currency: money.Currency(currency)}})
		}
		if got := usualCurrency(prices, c.near); got != c.want {
			t.Errorf("in %q of %q: %s, want %s", c.near, c.prices, got, c.want)
		}
	}
	for code, currency := range currencies {
		if _, ok := country.Parse(string(code)); !ok {
			t.Errorf("%s is no country", code)
		}
		if _, ok := money.ParseCurrency(string(currency)); !ok {
			t.Errorf("%s is no currency", currency)
		}
	}
}
