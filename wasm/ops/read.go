package ops

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxInput is the longest JSON text that an operation reads, in bytes: the longest body that the API accepts. A longer one
// is refused, so a host need not pass more than MaxInput+1 bytes of it.
const MaxInput = 64 << 10

// maxDepth is the maximum nesting of objects and arrays.
const maxDepth = 32

// reader reads one JSON text in one pass. It follows RFC 8259, and is strict where that leaves a choice: a text is valid
// UTF-8 without a byte order mark, an object has no duplicate names, an escape is not half of a surrogate pair, and MaxInput
// and maxDepth apply. It also checks what no caller asked for. Names are case-sensitive.
//
// Callers name the members that they want of an object, as in "country isBusiness? seller{ registrations[ now0". A mark
// after a name is the type: ? for true or false, { for an object, [ for an array, 0 for a number, none for a string. The
// result has the value of a string, the text of anything else, and an empty text for a member that is absent or null.
//
// The first fault stops the reader: it moves to the end of the text, where every further read fails. A member of another
// type is a fault too. So callers check for a fault once, at the end.
type reader struct {
	text    string
	at      int
	depth   int
	names   []string // of the members read so far that are not wanted, in all objects that are open
	escaped bool     // the string read last has escapes
	faulty  bool
}

// read reads text as one object and finds the wanted members.
func read(text, wanted string, found []string) *reader {
	r := &reader{text: text}
	if len(text) > MaxInput || !utf8.ValidString(text) {
		r.fail()
	}
	r.object(wanted, found)
	if r.peek(); r.at < len(r.text) {
		r.fail()
	}
	return r
}

// members is read for an object that was found in the text. It finds nothing if the object is empty.
func (r *reader) members(object, wanted string, found []string) {
	if object != "" {
		r.text, r.at = object, 0
		r.object(wanted, found)
	}
}

// elements finds the elements of an array as text, as many as there is room for. It returns the number of all.
func (r *reader) elements(array string, found []string) int {
	if array == "" {
		return 0
	}
	r.text, r.at = array, 0
	return r.array(found)
}

// integer reads a whole number of up to 16 digits.
func (r *reader) integer(v string) (n int64) {
	for _, c := range []byte(v) {
		r.faulty = r.faulty || c < '0' || '9' < c || len(v) > 16
		n = n*10 + int64(c-'0')
	}
	return n
}

func (r *reader) fail() {
	r.faulty = true
	r.at = len(r.text)
}

// object reads an object.
func (r *reader) object(wanted string, found []string) {
	r.enter('{')
	outer := len(r.names)
	list, seen := list{all: wanted}, uint64(0) // of the wanted members
	for more := !r.take('}'); more; more = r.next('}') {
		name := r.content(r.quoted())
		if !r.take(':') {
			r.fail()
		}
		v := r.value()
		i, mark := list.find(name)
		if mark == 0 {
			r.names = append(r.names, name)
			continue
		}
		if seen>>i&1 != 0 {
			r.fail()
		}
		seen |= 1 << i
		if v != "" && !r.faulty {
			found[i] = r.typed(v, mark)
		}
	}
	if repeats(r.names[outer:]) {
		r.fail()
	}
	r.names = r.names[:outer]
	r.depth--
}

// list is wanted members, and those of them after the one found last.
type list struct {
	all, rest string
	next      int // the index of the first of rest
}

// find returns the index of a member, and its mark: a quote for a string, 0 if the name is not wanted. It starts after the one found
// last, because most texts have them in order.
func (l *list) find(name string) (i int, mark byte) {
	for range 2 {
		for l.rest != "" {
			var first string
			first, l.rest, _ = strings.Cut(l.rest, " ")
			l.next++
			mark = '"'
			if last := len(first) - 1; first[last]|0x20 < 'a' || 'z' < first[last]|0x20 {
				first, mark = first[:last], first[last]
			}
			if first == name {
				return l.next - 1, mark
			}
		}
		l.rest, l.next = l.all, 0
	}
	return 0, 0
}

func (r *reader) typed(v string, mark byte) string {
	kind := v[0]
	switch kind {
	case 't', 'f':
		kind = '?'
	case '{', '[':
	case '"':
		v = r.content(v[1 : len(v)-1])
	default:
		kind = '0'
	}
	if kind != mark {
		r.fail()
	}
	return v
}

