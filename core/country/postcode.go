package country

import (
	"iter"
	"strings"
)

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
	for shape := range c.shapes() {
		if fits(s, shape) || fits(c.unmarked(s), shape) {
			return true
		}
		known = true
	}
	return !known
}

// shapes are those that postcodes of the country have, none where that is not known.
func (c Code) shapes() iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(shapes) {
			shape, row, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if find(row, string(c)) >= 0 && !yield(shape) {
				return
			}
		}
	}
}

// PostcodeExample is what a postcode of the country looks like, "SW1A 1AA", to be shown beside a field; empty where that is
// not known. digits says that nobody needs any other key than those of digits to write one, so that a keypad will do.
func (c Code) PostcodeExample() (example string, digits bool) {
	letters := false
	for shape := range c.shapes() {
		switch strings.Trim(shape, "n") {
		case "":
			if example == "" {
				example = "1234567"[:len(shape)]
			}
		case "-": // may be left out
		default:
			letters = true
		}
	}
	for line := range strings.Lines(examples) {
		if line[:2] == string(c) {
			return line[3 : len(line)-1], false
		}
	}
	return example, example != "" && !letters
}

// examples are those of countries that write more than digits: public buildings, mostly.
const examples = "BR 01310-100\nCA K1A 0B1\nCL 834-0457\nGB SW1A 1AA\nGG GY1 1AA\nIE D02 X285\nIM IM1 1AA\nIR 11936-12345\n" +
	"JE JE2 3AB\nJP 100-0001\nMT VLT 1117\nNL 1012 AB\nPL 00-950\nPT 1000-001\n"

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
