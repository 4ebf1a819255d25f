package call

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxInput is the longest JSON text that an operation reads, in bytes: the longest body that the API accepts. A longer
// one is refused like text that is no JSON, so a host need not hand over more than MaxInput+1 bytes of it.
const MaxInput = 64 << 10

// maxDepth is how many objects and arrays may lie within each other.
const maxDepth = 32

// reader takes one JSON text apart, front to back. It is RFC 8259 and stricter where that leaves a choice: a text is
// valid UTF-8 without a byte order mark, no object has two members of one name, no escape is half of a surrogate pair,
// and MaxInput and maxDepth hold. What it skips, it checks all the same. Names count as they are spelled.
//
// The first fault stops it: it moves to the end of the text, where every further read fails and answers a zero value, so
// that a caller asks once, when done. Strings are parts of the text where they hold no escape.
type reader struct {
	text   string
	at     int
	depth  int
	names  []string // of the members read so far in every object that is open; those of one object are sorted
	faulty bool
}

// read takes text as one object. member is called for each of its members and must read the value, by skip if it is of
// no interest.
func read(text string, member func(r *reader, name string)) (ok bool) {
	if len(text) > MaxInput || !utf8.ValidString(text) {
		return false
	}
	r := &reader{text: text}
	given := r.object(member)
	r.peek()
	return given && !r.faulty && r.at == len(r.text)
}

func (r *reader) fail() {
	r.faulty = true
	r.at = len(r.text)
}

// object reads an object, or null, which is none.
func (r *reader) object(member func(r *reader, name string)) (given bool) {
	if !r.enter('{') {
		return false
	}
	outer := len(r.names)
	for more := !r.take('}'); more; more = r.next('}') {
		name := r.quoted()
		r.declare(r.names[outer:], name)
		if !r.take(':') {
			r.fail()
		}
		member(r, name)
	}
	r.names = r.names[:outer]
	r.depth--
	return true
}

// declare adds name to the sorted names of the innermost object.
func (r *reader) declare(siblings []string, name string) {
	at, found := slices.BinarySearch(siblings, name)
	if found {
		r.fail()
		return
	}
	at += len(r.names) - len(siblings)
	r.names = append(r.names, name)
	copy(r.names[at+1:], r.names[at:])
	r.names[at] = name
}

// array reads an array, or null, which is none.
func (r *reader) array(element func(r *reader)) {
	if !r.enter('[') {
		return
	}
	for more := !r.take(']'); more; more = r.next(']') {
		element(r)
	}
	r.depth--
}

// enter goes into an object or array, and not into null. The two loops that follow it are alike; as one function with a
// function for what they differ in they would cost the module memory for every object.
func (r *reader) enter(left byte) bool {
	if r.null() {
		return false
	}
	if r.depth == maxDepth || !r.take(left) {
		r.fail()
		return false
	}
	r.depth++
	return true
}

// next moves on to the next item, or out past the right bracket.
func (r *reader) next(right byte) bool {
	if r.take(',') {
		return true
	}
	if !r.take(right) {
		r.fail()
	}
	return false
}

// string reads a string; null is the empty one.
func (r *reader) string() string {
	if r.null() {
		return ""
	}
	return r.quoted()
}

// boolean reads true or false; null is neither.
func (r *reader) boolean() (value, given bool) {
	switch r.peek() {
	case 'n':
		r.word("null")
		return false, false
	case 't':
		r.word("true")
		return true, true
	default:
		r.word("false")
		return false, true
	}
}

// skip reads any value.
func (r *reader) skip() {
	switch r.peek() {
	case '{':
		r.object(func(r *reader, _ string) { r.skip() })
	case '[':
		r.array((*reader).skip)
	case '"':
		r.quoted()
	case 'n':
		r.word("null")
	case 't', 'f':
		r.boolean()
	default:
		r.number()
	}
}

func (r *reader) null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.word("null")
	return true
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

func (r *reader) quoted() string {
	if !r.take('"') {
		r.fail()
		return ""
	}
	begin, escaped := r.at, false
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			s := r.text[begin:r.at]
			r.at++
			if escaped {
				return r.unescape(s)
			}
			return s
		case c == '\\':
			escaped = true
			r.at++ // what is escaped ends no string
		case c < ' ':
			r.fail()
			return ""
		}
	}
	r.fail()
	return ""
}

func (r *reader) unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		plain, rest, found := strings.Cut(s, `\`)
		b.WriteString(plain)
		if !found {
			return b.String()
		}
		c, size := escape(rest)
		if size == 0 {
			r.fail()
			return ""
		}
		b.WriteRune(c)
		s = rest[size:]
	}
}

// escape reads what follows a backslash, which quoted has made sure is something. The size is 0 if it is no escape.
func escape(s string) (c rune, size int) {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
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

// peek moves to the next token and is its first byte, 0 at the end.
func (r *reader) peek() byte {
	for r.oneOf(" \t\r\n") {
	}
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

// take moves past the next token if that is c.
func (r *reader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

// oneOf moves past the next byte if that is one of set.
func (r *reader) oneOf(set string) bool {
	if r.at == len(r.text) || strings.IndexByte(set, r.text[r.at]) < 0 {
		return false
	}
	r.at++
	return true
}
