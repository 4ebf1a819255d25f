package ops

// Valid reports whether text is one JSON object for the strict reader of this package: no half surrogate pairs, no duplicate
// members, at most 32 levels and 64 KiB.
func Valid(text []byte) bool {
	return !read(string(text), "", nil).faulty
}

// Object reads text as one JSON object, as strictly as [Valid]. wanted names members, at most 64, separated by spaces, each with a mark
// unless its value is a string: ? for true or false, { for an object, [ for an array, 0 for a number. found gets the value of each, in
// order: of a string its content, of anything else the text as written, and nothing for a member that is absent or null. It
// reports whether the text is sound and every wanted member has its type. The edge server decodes requests with it, so that it
// reads what the module reads.
func Object(text, wanted string, found []string) bool { return !read(text, wanted, found).faulty }

// Strings finds the elements of an array that [Object] has found, as many as there is room for; an element that is null is empty. It
// returns the number of all elements, and whether they are strings and nulls. Without a text there are none.
func Strings(array string, found []string) (n int, ok bool) {
	if array == "" {
		return 0, true
	}
	r := &reader{text: array}
	r.enter('[')
	for more := !r.take(']'); more; more = r.next(']') {
		v := r.value()
		if v != "" && v[0] != '"' {
			r.fail()
		} else if v != "" && n < len(found) {
			found[n] = unescape(v[1 : len(v)-1])
		}
		n++
	}
	return n, !r.faulty
}
