package invoices_test

import (
	"fmt"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
)

// receipt is a receipt of the prod environment.
func receipt(storeID string, number int) *invoices.Document {
	return &invoices.Document{
		Series: invoices.Series{Environment: checkout.Prod, StoreID: storeID, Kind: invoices.Receipt, Year: 2026}, Number: number, Prefix: "A1B2C3",
		Token: fmt.Sprintf("%s-%d", storeID, number), OrderID: fmt.Sprintf("ORD_%s_%d", storeID, number), EventID: fmt.Sprintf("PAY_%s_%d", storeID, number),
		IssuedAt: 1795428000000, SuppliedAt: 1795428000000, Currency: "EUR", Subtotal: 2900, Tax: 551, Total: 3451, Reason: tax.Standard,
		Components: []tax.Component{{Jurisdiction: "DE", Tax: "vat", Rate: 19000, Base: 100, Taxable: 2900, Amount: 551}},
		Seller:     invoices.Party{Name: "Northline SAS", Street: "12 rue de la Paix", Postcode: "75002", City: "Paris", Country: "FR", IsBusiness: true},
		Buyer:      invoices.Party{Email: "ada@example.com", Country: "DE"}, Line: invoices.Line{Name: "Northline Pro", Category: tax.Software},
		StoreRef: invoices.StoreRef{Name: "Northline", SupportEmail: "help@northline.example"},
	}
}
