package email

// maxTyped is longer than any valid address before it is normalised, in bytes: lower case shortens a letter to a third of
// its bytes at most.
const maxTyped = 4 * maxAddress

// Clip returns Trim(s), cut to slightly more than the longest valid address. [Normalize] is slow for letters beyond Latin,
// so a text of unknown length must be clipped first.
func Clip(s string) string {
	s = Trim(s)
	return s[:min(len(s), maxTyped)]
}
