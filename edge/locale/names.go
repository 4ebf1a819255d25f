package locale

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Countries yields all countries in display order.
func (l *Locale) Countries() iter.Seq[country.Code] {
	return func(yield func(country.Code) bool) {
		for code := range strings.FieldsSeq(l.facts.Order) {
			if !yield(country.Code(code)) {
				return
			}
		}
	}
}

// Country returns the name of a country, or "".
func (l *Locale) Country(c country.Code) string { return l.facts.Names[string(c)] }

// State is a state and its name.
type State struct {
	Code country.Subdivision
	Name string
}

// States returns the country's states in display order. Names that the catalog lacks are in English. The slice is shared and
// read-only.
func (l *Locale) States(c country.Code) []State { return l.states[c] }

// State returns the name of a state, or "".
func (l *Locale) State(c country.Code, s country.Subdivision) string {
	for _, state := range l.states[c] {
		if state.Code == s {
			return state.Name
		}
	}
	return ""
}

// Territory returns the name of a tax jurisdiction, "DE" or "US-TX". A region without a name has its country's: "PT-20".
func (l *Locale) Territory(jurisdiction string) string {
	code, state, _ := strings.Cut(jurisdiction, "-")
	if name := l.State(country.Code(code), country.Subdivision(state)); name != "" {
		return name
	}
	return l.Country(country.Code(code))
}

// englishStates returns the states of every country, sorted by their English names.
func englishStates() map[country.Code][]State {
	all := map[country.Code][]State{}
	for c := range country.All() {
		for s := range c.Subdivisions() {
			all[c] = append(all[c], State{s, c.SubdivisionName(s)})
		}
		slices.SortFunc(all[c], func(a, b State) int { return cmp.Compare(a.Name, b.Name) })
	}
	return all
}

// ownStates returns the states with the catalog's names. Both arguments use codes like "US-CA"; order is separated by spaces.
func ownStates(names map[string]string, order string) map[country.Code][]State {
	all := map[country.Code][]State{}
	for code := range strings.FieldsSeq(order) {
		c, s, _ := strings.Cut(code, "-")
		all[country.Code(c)] = append(all[country.Code(c)], State{country.Subdivision(s), names[code]})
	}
	return all
}
