// Package fold maps the look-alikes of ASCII that keyboards and word processors produce to ASCII: the full-width forms of East
// Asian input methods, spaces and dashes. It is for text whose alphabet is ASCII, such as postcodes and tax numbers.
package fold

import "unicode/utf8"

// Rune returns the ASCII character that r stands for, or r. For full-width forms and spaces it is the one of Unicode's normal
// form NFKC. Every dash becomes a hyphen. So do Japan's long vowel marks, and the ideographic full stop becomes a dot: input
// methods produce them for the keys of hyphen and dot. The postal mark before a Japanese postcode becomes a space.
func Rune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case '\uff01' <= r && r <= '\uff5e':
		return r - '\uff01' + '!'
	case '\u2010' <= r && r <= '\u2015', r == '\u2212', r == '\u30fc', r == '\ufe58', r == '\ufe63', r == '\uff70':
		return '-'
	case '\u2000' <= r && r <= '\u200a', r == '\u00a0', r == '\u202f', r == '\u205f', r == '\u3000', r == '\u3012':
		return ' '
	case r == '\u3002', r == '\uff61':
		return '.'
	}
	return r
}

// String returns s with every character folded, or s itself if there is nothing to fold. It keeps bytes that are not UTF-8.
func String(s string) string {
	if IsASCII(s) {
		return s
	}
	for i, r := range s {
		if Rune(r) != r {
			return folded(s, i)
		}
	}
	return s
}

// folded returns s folded. The first i bytes need no folding.
func folded(s string, i int) string {
	b := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		if to := Rune(r); to != r {
			b = append(b, byte(to))
		} else {
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return string(b)
}

// IsASCII reports whether s has ASCII characters only.
func IsASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
