package country

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/fold"
)

// HasPostcode reports whether addresses in the country have a postcode. It is for the form; ValidPostcode accepts a postcode
// for every country.
func (c Code) HasPostcode() bool { return find(withoutPostcode, string(c)) < 0 }

// PostcodeDecidesTax reports whether a part of the country with taxes of its own is known by its postcodes, as the Canary
// Islands are (core/tax/data/exceptions.tsv).
func (c Code) PostcodeDecidesTax() bool { return find("ATAUDEDKESFRGBGRITNOPT", string(c)) >= 0 }

// ValidPostcode reports whether a postcode has the country's format, not whether it exists. It is lenient: case, spaces and
// hyphens are ignored, look-alikes of ASCII are read as package fold does, and the postal mark or the country's mark may come
// first ("〒100-0001", "DE-10115", "D-10115", "LV1010"). If the country's format is not known, it accepts every text.
func (c Code) ValidPostcode(s string) bool {
	_, known, valid := c.read(s)
	return valid || !known
}

// BarePostcode returns the significant characters of a postcode in capitals, for comparison: without spaces, hyphens and marks.
func (c Code) BarePostcode(s string) string {
	bare, _, _ := c.read(s)
	return bare
}

// read returns the significant characters of a postcode, and whether the country's format is known and is theirs. The
// country's mark in the old postal convention is its ISO code or the first letter of it.
func (c Code) read(s string) (bare string, known, valid bool) {
	bare = significant(s)
	for lines := shapes; lines != ""; {
		var line string
		line, lines, _ = strings.Cut(lines, "\n")
		shape, row, _ := strings.Cut(line, " ")
		if find(row, string(c)) < 0 {
			continue
		}
		for n := range len(c) + 1 {
			if rest, marked := strings.CutPrefix(bare, string(c[:n])); marked && fits(rest, shape) {
				return rest, true, true
			}
		}
		known = true
	}
	return bare, known, false
}

// significant returns the letters, digits and signs of a postcode in capitals. A character beyond ASCII becomes DEL, which
// matches no format.
func significant(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		r = fold.Rune(r)
		if r == ' ' || r == '-' {
			continue
		}
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		b = append(b, byte(min(r, '\x7f')))
	}
	return string(b)
}

// PostcodeExample returns an example of the country's postcodes for a form, "SW1A 1AA", or an empty string. digits reports
// whether its postcodes have digits only, for a numeric keypad.
func (c Code) PostcodeExample() (example string, digits bool) {
	for lines := examples; lines != ""; {
		var line string
		if line, lines, _ = strings.Cut(lines, "\n"); line[:2] == string(c) {
			return line[2:], false
		}
	}
	for n := 3; !c.ValidPostcode("") && n <= 7; n++ {
		if example = "1234567"[:n]; c.ValidPostcode(example) {
			return example, true
		}
	}
	return "", false
}

// examples are postcodes, mostly of public buildings, of countries whose postcodes have more than digits.
const examples = "ARC1425CLA\nBR01310-100\nCAK1A 0B1\nCL834-0457\nGBSW1A 1AA\nGGGY1 1AA\nIED02 X285\nIMIM1 1AA\n" +
	"IR11936-12345\nJEJE2 3AB\nJP100-0001\nKZA15E3B1\nMTVLT 1117\nNL1012 AB\nPL00-950\nPT1000-001"

// fits compares the significant characters of a postcode with a format: n is a digit, a is a letter, x is either, and
// anything else is itself.
func fits(s, shape string) bool {
	if len(s) != len(shape) {
		return false
	}
	for i := range len(s) {
		if !matches(s[i], shape[i]) {
			return false
		}
	}
	return true
}

func matches(b, symbol byte) bool {
	digit, letter := '0' <= b && b <= '9', 'A' <= b && b <= 'Z'
	switch symbol {
	case 'n':
		return digit
	case 'a':
		return letter
	case 'x':
		return digit || letter
	default:
		return b == symbol
	}
}
