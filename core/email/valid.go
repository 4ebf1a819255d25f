package email

import (
	"strings"
	"unicode/utf8"
)

// Lengths in bytes unless noted.
const (
	maxAddress = 254 // RFC 5321, 4.5.3.1.3: a path has 256 with its angle brackets
	maxLocal   = 64  // RFC 5321, 4.5.3.1.1
	maxDomain  = 253 // RFC 1035, 2.3.4: 255 on the wire, where every label has a length byte and the root is one more
	maxLabel   = 63  // RFC 1035, 2.3.4; in characters, for the U-label of a 63-byte A-label can have more bytes than that
)

// Valid reports whether s, as [Normalize] returns it, has the syntax of an e-mail address. It does not check whether the
// address exists.
//
// For ASCII the rule is "valid e-mail address" of the HTML standard, which browsers apply to <input type=email>: it accepts
// dots anywhere in the local part and refuses quoted local parts, comments and address literals. Two rules are stricter,
// because payment providers refuse such addresses: the domain has at least two labels (HTML and RFC 5321 allow
// root@localhost), and the length limits of RFC 5321 and RFC 1035 apply.
//
// Characters beyond ASCII are accepted in both parts, as in RFC 6531, except invisible ones: white space, controls and the
// characters that Unicode calls default ignorable, such as bidirectional controls, variation selectors, tags and Hangul
// fillers. The joiners U+200C and U+200D, which some scripts need, are accepted between two characters beyond ASCII only,
// so that none can hide in an ASCII address. Invalid UTF-8 and U+FFFD, its replacement, are refused.
func Valid(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return found && len(s) <= maxAddress && validLocal(local) && validDomain(domain)
}

func validLocal(local string) bool {
	return local != "" && len(local) <= maxLocal && legible(local, ".!#$%&'*+/=?^_`{|}~-")
}

// legible reports whether s has only ASCII letters and digits, bytes of also, visible characters beyond ASCII, and joiners
// between two of the last.
func legible(s, also string) bool {
	for i := 0; i < len(s); {
		r, size := Decode(s[i:])
		next := i + size
		if !isAlphanumeric(r) && strings.IndexByte(also, s[i]) < 0 && !Visible(r) ||
			isJoiner(r) && (i == 0 || next == len(s) || s[i-1] < utf8.RuneSelf || s[next] < utf8.RuneSelf) {
			return false
		}
		i = next
	}
	return true
}

func validDomain(domain string) bool { return strings.IndexByte(domain, '.') >= 0 && ValidHost(domain) }

// ValidHost reports whether s has the syntax of a host name, with the rules of [Valid] for a domain but one label or more.
func ValidHost(s string) bool { return len(s) <= maxDomain && validLabels(s) }

func validLabels(domain string) bool {
	label, others, more := strings.Cut(domain, ".")
	return validLabel(label) && (!more || validLabels(others))
}

func validLabel(label string) bool {
	return label != "" && label[0] != '-' && label[len(label)-1] != '-' && utf8.RuneCountInString(label) <= maxLabel &&
		legible(label, "-")
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// Visible reports whether r is a character beyond ASCII that an address may have: a visible one or a joiner.
func Visible(r rune) bool {
	return r >= 0xa0 && !isSpace(r) && find(hiddenRuns, r) == uncased
}

// isJoiner reports whether r is U+200C or U+200D.
func isJoiner(r rune) bool { return r|1 == '\u200d' }
