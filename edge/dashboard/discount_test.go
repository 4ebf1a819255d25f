package dashboard

import (
	"reflect"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/quoteview"
)

// TestDiscountLine: an order's page and the text of a quote show the list price and the discount before the subtotal.
func TestDiscountLine(t *testing.T) {
	terms := checkout.Terms{Price: money.Amount{Minor: 1290_00, Currency: "EUR"}, Category: tax.SaaS, Step: 1, Seller: tax.Seller{Country: "DE"}}
	quote, refused := terms.QuoteLess(checkout.Discount{Label: "Welcome", Minor: 29_00}, &billing.Detail{Country: "DE"}, "", 20_780, nil)
	if refused != nil {
		t.Fatal(refused)
	}
	view := quoteview.New(&quote, false)
	want := []line{{"List price", "1,290.00 EUR"}, {"Welcome", "−29.00 EUR"}, {"Subtotal", "1,261.00 EUR"}, {"VAT 19 %, DE", "239.59 EUR"}}
	if got := linesOf(view); !reflect.DeepEqual(got, want) {
		t.Errorf("the lines are %q", got)
	}
	var text strings.Builder
	if err := view.Text(&text); err != nil {
		t.Fatal(err)
	}
	if words := strings.Join(strings.Fields(text.String()), " "); !strings.HasPrefix(words, "List price 1290.00 EUR Welcome -29.00 EUR Subtotal 1261.00 EUR VAT 19 % (DE) 239.59 EUR Total 1500.59 EUR") {
		t.Errorf("the text is %s", words)
	}
}
