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

// form is every field there is, as most countries have it, in the order of the page.
var form = [...]Field{
	{Name: "country", Required: true, Label: "country", Autocomplete: "billing country"},
	{Name: "state", Required: true, Label: "state", Autocomplete: "billing address-level1"},
	{Name: "postcode", Label: "postal-code", Autocomplete: "billing postal-code", InputMode: "text"},
	{Name: "isBusiness", Required: true, Label: "business"},
	{Name: "businessName", Required: true, Business: true, Label: "business-name", Autocomplete: "billing organization", InputMode: "text"},
	{Name: "taxId", Business: true, Label: "vat-id", Autocomplete: "off", InputMode: "text"},
}

// Fields is the form for a billing detail in a country, in the order of the page; what it leaves out, nobody there needs to
// be asked. While no country is chosen, which is "", it is the form to begin with. The state is a choice of the country's
// subdivisions.
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
	case "taxId":
		return vatid.Supported(string(c))
	}
	return true
}

// localize makes the field of a postcode the country's.
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
