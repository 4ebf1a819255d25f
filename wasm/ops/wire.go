package ops

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

// The types of this file are the JSON of the operations, for Go programs that encode or decode it. The operations themselves do
// not use reflection and write the same members. web/src/core/core.ts has the same types. Tests compare the three.

// Terms are [checkout.Terms].
type Terms struct {
	Price  Price  `json:"price"`
	Step   string `json:"step"` // the smallest amount that can be charged, by default one minor unit
	Seller Seller `json:"seller"`
}

// Price is what is sold.
type Price struct {
	Amount      string         `json:"amount"`
	Currency    money.Currency `json:"currency"`
	TaxCategory string         `json:"taxCategory"`
	TaxIncluded bool           `json:"taxIncluded"`
}

// Seller is who sells it.
type Seller struct {
	Country       country.Code   `json:"country"`
	Everywhere    bool           `json:"everywhere"` // collects in every jurisdiction
	Registrations []Registration `json:"registrations"`
}

// Registration is a jurisdiction in which the seller collects tax, since a day.
type Registration struct {
	Jurisdiction string `json:"jurisdiction"`
	From         string `json:"from"`
}

// Sale is the input of [Instance.Quote] without the buyer.
type Sale struct {
	Terms
	On        string       `json:"on"`
	IPCountry country.Code `json:"ipCountry,omitempty"`
	Rates     string       `json:"rates,omitempty"` // the operator's own, as [table.Table.Text] writes them
	Discount  *Discount    `json:"discount,omitempty"`
}

// Discount is a [checkout.Discount].
type Discount struct {
	Label  string `json:"label"`
	Amount string `json:"amount"`
}

// TermsOf converts terms.
func TermsOf(t *checkout.Terms) Terms {
	terms := Terms{
		Price: Price{
			Amount: t.Price.String(), Currency: t.Price.Currency, TaxCategory: t.Category.String(), TaxIncluded: t.Inclusive,
		},
		Step:   money.Amount{Minor: t.Step, Currency: t.Price.Currency}.String(),
		Seller: Seller{Country: t.Seller.Country, Everywhere: t.Seller.Everywhere, Registrations: []Registration{}},
	}
	for _, r := range t.Seller.Registrations {
		terms.Seller.Registrations = append(terms.Seller.Registrations, Registration{r.Jurisdiction, r.From.String()})
	}
	return terms
}

// Quote is the public JSON of a quote. The API adds members to it.
type Quote struct {
	Currency    string      `json:"currency,omitempty"`
	ListPrice   string      `json:"listPrice,omitempty"` // before the discount, as the product states it; "" without one
	Discount    *Discount   `json:"discount,omitempty"`
	Subtotal    string      `json:"subtotal,omitempty"`
	TaxAmount   string      `json:"taxAmount,omitempty"`
	Total       string      `json:"total,omitempty"`
	RatePercent Percent     `json:"ratePercent,omitempty"` // of the whole price, all components together
	TaxName     string      `json:"taxName"`               // "VAT", "GST + QST"; "" where there is no tax
	Components  []Component `json:"components"`
	Reason      string      `json:"reason,omitempty"`
	Precision   string      `json:"precision,omitempty"`
	Confidence  string      `json:"confidence,omitempty"` // of the weakest rule: A official, B sources agree, C one source, X sources conflict
	Rules       []string    `json:"rules"`
	Evidence    string      `json:"evidence,omitempty"`
	On          string      `json:"on,omitempty"`          // the day whose rules applied
	DataVersion string      `json:"dataVersion,omitempty"` // of the rules
}

// Component is one tax of one jurisdiction.
type Component struct {
	Jurisdiction string  `json:"jurisdiction"`
	Tax          string  `json:"tax"` // "vat", "sales"
	Name         string  `json:"name"`
	RatePercent  Percent `json:"ratePercent"` // the legal rate
	BasePercent  Percent `json:"basePercent"` // how much of the price is taxable
	Taxable      string  `json:"taxable"`
	Amount       string  `json:"amount"`
}

// Percent is a decimal that is a number in JSON.
type Percent string

// MarshalJSON returns the decimal.
func (p Percent) MarshalJSON() ([]byte, error) { return []byte(p), nil }

// UnmarshalJSON keeps the number's text.
func (p *Percent) UnmarshalJSON(number []byte) error {
	*p = Percent(number)
	return nil
}

// QuoteOf converts a quote.
func QuoteOf(q *checkout.Quote) Quote {
	a := &q.Assessment
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: q.Currency}.String() }
	quote := Quote{
		Currency: string(q.Currency), Subtotal: amount(a.Subtotal), TaxAmount: amount(a.Tax), Total: amount(a.Total),
		RatePercent: Percent(a.Rate().Percent()), TaxName: a.Name(), Components: []Component{}, Reason: a.Reason.String(),
		Precision: a.Precision, Rules: append([]string{}, a.Rules...), Evidence: a.Evidence.String(), On: q.On.String(),
		DataVersion: q.DataVersion,
	}
	if q.Discount.Minor != 0 {
		quote.ListPrice, quote.Discount = amount(q.ListPrice), &Discount{q.Discount.Label, amount(q.Discount.Minor)}
	}
	if a.Confidence != 0 {
		quote.Confidence = string([]byte{a.Confidence})
	}
	for i := range a.Components {
		c := &a.Components[i]
		quote.Components = append(quote.Components, Component{
			c.Jurisdiction, c.Tax, c.Name(), Percent(c.Rate.Percent()), Percent((money.Rate(c.Base) * 1000).Percent()), amount(c.Taxable),
			amount(c.Amount),
		})
	}
	return quote
}
