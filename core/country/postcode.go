package country

import "strings"

// HasPostcode says whether addresses in the country carry a postcode. It is for the form: ValidPostcode accepts one
// wherever it is given.
func (c Code) HasPostcode() bool { return find(withoutPostcode, string(c)) < 0 }

// ValidPostcode looks at the shape of a postcode, and not at whether it exists. It would rather accept: letters may be small,
// spaces may stand anywhere, a hyphen may be missing where the country writes one, the country's mark may stand in
// front ("DE-10115", "D-10115", "LV1010"), East Asian full-width forms count as their plain ones, and every text passes for
// a country whose shape is not known. An empty text has no known shape.
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

// PostcodeExample is what a postcode of the country looks like, "SW1A 1AA", to be shown beside a field; empty where that is
// not known. digits says that nobody needs any other key than those of digits to write one, so that a keypad will do.
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

// examples are those of countries that write more than digits: public buildings, mostly.
const examples = "ARC1425CLA\nBR01310-100\nCAK1A 0B1\nCL834-0457\nGBSW1A 1AA\nGGGY1 1AA\nIED02 X285\nIMIM1 1AA\n" +
	"IR11936-12345\nJEJE2 3AB\nJP100-0001\nKZA15E3B1\nMTVLT 1117\nNL1012 AB\nPL00-950\nPT1000-001"

// unmarked is a postcode without the mark of its country, a form of the old postal convention that some countries keep: the
// ISO code, with or without a hyphen, or its first letter with one.
func (c Code) unmarked(s string) string {
	mark, rest, found := strings.Cut(s, "-")
	if found && mark != "" && strings.HasPrefix(string(c), mark) {
		return rest
	}
	return strings.TrimPrefix(s, string(c))
}

// plain drops spaces and turns the various dashes, and what an East Asian keyboard writes for ASCII, into ASCII, in capitals.
// What else is not ASCII becomes DEL, which fits no shape.
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

// fits compares a plain text with a shape: n stands for a digit, a for a letter, x for either, a hyphen for one that may be
// left out, anything else for itself.
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
