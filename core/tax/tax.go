// Package tax computes the tax on one digital product or service: [Assess] takes a [Sale] and returns an [Assessment], which
// names the rules that decided. Package table has the rates, package rulebook explains the rules.
//
// Each rule has the days on which it holds, its source and a confidence: A for an official text, B for several sources that
// agree, C for a single one, X where sources conflict. In a conflict the rule follows the better source, or taxes if none is
// better, because a seller must pay what it fails to collect. A past day is assessed by the rules of that day.
// [table.DataVersion] names the table, so that an old result can be explained. An operator's own rows, a [table.Table], take
// precedence.
//
// Limits:
//   - In the United States the built-in table ends at the state: a rate includes local taxes only where they are the same
//     everywhere in the state. Precision is "state" there and in Canada, and "local" if a Table has the buyer's postcode.
//   - It knows no thresholds. A seller collects where it is established or registered, however little it sells. Below the
//     10,000 euro of Directive 2006/112/EC, Art. 59c, a seller may choose to be taxed at home instead.
//   - It charges buyers who are registered for Canada's GST, although a foreign seller under the simplified regime does not.
//   - Package vatid knows the tax numbers of forty countries. A business elsewhere is charged like a consumer, even where it
//     would owe the tax itself.
//   - The seven categories are coarse: a recorded course counts as a digital good, and a professional service is none of
//     those that some jurisdictions tax by name. The row's note says so.
//
// Package tax computes tax. It files nothing, does not check that a tax number is registered, and is not legal advice.
package tax

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// Category is the tax category of a product, one of the API's seven. The zero value is none of them.
type Category = table.Category

const (
	DigitalGoods        = table.DigitalGoods
	SaaS                = table.SaaS
	Software            = table.Software
	Ebook               = table.Ebook
	OnlineCourse        = table.OnlineCourse
	Consulting          = table.Consulting
	ProfessionalService = table.ProfessionalService
)

// ParseCategory reads the API's name of a category, "digital_goods".
func ParseCategory(s string) (Category, bool) { return table.ParseCategory(s) }

// Registration says that the seller collects for a jurisdiction from a day on. The jurisdiction is a country ("DE"), a state
// or province ("US-TX", "CA-QC") or "EU" for the one-stop shop, which covers all 27 member states, but not Guadeloupe,
// Martinique and Réunion, for which a registration with France is needed.
type Registration struct {
	Jurisdiction string
	From         civil.Date
}

// Seller has the facts about the seller on which tax depends.
type Seller struct {
	Country       country.Code // of establishment; its national taxes need no registration
	Everywhere    bool         // a merchant of record that collects wherever the table has a rate
	Registrations []Registration
}

// Sale is one product sold to one buyer on one day.
type Sale struct {
	Seller    *Seller
	Buyer     *billing.Detail
	Category  Category
	Price     money.Amount
	Inclusive bool  // the price contains the tax
	Step      int64 // smallest amount that the PSP can charge in the currency, in minor units, at least 1
	On        civil.Date
	IPCountry country.Code // of the buyer's IP address; empty if unknown
	Overrides *table.Table // the operator's own rows, which take precedence; nil for none
}

// Reason says why the tax is what it is: the [table.Treatment] of the row that decided, or NotCollecting. The zero value is
// Unsupported.
type Reason uint8

const (
	Unsupported   = Reason(table.Unsupported)   // the table does not know the jurisdiction: no tax is computed
	Standard      = Reason(table.Standard)      // taxed at the standard rate
	Reduced       = Reason(table.Reduced)       // taxed at a reduced rate
	ZeroRated     = Reason(table.ZeroRated)     // taxable at 0 %
	Exempt        = Reason(table.Exempt)        // the jurisdiction does not tax this category or this buyer
	OutOfScope    = Reason(table.OutOfScope)    // no tax of the jurisdiction applies to this sale
	ReverseCharge = Reason(table.ReverseCharge) // the buyer, a business, owes the tax
	NotCollecting = Reason(table.NotCollecting) // tax would be due, but the seller has no registration there
)

// String returns the reason in kebab-case, or an empty string if it is none.
func (r Reason) String() string {
	if r > NotCollecting {
		return ""
	}
	return table.Treatment(r).String()
}

// Evidence compares the two facts about the buyer's territory: the billing country and the country of the IP address.
type Evidence uint8

const (
	None     Evidence = iota // no IP country is known
	Agree                    // both name the same tax territory
	Conflict                 // they differ; the billing country is charged
)

// String returns the evidence in lower case.
func (e Evidence) String() string {
	switch e {
	case Agree:
		return "agree"
	case Conflict:
		return "conflict"
	default:
		return "none"
	}
}

// Component is one tax of one jurisdiction on the price.
type Component struct {
	Jurisdiction string     // "DE", "US-TX", "CA-QC"
	Tax          string     // "vat", "gst", "hst", "pst", "qst", "rst", "sales", "local"
	Rate         money.Rate // the legal rate, on Taxable
	Base         uint8      // percentage of the price that is taxable, nearly always 100
	Taxable      int64      // minor units
	Amount       int64      // minor units
}

// Name is the name of the tax on an invoice: "VAT", "GST", "Sales tax".
func (c *Component) Name() string { return table.TaxName(c.Tax) }

// Effective is the rate on the whole price: 5 % where 80 % of the price is taxed at 6.25 %.
func (c *Component) Effective() money.Rate { return c.Rate * money.Rate(c.Base) / 100 }

// Assessment is the tax on one sale and how it was computed. Amounts are minor units of the price's currency;
// Subtotal + Tax = Total, and Tax is the sum of the components.
type Assessment struct {
	Subtotal, Tax, Total int64
	Components           []Component // the taxes that are charged; nil if there are none
	Reason               Reason
	Precision            string   // what decided: "country", "state", "local" for an override by postcode, "none" for no rule
	Confidence           byte     // lowest of the rules that decided, 'A', 'B', 'C' or 'X'; 0 if none did
	Rules                []string // ids of the rows that decided, "de-vat-1" or "override:…", in the order of the lookups
	Evidence             Evidence
}
