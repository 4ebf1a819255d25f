package locale

import (
	"iter"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Countries yields all of them in the language's order.
func (l *Locale) Countries() iter.Seq[country.Code] {
	return func(yield func(country.Code) bool) {
		for code := range strings.FieldsSeq(l.facts.Order) {
			if !yield(country.Code(code)) {
				return
			}
		}
	}
}

// Country is what a country is called, empty for what is none.
func (l *Locale) Country(c country.Code) string { return l.facts.Names[string(c)] }

// States are the country's states in the language's order. Where it has no names for them, they are in English.
func (l *Locale) States(c country.Code) []country.Subdivision {
	if l.facts.States == "" {
		return slices.SortedFunc(c.Subdivisions(), func(a, b country.Subdivision) int {
			return strings.Compare(c.SubdivisionName(a), c.SubdivisionName(b))
		})
	}
	var list []country.Subdivision
	for code := range strings.FieldsSeq(l.facts.States) {
		if state, ok := strings.CutPrefix(code, string(c)+"-"); ok {
			list = append(list, country.Subdivision(state))
		}
	}
	return list
}

// State is what a state of a country is called, empty for what is none.
func (l *Locale) State(c country.Code, s country.Subdivision) string {
	if name := l.states[string(c)+"-"+string(s)]; name != "" {
		return name
	}
	return c.SubdivisionName(s)
}

// Place is what a tax jurisdiction is called: "DE", "US-TX". A region without a name is called after its country: "PT-20".
func (l *Locale) Place(jurisdiction string) string {
	code, state, _ := strings.Cut(jurisdiction, "-")
	if name := l.State(country.Code(code), country.Subdivision(state)); name != "" {
		return name
	}
	return l.Country(country.Code(code))
}
