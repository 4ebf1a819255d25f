package table

// taxes are in the order of an invoice. Supply is not a tax: its rows say where a supply is taxed and who owes the tax. The
// taxes up to lastNational are national: one registration with the country covers them.
var taxes = [...]struct{ code, name string }{
	{"supply", ""},
	{"vat", "VAT"},
	{"gst", "GST"},
	{"hst", "HST"},
	{"jct", "Consumption tax"},
	{"pst", "PST"},
	{"qst", "QST"},
	{"rst", "RST"},
	{"sales", "Sales tax"},
	{"local", "Local tax"}, // in overrides only
}

const (
	Supply       = 0          // index in [Matches] of the row about the place of supply; the taxes follow it
	Taxes        = len(taxes) // length of [Matches]
	lastNational = 4
)

// taxOf returns the index of a code in taxes, negative if there is none.
func taxOf(code string) int {
	for i := range taxes {
		if taxes[i].code == code {
			return i
		}
	}
	return -1
}

// TaxName returns the name of a tax on an invoice: "VAT" for "vat". It is empty if there is no such tax.
func TaxName(code string) string {
	if i := taxOf(code); i >= 0 {
		return taxes[i].name
	}
	return ""
}

// Treatment says what a row decides. Rows of a tax have one up to OutOfScope; rows about the place of supply have
// ReverseCharge, AtCustomer or AtSeller.
type Treatment uint8

const (
	Unsupported   Treatment = iota // the rule is not known
	Standard                       // taxed at the standard rate
	Reduced                        // taxed at a reduced rate
	ZeroRated                      // taxable at 0 %
	Exempt                         // not taxed for this category or buyer
	OutOfScope                     // outside the scope of the tax
	ReverseCharge                  // the buyer owes the tax
	NotCollecting                  // of no row: the seller does not collect the tax
	AtCustomer                     // taxed where the customer is
	AtSeller                       // taxed where the seller is established, if that is in the same area
)

var treatmentNames = [...]string{
	"unsupported", "standard", "reduced", "zero-rated", "exempt", "out-of-scope", "reverse-charge", "not-collecting",
	"customer", "seller",
}

// String returns the name of the treatment in the table's files: "zero-rated".
func (t Treatment) String() string { return treatmentNames[t] }
