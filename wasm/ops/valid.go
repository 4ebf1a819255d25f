package ops

// Valid reports whether text is one JSON object in the strict sense of this package: no half characters, no member twice,
// no more than 32 levels and 64 KiB. The edge server asks it before it decodes a request, so that what the module refuses
// to read, the server does not read either.
func Valid(text []byte) bool {
	return !read(string(text), "", nil).faulty
}
