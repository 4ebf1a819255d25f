// Package email says when two e-mail addresses are the same buyer ([Normalize]) and whether a text has the shape of an
// address ([Valid]).
package email

import "strings"

// Normalize is JavaScript's s.trim().toLowerCase(), the published meaning of "the same buyer".
func Normalize(s string) string {
	return strings.ToLower(strings.Trim(s, "\t\n\v\f\r \u00a0\ufeff"))
}

// Valid reports whether s, a normalised address, has the shape of one.
func Valid(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t<>,\"") && len(s) <= 254
}
