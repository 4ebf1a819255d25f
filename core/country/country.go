// Package country knows the world as an address form needs it: [Code] is a country of ISO 3166-1, [Subdivision] a state or
// province of ISO 3166-2, and a Code says whether it belongs to the European Union, whether an address there has a state
// and a postcode, and what shape the postcode has.
//
// Kosovo's XK is not a code of ISO 3166-1 and is refused; Greece is GR here, EL only in VAT numbers. A Code says nothing
// about tax territories: the Canary Islands are ES.
package country

import (
	"iter"
	"strings"
)

//go:generate go run gen.go

// Code is an alpha-2 code of ISO 3166-1 in capitals, "US". A valid one comes only from Parse.
type Code string

// Parse knows the officially assigned codes, exactly two capitals.
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

// InEU says whether the country is one of the 27 member states of the European Union.
func (c Code) InEU() bool { return find(members, string(c)) >= 0 }

// find is the place of a code of two letters in a sorted row of them, negative if it is not there.
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

// each yields the codes of such a row.
func each[T ~string](row string) iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := 0; i < len(row); i += 2 {
			if !yield(T(row[i : i+2])) {
				return
			}
		}
	}
}

// name is the line of names that belongs to a place in a row of codes, empty for a negative place.
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
