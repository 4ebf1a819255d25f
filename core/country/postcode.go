package country

import "strings"

// shapes is what postcodes look like, a shape a line and behind it the countries that write it: n stands for a digit, a for
// a letter, x for either, a hyphen for one that may be left out, anything else for itself. A country may have several.
// The facts are those of the Universal Postal Union's addressing pages, with former shapes that are still written (four
// digits in PT, six in KR, two in MT). A country whose shape is in doubt or being reformed is left out rather than guessed.
const shapes = `nnn: AD BH FO GN IS LS MG OM PG TW
nnnn: AF AL AM AR AT AU AZ BD BE BG BH CC CH CX CY DK ET GE GL HU LI LU LV MD MK MZ NF NO NZ PH PT SI SJ TN ZA
FL-nnnn: LI
nnnnn: AS AX BA BL BT CU CZ DE DO DZ EE ES FI FM FR GF GP GR GT GU HR ID IL IQ IT JO KE KH KR KW LA LK LT MA MC ME MF MH
nnnnn: MN MP MQ MV MX MY NC NP PF PK PM PR PW RE RS SA SE SK SM SN TH TR TW UA UM US UY VA VI VN WF YT ZM
nnnnn-nnnn: AS FM GU MH MP PR PW SA UM US VI
nnnnnn: AM BY CN CO IN KG KH KZ MN NG RO RS RU SG TJ TM TW UZ VN
nnnnnnn: IL
nn-nnn: PL
nnn-nnn: KR
nnn-nnnn: CL JP
nnnn-nnn: PT
nnnnn-nnn: BR
nnnnn-nnnnn: IR
nnnnaa: NL
annnnaaa: AR
annanan: KZ
aaann: MT
aaannnn: MT
ananan: CA
annxxxx: IE
D6Wxxxx: IE
annaa: GB GG IM JE
annnaa: GB GG IM JE
ananaa: GB GG IM JE
aannaa: GB GG IM JE
aannnaa: GB GG IM JE
aananaa: GB GG IM JE
GIR0AA: GB
BFPOn: GB
BFPOnn: GB
BFPOnnn: GB
BFPOnnnn: GB
`

// withoutPostcode is the countries where an address has none, of the same source.
const withoutPostcode = "AE AG AO AQ AW BF BI BJ BO BQ BS BV BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GM GQ GY " +
	"HK JM KI KM KN KP ML MO MR NR NU QA RW SB SC SL SR ST SX SY TD TF TG TK TO TV UG VU YE ZW"

// HasPostcode says whether addresses in the country carry a postcode. It is for the form: ValidPostcode accepts one
// wherever it is given.
func (c Code) HasPostcode() bool { return !strings.Contains(withoutPostcode, string(c)) }

// ValidPostcode looks at the shape of a postcode, trimmed and in capitals, and not at whether it exists. It would rather
// accept: spaces may stand anywhere, a hyphen may be missing where the country writes one, the country's mark may stand in
// front ("DE-10115", "D-10115", "LV1010"), East Asian full-width forms count as their plain ones, and every text passes for
// a country whose shape is not known. An empty text has no known shape.
func (c Code) ValidPostcode(s string) bool {
	s = strings.Map(plain, s)
	known := false
	for line := range strings.Lines(shapes) {
		shape, countries, _ := strings.Cut(line, ":")
		if !strings.Contains(countries, string(c)) {
			continue
		}
		if fits(s, shape) || fits(c.unmarked(s), shape) {
			return true
		}
		known = true
	}
	return !known
}

// unmarked is a postcode without the mark of its country, a form of the old postal convention that some countries keep: the
// ISO code, with or without a hyphen, or its first letter with one.
func (c Code) unmarked(s string) string {
	mark, rest, found := strings.Cut(s, "-")
	if found && mark != "" && strings.HasPrefix(string(c), mark) {
		return rest
	}
	return strings.TrimPrefix(s, string(c))
}

// plain drops spaces and turns what an East Asian keyboard writes for ASCII, and the various dashes, into ASCII.
func plain(r rune) rune {
	switch {
	case r == ' ' || r == '\u00a0' || r == '\u3000':
		return -1
	case '\u2010' <= r && r <= '\u2015' || r == '\u2212' || r == '\u30fc':
		return '-'
	case '\uff01' <= r && r <= '\uff5e':
		return r - '\uff01' + '!'
	default:
		return r
	}
}

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

// matches says whether a byte may stand where the shape has this symbol.
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
