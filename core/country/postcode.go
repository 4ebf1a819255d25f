package country

import "strings"

// HasPostcode reports whether addresses in the country have a postcode. It is for the form; ValidPostcode accepts a postcode
// for every country.
func (c Code) HasPostcode() bool { return find(withoutPostcode, string(c)) < 0 }

// ValidPostcode reports whether a postcode has the country's format, not whether it exists. It is lenient: case and spaces
// are ignored, hyphens are optional, the country's mark may come first ("DE-10115", "D-10115", "LV1010"), and East Asian
// full-width forms are accepted. If the country's format is not known, it accepts every text.
func (c Code) ValidPostcode(s string) bool {
	s = plain(s)
	known := false
	for lines := shapes; lines != ""; {
		var line string
		line, lines, _ = strings.Cut(lines, "\n")
		shape, row, _ := strings.Cut(line, " ")
		if find(row, string(c)) < 0 {
			continue
		}
		if fits(s, shape) || fits(c.unmarked(s), shape) {
			return true
		}
		known = true
	}
	return !known
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

// unmarked returns a postcode without the country's mark of the old postal convention: the ISO code, with or without a
// hyphen, or its first letter with one.
func (c Code) unmarked(s string) string {
	mark, rest, found := strings.Cut(s, "-")
	if found && mark != "" && strings.HasPrefix(string(c), mark) {
		return rest
	}
	return strings.TrimPrefix(s, string(c))
}

// plain drops spaces and maps dashes and full-width forms to ASCII, in capitals. Any other character beyond ASCII becomes
// DEL, which matches no format.
func plain(s string) string {
	var ascii []byte
	for _, r := range s {
		switch {
		case r == ' ' || r == '\u00a0' || r == '\u3000':
			continue
		case '\u2010' <= r && r <= '\u2015' || r == '\u2212' || r == '\u30fc':
			r = '-'
		case '\uff01' <= r && r <= '\uff5e':
			r += '!' - '\uff01'
		}
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		ascii = append(ascii, byte(min(r, '\x7f')))
	}
	return string(ascii)
}

// fits compares a plain text with a format: n is a digit, a is a letter, x is either, a hyphen is optional, and anything
// else is itself.
func fits(s, shape string) bool {
	for i := range len(shape) {
		if shape[i] == '-' {
			s = strings.TrimPrefix(s, "-")
			continue
		}
		if s == "" || !matches(s[0], shape[i]) {
			return false
		}
		s = s[1:]
	}
	return s == ""
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