// repeats reports whether two names are the same. It sorts them with a heap sort of its own, because the one of package
// slices would exceed the module's budget.
func repeats(heap []string) bool {
	for start, end := len(heap)/2, len(heap); end > 1; {
		if start > 0 {
			start--
		} else {
			end--
			heap[0], heap[end] = heap[end], heap[0]
		}
		for i, child := start, 2*start+1; child < end; i, child = child, 2*child+1 {
			if child+1 < end && heap[child] < heap[child+1] {
				child++
			}
			if heap[i] >= heap[child] {
				break
			}
			heap[i], heap[child] = heap[child], heap[i]
		}
		if end < len(heap) && heap[0] == heap[end] {
			return true
		}
	}
	return false
}

// array reads an array.
func (r *reader) array(found []string) (n int) {
	r.enter('[')
	for more := !r.take(']'); more; more = r.next(']') {
		v := r.value()
		if n < len(found) {
			found[n] = v
		}
		n++
	}
	r.depth--
	return n
}

func (r *reader) enter(left byte) {
	if r.depth == maxDepth || !r.take(left) {
		r.fail()
	}
	r.depth++
}

// next moves to the next item, or past the right bracket.
func (r *reader) next(right byte) bool {
	if r.take(',') {
		return true
	}
	if !r.take(right) {
		r.fail()
	}
	return false
}

// value reads any value and returns its text, empty for null.
func (r *reader) value() string {
	first := r.peek()
	begin := r.at
	switch first {
	case '{':
		r.object("", nil)
	case '[':
		r.array(nil)
	case '"':
		r.quoted()
	case 'n':
		r.word("null")
		return ""
	case 't':
		r.word("true")
	case 'f':
		r.word("false")
	default:
		r.number()
	}
	return r.text[begin:r.at]
}

func (r *reader) word(w string) {
	if !strings.HasPrefix(r.text[r.at:], w) {
		r.fail()
		return
	}
	r.at += len(w)
}

func (r *reader) number() {
	r.oneOf("-")
	if !r.oneOf("0") && !r.digits() || r.oneOf(".") && !r.digits() {
		r.fail()
	}
	if r.oneOf("eE") {
		r.oneOf("+-")
		if !r.digits() {
			r.fail()
		}
	}
}

func (r *reader) digits() (some bool) {
	for r.oneOf("0123456789") {
		some = true
	}
	return some
}

// quoted reads a string and returns the text between the quotes. Its escapes are valid.
func (r *reader) quoted() string {
	r.escaped = false
	if !r.take('"') {
		r.fail()
	}
	for begin := r.at; ; r.escaped = true {
		r.at += unescaped(r.text[r.at:])
		if r.at == len(r.text) || r.text[r.at] < ' ' {
			r.fail()
			return ""
		}
		r.at++
		if r.text[r.at-1] == '"' {
			return r.text[begin : r.at-1]
		}
		_, size := escape(r.text[r.at:])
		if r.at += size; size == 0 {
			r.fail()
		}
	}
}

// unescaped returns the number of bytes before the first one that a string has only in an escape, or that ends it.
func unescaped(s string) int {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			return i
		}
	}
	return len(s)
}

// content returns the value of the string read last.
func (r *reader) content(s string) string {
	if r.escaped {
		return unescape(s)
	}
	return s
}

// unescape returns the value of a string.
func unescape(s string) string {
	plain, rest, found := strings.Cut(s, `\`)
	if !found {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for found {
		b.WriteString(plain)
		c, size := escape(rest)
		b.WriteRune(c)
		plain, rest, found = strings.Cut(rest[size:], `\`)
	}
	b.WriteString(plain)
	return b.String()
}

// escape reads what follows a backslash. The size is 0 if it is no escape.
func escape(s string) (c rune, size int) {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if s == "" {
		return 0, 0
	}
	if i := strings.IndexByte(letters, s[0]); i >= 0 {
		return rune(meanings[i]), 1
	}
	c, ok := codeUnit(s)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(c) {
		return c, len("u0000")
	}
	rest, found := strings.CutPrefix(s[len("u0000"):], `\`)
	low, ok := codeUnit(rest)
	if c = utf16.DecodeRune(c, low); !found || !ok || c == utf8.RuneError {
		return 0, 0
	}
	return c, len(`ud83e\udd5e`)
}

// codeUnit reads "u" and four hexadecimal digits.
func codeUnit(s string) (unit rune, ok bool) {
	if len(s) < len("u0000") || s[0] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[1:len("u0000")]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	return unit, true
}

// peek moves to the next token and returns its first byte, 0 at the end.
func (r *reader) peek() byte {
	for r.at < len(r.text) && r.text[r.at] <= ' ' && r.oneOf(" \t\r\n") {
	}
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// take moves past the next token if it is c.
func (r *reader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

// oneOf moves past the next byte if it is in set.
func (r *reader) oneOf(set string) bool {
	if r.at == len(r.text) || strings.IndexByte(set, r.text[r.at]) < 0 {
		return false
	}
	r.at++
	return true
}
