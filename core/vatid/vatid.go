// Package vatid reads VAT identification numbers: [Parse] turns a number as typed into a [Number] or says in a [Fault]
// why it cannot be one.
package vatid

import "strings"

// Number is a sound VAT number in its one written form: upper case, no separators, with the VAT prefix
// ("DE136695976"; Greece is EL: "EL094259216").
type Number string

// Fault says why a text is no VAT number. None is the zero value.
type Fault uint8

const (
	None        Fault = iota
	Unsupported       // no rule is known for the country
	Format            // wrong length or characters
	CheckDigit        // the digits contradict each other
)

// String names the fault in kebab-case.
func (f Fault) String() string {
	switch f {
	case None:
		return "none"
	case Unsupported:
		return "unsupported"
	case Format:
		return "format"
	default:
		return "check-digit"
	}
}

const countries = "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK XI"

// Supported reports whether Parse has a rule for the ISO 3166-1 country code cc; XI is Northern Ireland.
func Supported(cc string) bool {
	return len(cc) == 2 && strings.Contains(countries, cc)
}

// Parse reads s, a VAT number as typed by a buyer in the country cc.
func Parse(cc, s string) (Number, Fault) {
	if !Supported(cc) {
		return "", Unsupported
	}
	n := strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9' || 'A' <= r && r <= 'Z':
			return r
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, s)
	if cc == "GR" {
		cc = "EL"
		n = strings.TrimPrefix(n, "GR")
	}
	n = strings.TrimPrefix(n, cc)
	if len(n) < 2 || len(n) > 13 {
		return "", Format
	}
	return Number(cc + n), None
}
