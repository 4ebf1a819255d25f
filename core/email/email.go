// Package email normalises e-mail addresses ([Normalize]), validates them ([Valid]) and suggests corrections ([Suggest]).
//
// The published API normalises a buyer's e-mail with JavaScript's trim().toLowerCase(). Normalize does exactly that on every
// host: it uses case tables generated from a JavaScript engine, because the host's Unicode version changes between Go
// releases. It applies no Unicode normal form and no Punycode, and keeps "+tag" and dots. So two addresses that reach the
// same mailbox can be two buyers.
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
		r, size := Decode(s[i:])
		if toLower(r) != r {
			return lowered(s, i)
		}
		i += size
	}
	return s
}

// lowerASCII returns the number of bytes at the start of s that are ASCII and in lower case, which is nearly always all.
func lowerASCII(s string) int {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && (s[i] < 'A' || 'Z' < s[i]) {
		i++
	}
	return i
}

// lowered returns s in lower case. The first i bytes are already in lower case.
func lowered(s string, i int) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/2) // Ⱥ grows the most, by half; growing twice would cost the module memory
	b.WriteString(s[:i])
	for i < len(s) {
		r, size := Decode(s[i:])
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

// isFinal is the condition Final_Sigma (The Unicode Standard, 3.13, table 3-17) for the letter at s[start:end]: there is a
// cased letter before it and none after it, ignoring case-ignorable characters. Like V8 and ICU, it treats a character that
// is both cased and case-ignorable, such as ʰ, as ignorable.
func isFinal(s string, start, end int) bool {
	before, after := ignorable, ignorable
	for before == ignorable && start > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:start])
		before = classOf(r)
		start -= size
	}
	for after == ignorable && end < len(s) {
		r, size := Decode(s[end:])
		after = classOf(r)
		end += size
	}
	return before == cased && after != cased
}

// Trim returns s as s.trim() in ECMAScript does: without white space and line terminators at either end.
func Trim(s string) string {
	for s != "" {
		r, size := Decode(s)
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

// isSpace is WhiteSpace or LineTerminator of ECMA-262, 12.2 and 12.3: the general category Zs, the ASCII controls for
// layout, the line and paragraph separators, and the byte order mark.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', '\u00a0', '\u1680', '\u2028', '\u2029', '\u202f', '\u205f', '\u3000', '\ufeff':
		return true
	}
	return '\u2000' <= r && r <= '\u200a'
}

// Decode is utf8.DecodeRuneInString with a fast path for ASCII.
func Decode(s string) (r rune, size int) {
	if s[0] < utf8.RuneSelf {
		return rune(s[0]), 1
	}
	return utf8.DecodeRuneInString(s)
}
