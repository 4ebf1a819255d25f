package billing

import (
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/vatid"
)

// Field is one field of the form for a billing detail, without its texts.
type Field struct {
	Name         string // as in the API: "country", "state", "postcode", "isBusiness", "businessName", "taxId"
	Required     bool   // Check refuses a detail without it
	Business     bool   // for businesses only
	Label        string // key of the label: "state" or "province", "vat-id" or "tax-id"
	Autocomplete string // token of the HTML standard for the attribute autocomplete; empty for a checkbox
	InputMode    string // "numeric" or "text" for a field to type into; empty for a choice
	Example      string // an example value, "SW1A 1AA", or empty
}

// form has all fields, as most countries have them, in the order of the page.
var form = [...]Field{
	{Name: "country", Required: true, Label: "country", Autocomplete: "billing country"},
	{Name: "state", Required: true, Label: "state", Autocomplete: "billing address-level1"},
	{Name: "postcode", Label: "postal-code", Autocomplete: "billing postal-code", InputMode: "text"},
	{Name: "isBusiness", Required: true, Label: "business"},
	{Name: "businessName", Required: true, Business: true, Label: "business-name", Autocomplete: "billing organization", InputMode: "text"},
	{Name: "taxId", Business: true, Label: "tax-id", Autocomplete: "off", InputMode: "text"},
}

// Fields returns the fields of the form for a country, in the order of the page, without those that the country does not
// need. For "" it returns the form before a country is chosen. The state is a choice of the country's subdivisions.
func Fields(c country.Code) []Field {
	fields := make([]Field, 0, len(form))
	for i := range form {
		if !asks(c, form[i].Name) {
			continue
		}
		fields = append(fields, form[i])
		switch f := &fields[len(fields)-1]; f.Name {
		case "state":
			if c == "CA" {
				f.Label = "province"
			}
		case "postcode":
			f.localize(c)
		case "taxId":
			f.Required = c.InEU()
			if vatid.VAT(string(c)) {
				f.Label = "vat-id"
			}
		}
	}
	return fields
}

// asks reports whether the form of a country has a field.
func asks(c country.Code, name string) bool {
	switch name {
	case "state":
		return c.NeedsState()
	case "postcode":
		return c.HasPostcode()
	}
	return true
}

// localize adapts the postcode field to the country.
func (f *Field) localize(c country.Code) {
	switch c {
	case "US", "AS", "GU", "MP", "PR", "UM", "VI":
		f.Label = "zip-code"
	case "GB", "GG", "IM", "JE", "AU", "NZ":
		f.Label = "postcode"
	}
	var digits bool
	if f.Example, digits = c.PostcodeExample(); digits {
		f.InputMode = "numeric"
	}
}
