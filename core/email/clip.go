package email

// maxTyped is more than any valid address can be long before it is normalised, in bytes: no letter becomes shorter than a
// third of its bytes.
const maxTyped = 4 * maxAddress

// Clip returns Trim(s), and of a longer text than any address only the beginning, which is no address either. [Normalize]
// takes its time for letters beyond Latin, so that a text of unknown length is to be clipped before it.
func Clip(s string) string {
	s = Trim(s)
	return s[:min(len(s), maxTyped)]
}
