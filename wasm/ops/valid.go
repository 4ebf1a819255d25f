package ops

// Valid reports whether text is one JSON object for the strict reader of this package: no half surrogate pairs, no duplicate
// members, at most 32 levels and 64 KiB. The server calls it before it decodes a request, so that it accepts only what the
// module accepts.
func Valid(text []byte) bool {
	return !read(string(text), "", nil).faulty
}
