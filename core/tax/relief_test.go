package tax_test

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

// reliefs are businesses with their tax numbers as typed, and why a seller abroad charges what it does.
var reliefs = []struct {
	country, state, taxID string
	want                  tax.Reason
}{
	{"AU", "", "51 824 753 556", tax.ReverseCharge},
	{"AU", "", "ABN 51 824 753 557", tax.Standard}, // a wrong check digit
	{"NZ", "", "49-091-850", tax.ReverseCharge},
	{"NZ", "", "49-091-851", tax.Standard},
	{"SG", "", "197401143C", tax.ReverseCharge},
	{"SG", "", "M90312345X", tax.Standard}, // no published check digit
	{"KR", "", "116-82-00276", tax.ReverseCharge},
	{"KR", "", "116-82-00278", tax.Standard},
	{"IN", "", "27AAPFU0939F1ZV", tax.ReverseCharge},
	{"IN", "", "AAPFU0939F", tax.Standard}, // a PAN, without registration for GST
	{"TH", "", "0-9940-00617-72-1", tax.ReverseCharge},
	{"TH", "", "0-9940-00617-72-2", tax.Standard},
	{"CA", "ON", "123026635 RT 0001", tax.Standard}, // no row relieves it
	{"JP", "", "T7000012050002", tax.Standard},      // kept as typed
	{"MC", "", "FR59000004025", tax.ReverseCharge},
	{"MC", "", "FR58000004025", tax.Standard},
	{"FR", "", "FR59000004025", tax.ReverseCharge},
	{"IM", "", "GB980780684", tax.ReverseCharge},
	{"IM", "", "GB980780685", tax.Standard},
	{"GB", "", "XI980780684", tax.ReverseCharge}, // the number of a service is the British one
	{"GB", "", "GB980780684", tax.ReverseCharge},
	{"AX", "", "FI20774740", tax.ReverseCharge},
	{"GP", "", "FR40303265045", tax.ReverseCharge},
	{"MQ", "", "40 303 265 045", tax.ReverseCharge},
	{"RE", "", "FR40303265045", tax.ReverseCharge},
}

// TestRelief takes numbers from what a buyer types to the reason of the tax, for a seller in a country without tax. A seller at
// home charges every one of them.
func TestRelief(t *testing.T) {
	for _, c := range reliefs {
		for home, want := range map[country.Code]tax.Reason{"HK": c.want, country.Code(c.country): tax.Standard} {
			business := true
			buyer, problems := billing.Check(billing.Input{Country: c.country, State: c.state, IsBusiness: &business, BusinessName: "A", TaxID: c.taxID})
			if problems != nil {
				t.Fatalf("%s %s: %v", c.country, c.taxID, problems)
			}
			a, problem := tax.Assess(&tax.Sale{
				Seller: &tax.Seller{Country: home, Everywhere: true}, Buyer: &buyer, Category: tax.SaaS,
				Price: money.Amount{Minor: 10_000, Currency: "USD"}, Step: 1, On: date(today),
			})
			if problem != nil || a.Reason != want || (a.Tax == 0) != (want == tax.ReverseCharge) {
				t.Errorf("%s %q from %s: %s, tax %d, %v", c.country, c.taxID, home, a.Reason, a.Tax, problem)
			}
		}
	}
}
