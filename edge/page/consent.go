package page

import (
	"slices"
	"strconv"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
)

// consentBox is a sentence of the store with its box. The style sheet shows it for the countries whose options name its number.
type consentBox struct {
	Number int
	*checkout.ConsentText
	Given bool
}

// consentField returns the name of a box among the fields.
func consentField(number int) string { return "consent-" + strconv.Itoa(number) }

// Consents returns the boxes for every country.
func (p *formPage) Consents() (list []consentBox) {
	for i := range p.asked {
		list = append(list, consentBox{i, &p.asked[i], slices.Contains(p.Form.Consents, p.asked[i].Version)})
	}
	return list
}

// Field returns the name of the box among the fields.
func (b *consentBox) Field() string { return consentField(b.Number) }

// consentNumbers returns the numbers of the boxes that a country has, "0 2".
func (p *formPage) consentNumbers(where country.Code) (numbers string) {
	for i := range p.asked {
		if p.asked[i].Applies(where) {
			numbers += " " + strconv.Itoa(i)
		}
	}
	return numbers
}

// consents returns what the form states. A form states consents always, so that all of its country are required.
func (v *visit) consents(f *form) checkout.Consents {
	return checkout.Consents{Asked: v.store.Consents, Agreed: f.Consents, Stated: true}
}

// addConsents adds a message for every box of the country that is not ticked.
func (v *visit) addConsents(wrong fieldErrors, f *form, where country.Code) {
	for i := range v.store.Consents {
		if asked := &v.store.Consents[i]; asked.Applies(where) && !slices.Contains(f.Consents, asked.Version) {
			wrong.add(v.texts, where, consentField(i), "consent-required")
		}
	}
}
