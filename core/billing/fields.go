package billing

import (
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/vatid"
)

// Field is one field of the form for a billing detail: what a page needs to draw it, without the words.
type Field struct {
	Name         string // as in the API: "country", "state", "postcode", "isBusiness", "businessName", "taxId"
	Required     bool   // Check refuses a detail without it
	Business     bool   // it is asked of businesses only
	Label        string // names the label: "state" in one country, "province" in another
	Autocomplete string // token of the HTML standard for the attribute autocomplete; empty for a box to tick
	InputMode    string // "numeric" or "text" for a field to type into; empty for a choice
	Example      string // of what may stand in it, "SW1A 1AA"; empty where none helps
}

var (
	countryField    = Field{Name: "country", Required: true, Label: "country", Autocomplete: "billing country"}
	stateField      = Field{Name: "state", Required: true, Label: "state", Autocomplete: "billing address-level1"}
	postcodeField   = Field{Name: "postcode", Label: "postal-code", Autocomplete: "billing postal-code", InputMode: "text"}
	isBusinessField = Field{Name: "isBusiness", Required: true, Label: "business"}
	nameField       = Field{Name: "businessName", Required: true, Business: true, Label: "business-name",
		Autocomplete: "billing organization", InputMode: "text"}
	taxIDField = Field{Name: "taxId", Business: true, Label: "vat-id", Autocomplete: "off", InputMode: "text"}
)

// Fields is the form for a billing detail in a country, in the order of the page; what it leaves out, nobody there needs to
// be asked. While no country is chosen, which is "", it is the form to begin with. The state is a choice of the country's
// subdivisions.
func Fields(c country.Code) []Field {
	fields := append(make([]Field, 0, 6), countryField)
	if c.NeedsState() {
		state := stateField
		if c == "CA" {
			state.Label = "province"
		}
		fields = append(fields, state)
	}
	if c.HasPostcode() {
		fields = append(fields, postcodeIn(c))
	}
	fields = append(fields, isBusinessField, nameField)
	if vatid.Supported(string(c)) {
		taxID := taxIDField
		taxID.Required = c.InEU()
		fields = append(fields, taxID)
	}
	return fields
}

func postcodeIn(c country.Code) Field {
	field := postcodeField
	switch c {
	case "US", "AS", "GU", "MP", "PR", "UM", "VI":
		field.Label = "zip-code"
	case "GB", "GG", "IM", "JE", "AU", "NZ":
		field.Label = "postcode"
	}
	var digits bool
	if field.Example, digits = c.PostcodeExample(); digits {
		field.InputMode = "numeric"
	}
	return field
}
