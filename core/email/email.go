// Package email says when two e-mail addresses are the same buyer ([Normalize]), whether a text has the shape of an address
// ([Valid]), and which address a slip of the hand has probably meant ([Suggest]).
//
// The published API normalises a buyer's e-mail with JavaScript's trim().toLowerCase(). Normalize means exactly that, on
// every host alike: it reads case tables of its own, generated from a JavaScript engine, and never the host's, whose
// Unicode version differs from one Go release to the next. It goes no further: no Unicode normal form, no Punycode, no
// folding of "+tag" or dots. Two addresses that mail would treat as one can therefore still be two buyers.
package email

import (
	"strings"
	"unicode/utf8"
)

// Normalize returns s as s.trim().toLowerCase() in ECMAScript does: without white space and line terminators at either
// end, in the locale-independent lower case of Unicode, where a capital sigma at the end of a word becomes ς and İ becomes
// two code points, i and U+0307. The result can be longer than s in bytes. It is idempotent.
//
// A byte that is not UTF-8 has no counterpart in JavaScript and stays as it is. When nothing changes, the result is a part
// of s and nothing is allocated.
func Normalize(s string) string {
	s = Trim(s)
	for i := lowerASCII(s); i < len(s); {
		r, size := decode(s[i:])
		if toLower(r) != r {
			return lowered(s, i)
		}
		i += size
	}
	return s
}

// lowerASCII returns how many bytes of s, from its beginning, are ASCII and in lower case: nearly always all of them.
func lowerASCII(s string) int {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || 'Z' < s[i]) {
		i++
	}
	return i
}

// lowered is s in lower case. Everything before the byte i is so already.
func lowered(s string, i int) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/2) // Ⱥ grows the most, by half; to grow twice would cost the module dear
	b.WriteString(s[:i])
	for i < len(s) {
		r, size := decode(s[i:])
		switch l := toLower(r); {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && isFinal(s, i, i+size):
			b.WriteRune('ς')
		case l != r:
			b.WriteRune(l)
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// isFinal is the condition Final_Sigma (The Unicode Standard, 3.13, table 3-17) for the letter at s[start:end]: a cased
// letter before it and none behind, whatever case-ignorable characters lie between. V8, like ICU, sees a character that is
// both cased and case-ignorable, such as ʰ, as ignorable only, and so does this.
func isFinal(s string, start, end int) bool {
	before, after := ignorable, ignorable
	for before == ignorable && start > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:start])
		before = classOf(r)
		start -= size
	}
	for after == ignorable && end < len(s) {
		r, size := decode(s[end:])
		after = classOf(r)
		end += size
	}
	return before == cased && after != cased
}

// Trim returns s as s.trim() in ECMAScript does: without what that calls white space and line terminators at either end.
func Trim(s string) string {
	for s != "" {
		r, size := decode(s)
		if !isSpace(r) {
			break
		}
		s = s[size:]
	}
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		if !isSpace(r) {
			break
		}
		s = s[:len(s)-size]
	}
	return s
}

// isSpace is WhiteSpace or LineTerminator of ECMA-262, 12.2 and 12.3: the general category Zs, the ASCII controls that
// lay out text, the line and paragraph separators, and the byte order mark.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', '\u00a0', '\u1680', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000', '\ufeff':
		return true
	}
	return '\u2000' <= r && r <= '\u200a'
}

// decode is utf8.DecodeRuneInString with the common case in front.
func decode(s string) (r rune, size int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	return utf8.DecodeRuneInString(s)
}
