// Package country has the countries and their address formats: [Code] is a country of ISO 3166-1, [Subdivision] a state or
// province of ISO 3166-2. A Code says whether the country is in the European Union, whether its addresses have a state and a
// postcode, and which format the postcode has.
//
// Kosovo's XK is not in ISO 3166-1 and is refused. Greece is GR; EL occurs in VAT numbers only. A Code does not determine
// the tax territory: the Canary Islands are ES.
package country

import (
	"iter"
	"strings"
)

//go:generate go run gen.go

// Code is an alpha-2 code of ISO 3166-1 in capitals, "US". A valid one comes only from Parse.
type Code string

// Parse accepts the officially assigned codes, in two capitals.
func Parse(s string) (Code, bool) {
	if len(s) != 2 || s[0] < 'A' || 'Z' < s[0] || s[1] < 'A' || 'Z' < s[1] {
		return "", false
	}
	bit := int(s[0]-'A')*26 + int(s[1]-'A')
	if assigned[bit/8]>>(bit%8)&1 == 0 {
		return "", false
	}
	return Code(s), true
}

// All yields every code that Parse accepts, in alphabetic order.
func All() iter.Seq[Code] { return each[Code](codes) }

// InEU reports whether the country is one of the 27 member states of the European Union.
func (c Code) InEU() bool { return find(members, string(c)) >= 0 }

// find returns the index of a two-letter code in a sorted list of them, negative if it is missing.
func find(row, code string) int {
	low, high := 0, len(row)/2
	for low < high {
		middle := int(uint(low+high) / 2)
		switch entry := row[2*middle:][:2]; {
		case entry == code:
			return 2 * middle
		case entry < code:
			low = middle + 1
		default:
			high = middle
		}
	}
	return -1
}

// each yields the codes of such a list.
func each[T ~string](row string) iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := 0; i < len(row); i += 2 {
			if !yield(T(row[i : i+2])) {
				return
			}
		}
	}
}

// name returns the line of names at an index, empty if the index is negative.
func name(lines string, place int) string {
	if place < 0 {
		return ""
	}
	for ; place > 0; place -= 2 {
		_, lines, _ = strings.Cut(lines, "\n")
	}
	line, _, _ := strings.Cut(lines, "\n")
	return line
}
