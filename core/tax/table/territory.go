package table

import (
	"cmp"
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Territory is a tax territory: a country, or a part of one that has taxes of its own.
type Territory struct {
	Country string
	Part    string // "TX" of US-TX; empty for a whole country
}

// TerritoryOf returns the territory of an address. Some addresses belong to another territory than their country's: Monaco
// is France for VAT, and the Canary Islands differ from Spain by postcode (data/exceptions.tsv).
func TerritoryOf(c country.Code, state, postcode string) Territory {
	if t, ok := exception(string(c), postcode); ok {
		return t
	}
	if c.NeedsState() {
		return Territory{string(c), state}
	}
	return Territory{Country: string(c)}
}

// Area is the territory whose law says where a supply is taxed: "EU" for the member states, otherwise the country.
func (t Territory) Area() Territory {
	if country.Code(t.Country).InEU() {
		return Territory{Country: "EU"}
	}
	return Territory{Country: t.Country}
}

// Is reports whether the territory is the jurisdiction with that name, "DE" or "US-TX".
func (t Territory) Is(jurisdiction string) bool {
	whole, part, _ := strings.Cut(jurisdiction, "-")
	return t.Country == whole && t.Part == part
}

func (t Territory) compare(r Row) int {
	if c := cmp.Compare(t.Country, string(r[:2])); c != 0 {
		return c
	}
	return cmp.Compare(t.Part, unfilled(string(r[3:5])))
}

// territoriesOf returns the territories in which an address of a country and state can lie, depending on its postcode.
func territoriesOf(c country.Code, state string) []Territory {
	all := []Territory{TerritoryOf(c, state, "")}
	for e := exceptions; e != ""; e = e[exceptionWidth:] {
		if e[:2] == string(c) {
			all = append(all, Territory{e[7:9], unfilled(e[10:exceptionWidth])})
		}
	}
	return all
}

// An exception is 12 bytes: the country, the postcode prefix (five bytes, filled with spaces) and the territory. The
// exceptions of a country are in descending order, so a longer prefix comes before a shorter one.
const exceptionWidth = 12

func exception(country, postcode string) (Territory, bool) {
	postcode = significant(postcode)
	i := search(len(exceptions)/exceptionWidth, func(i int) bool { return exceptions[i*exceptionWidth:][:2] < country })
	for i *= exceptionWidth; i < len(exceptions) && exceptions[i:i+2] == country; i += exceptionWidth {
		e := exceptions[i : i+exceptionWidth]
		if strings.HasPrefix(postcode, unfilled(e[2:7])) {
			return Territory{e[7:9], unfilled(e[10:])}, true
		}
	}
	return Territory{}, false
}
