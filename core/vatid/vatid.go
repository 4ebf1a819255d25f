// Package vatid validates VAT identification numbers offline: [Parse] turns a number as typed into a [Number] or returns the
// [Fault] that makes it invalid. It supports the 27 members of the European Union, Northern Ireland (XI), the United
// Kingdom, Norway and Switzerland.
//
// A valid number is one that the country could have issued. It need not be registered; for the European Union, VIES knows.
// In most countries a random number passes the check digit with a probability of one in ten, and some check digits do not
// cover the whole number.
//
// Two kinds of number are refused because no buyer has one: the EU… and IM… numbers of the one-stop shops, which name a
// seller's scheme (Directive 2006/112/EC, articles 362 and 369q), and placeholders, which start with seven zeros.
package vatid

import "strings"

// Number is a valid VAT number in canonical form: upper case, no separators, with the prefix that VIES uses ("DE136695976";
// Greece is EL, "EL094259216"). It includes what buyers omit (leading zeros in Belgium, Greece and the Netherlands, MVA in
// Norway) and excludes language marks (MWST, TVA, IVA or TPV in Switzerland). Two spellings of one number are equal.
type Number string

// Fault says why a text is not a VAT number. None is the zero value.
type Fault uint8

const (
	None        Fault = iota
	Unsupported       // no rule is known for the country
	Format            // wrong length or characters, another country's prefix, or a placeholder
	CheckDigit        // the check digits are wrong, or a date or office in the number does not exist
)

// String returns the fault in kebab-case.
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

// Supported reports whether Parse has a rule for the country cc, an upper-case ISO 3166-1 alpha-2 code or XI for Northern
// Ireland. Greece is GR here.
func Supported(cc string) bool {
	return find(cc) != nil
}

// maxTyped is the length of the longest number, CHE107787577MWST.
const maxTyped = 16

// Parse reads s, a VAT number as a buyer in the country cc types it. Case is ignored, the country's prefix may be missing,
// and white space, dots, dashes, slashes and other ASCII punctuation except + and * are ignored. Greece's prefix may be EL
// or GR.
//
// A number with the prefix of another supported country, or with EU or IM, is refused. This affects a country's own number
// only in France, if it is typed without FR and its two key letters spell such a prefix: "DE123456782" could be either
// country's, so the French number needs its FR.
//
// Parse reads its own result as the same Number. If there is a fault, the Number is empty.
func Parse(cc, s string) (Number, Fault) {
	r := find(cc)
	if r == nil {
		return "", Unsupported
	}
	var buf [maxTyped]byte
	typed, ok := clean(buf[:0], s)
	if !ok {
		return "", Format
	}
	core, ok := r.core(string(typed))
	if !ok {
		return "", Format
	}
	lead, tail := r.omitted(core)
	number := r.prefix() + lead + core + tail
	switch national := number[len(r.prefix()):]; {
	case !fits(r.forms(), national) || isPlaceholder(national):
		return "", Format
	case !r.check(national):
		return "", CheckDigit
	}
	return Number(number), None
}

// find returns the rule of an ISO country code, or nil.
func find(cc string) *rule {
	switch cc {
	case "GR":
		cc = "EL"
	case "EL":
		return nil
	}
	return byPrefix(cc)
}

func byPrefix(prefix string) *rule {
	for i := range rules {
		if rules[i].prefix() == prefix {
			return &rules[i]
		}
	}
	return nil
}

// clean appends to b the significant characters of s, in upper case. It fails on a character that no number has, such as a
// letter beyond ASCII, and if b is full.
func clean(b []byte, s string) ([]byte, bool) {
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'z':
			c += 'A' - 'a'
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '+', c == '*':
		case isSeparator(c):
			continue
		default:
			return nil, false
		}
		if len(b) == cap(b) {
			return nil, false
		}
		b = append(b, byte(c))
	}
	return b, true
}

// isSeparator reports whether c, which is neither letter nor digit, may stand between them: ASCII, and what word processors
// use instead, the no-break space, the block General Punctuation (spaces, dashes, invisible marks), the minus sign, the
// ideographic space and the byte order mark.
func isSeparator(c rune) bool {
	return c < 0x80 || c == 0xa0 || 0x2000 <= c && c <= 0x206f || c == 0x2212 || c == 0x3000 || c == 0xfeff
}

// core returns a cleaned number without the prefix and without language marks. It fails if the prefix is another country's.
func (r *rule) core(typed string) (string, bool) {
	n, own := strings.CutPrefix(typed, r.prefix())
	if !own && r.prefix() == "EL" {
		n, own = strings.CutPrefix(typed, "GR")
	}
	if !own && len(n) >= 2 && isPrefix(n[:2]) {
		return "", false
	}
	if r.prefix() == "CH" {
		for _, vat := range [...]string{"MWST", "TVA", "IVA", "TPV"} {
			n = strings.TrimSuffix(n, vat)
		}
	}
	return n, true
}

// isPrefix reports whether s starts with the prefix of a country or of a one-stop shop.
func isPrefix(s string) bool {
	return s == "EU" || s == "IM" || s == "GR" || byPrefix(s) != nil
}

// omitted returns what buyers omit before and after a national number.
func (r *rule) omitted(n string) (lead, tail string) {
	switch {
	case r.prefix() == "BE" && len(n) == 9: // the older form
		return "0", ""
	case r.prefix() == "EL" && len(n) == 8:
		return "0", ""
	case r.prefix() == "CH" && len(n) == 9:
		return "E", ""
	case r.prefix() == "NL" && (len(n) == 10 || len(n) == 11):
		return "00"[len(n)-10:], ""
	case r.prefix() == "NO" && len(n) == 9:
		return "", "MVA"
	}
	return "", ""
}

// isPlaceholder reports whether n starts with seven zeros, as typed by a buyer without a number to fill a required field.
// Check digits do not detect these: in a dozen countries they are valid for zeros. No register is known to have issued such
// a number.
func isPlaceholder(n string) bool {
	if len(n) < 8 {
		return false
	}
	for _, c := range []byte(n[:7]) {
		if '1' <= c && c <= '9' {
			return false
		}
	}
	return true
}

// fits reports whether n has one of the formats, separated by spaces. In a format a capital letter or a digit stands for
// itself, and
//
//	d  a digit
//	p  a digit but 0
//	l  a letter
//	a  a letter or a digit
//	w  a letter from A to W
//	s  a letter, + or *
//	k  a letter but I and O, or a digit
//	e  a letter but I, O and T
func fits(forms, n string) bool {
	form, others, more := strings.Cut(forms, " ")
	return fitsForm(form, n) || more && fits(others, n)
}

func fitsForm(form, n string) bool {
	if len(form) != len(n) {
		return false
	}
	for i := range len(form) {
		if !fitsClass(form[i], n[i]) {
			return false
		}
	}
	return true
}

func fitsClass(class, c byte) bool {
	digit := '0' <= c && c <= '9'
	letter := 'A' <= c && c <= 'Z'
	switch class {
	case 'd':
		return digit
	case 'p':
		return digit && c != '0'
	case 'l':
		return letter
	case 'a':
		return letter || digit
	case 'w':
		return letter && c <= 'W'
	case 's':
		return letter || c == '+' || c == '*'
	case 'k':
		return digit || letter && c != 'I' && c != 'O'
	case 'e':
		return letter && c != 'I' && c != 'O' && c != 'T'
	}
	return class == c
}
