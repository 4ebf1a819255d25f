// Package vatid validates the tax numbers of businesses offline: [Parse] turns a number as typed into a [Number] or returns the
// [Fault] that makes it invalid. It supports the VAT numbers of the 27 members of the European Union, Northern Ireland (XI), the
// United Kingdom, Norway and Switzerland, and the registration numbers of Australia (ABN), Canada (BN), India (GSTIN), South
// Korea (BRN), New Zealand (IRD), Singapore (UEN) and Thailand (TIN).
//
// Businesses in a territory that uses another country's VAT numbers have that country's: Monaco, Guadeloupe, Martinique and
// Réunion those of France, the Isle of Man those of the United Kingdom, Åland those of Finland. A Northern Irish number is the
// same as the British one and is read as that in the United Kingdom, because XI counts for goods only (Directive 2006/112/EC,
// Art. 215).
//
// A valid number is one that the country could have issued. It need not be registered; for the European Union, VIES knows.
// In most countries a random number passes the check digit with a probability of one in ten, and some check digits do not
// cover the whole number.
//
// Two kinds of number are refused because no buyer has one: the EU… and IM… numbers of the one-stop shops, which name a
// seller's scheme (Directive 2006/112/EC, articles 362 and 369q), and placeholders, which start with seven zeros.
package vatid

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/fold"
)

// Number is a valid number in canonical form: upper case, no separators, a VAT number with the prefix that VIES uses
// ("DE136695976"; Greece is EL, "EL094259216"), any other without one ("51824753556"). It includes what buyers omit (leading zeros in Belgium, Greece, the Netherlands and New Zealand,
// MVA in Norway) and excludes language marks (MWST, TVA, IVA or TPV in Switzerland). Two spellings of one number are equal.
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

// VAT reports whether the numbers of the country cc are VAT numbers, which have a prefix.
func VAT(cc string) bool {
	r := find(cc)
	return r != nil && r.vat()
}

// maxTyped is the length of the longest number with its name, GSTIN27AAPFU0939F1ZV.
const maxTyped = 20

// Parse reads s, a tax number as a buyer in the country cc types it. Look-alikes of ASCII are read as package fold does. Case is
// ignored, the country's prefix may be missing, the name of a number of digits may come first ("ABN 51 824 753 556"), and white space, dots, dashes, slashes and other ASCII punctuation except + and *
// are ignored. Greece's prefix may be EL
// or GR, the United Kingdom's GB or XI.
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

// aliases are pairs of an ISO country code and the country of its rule.
const aliases = "AXFIGPFRGRELIMGBMCFRMQFRREFR"

// find returns the rule of an ISO country code, or nil.
func find(cc string) *rule {
	if cc == "EL" {
		return nil
	}
	for i := 0; i < len(aliases); i += 4 {
		if aliases[i:i+2] == cc {
			cc = aliases[i+2 : i+4]
		}
	}
	for i := range rules {
		if rules[i].country() == cc {
			return &rules[i]
		}
	}
	return nil
}

// clean appends to b the significant characters of s, in upper case. It fails on a character that no number has, such as a
// letter beyond ASCII, and if b is full.
func clean(b []byte, s string) ([]byte, bool) {
	for _, c := range s {
		switch c = fold.Rune(c); {
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

// isSeparator reports whether c, which is folded and neither letter nor digit, may stand between them: ASCII, the block General
// Punctuation (invisible marks, quotation marks) and the byte order mark.
func isSeparator(c rune) bool {
	return c < 0x80 || 0x2000 <= c && c <= 0x206f || c == 0xfeff
}

// core returns a cleaned number without the prefix, name and language marks. It fails if the prefix is another country's.
func (r *rule) core(typed string) (string, bool) {
	n, own := strings.CutPrefix(typed, r.country())
	if !own && r.country() == "EL" {
		n, own = strings.CutPrefix(typed, "GR")
	}
	if !own && r.country() == "GB" {
		n, own = strings.CutPrefix(typed, "XI")
	}
	if !own && len(n) >= 2 && isPrefix(n[:2]) {
		return "", false
	}
	switch {
	case r.country() == "CH":
		for _, vat := range [...]string{"MWST", "TVA", "IVA", "TPV"} {
			n = strings.TrimSuffix(n, vat)
		}
	case !r.vat() && r.country() != "SG":
		for n != "" && n[0] > '9' {
			n = n[1:]
		}
	}
	return n, true
}

// isPrefix reports whether s is the prefix of a country's VAT numbers or of a one-stop shop's.
func isPrefix(s string) bool {
	for i := range rules {
		if rules[i].prefix() == s {
			return true
		}
	}
	return s == "EU" || s == "IM" || s == "GR"
}

// omitted returns what buyers omit before and after a national number.
func (r *rule) omitted(n string) (lead, tail string) {
	switch c := r.country(); {
	case c == "BE" && len(n) == 9: // the older form
		return "0", ""
	case (c == "EL" || c == "NZ") && len(n) == 8:
		return "0", ""
	case c == "CH" && len(n) == 9:
		return "E", ""
	case c == "NL" && (len(n) == 10 || len(n) == 11):
		return "00"[len(n)-10:], ""
	case c == "NO" && len(n) == 9:
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
	zeros := 0
	for _, c := range []byte(n[:7]) {
		if '1' <= c && c <= '9' {
			return false
		}
		if c == '0' {
			zeros++
		}
	}
	return zeros > 4 // two letters may come first, as in France; Singapore's T00GB0001A has more
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
