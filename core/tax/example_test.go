package tax_test

import (
	"fmt"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

func ExampleAssess() {
	on, _ := civil.ParseDate("2026-11-23")
	a, refused := tax.Assess(&tax.Sale{
		Seller:   &tax.Seller{Country: "US", Registrations: []tax.Registration{{Jurisdiction: "CA"}, {Jurisdiction: "CA-QC"}}},
		Buyer:    &billing.Detail{Country: "CA", State: "QC"},
		Category: tax.SaaS,
		Price:    money.Amount{Minor: 2900, Currency: "CAD"},
		Step:     1,
		On:       on,
	})
	if refused != nil {
		fmt.Println(refused)
		return
	}
	fmt.Printf("%s, %s %%: %d + %d = %d\n", a.Name(), a.Rate().Percent(), a.Subtotal, a.Tax, a.Total)
	for _, c := range a.Components {
		fmt.Printf("%s %s %s %%: %d\n", c.Jurisdiction, c.Name(), c.Rate.Percent(), c.Amount)
	}
	fmt.Println(a.Reason, a.Rules)
	// Output:
	// GST + QST, 14.975 %: 2900 + 434 = 3334
	// CA-QC GST 5 %: 145
	// CA-QC QST 9.975 %: 289
	// standard [ca-qc-gst-1 ca-qc-qst-1]
}
