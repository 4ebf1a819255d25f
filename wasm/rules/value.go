package rules

import (
	"strings"
	"unsafe"
)

// Value is a JSON value: of the config, or of what is in it. The zero Value is one that is absent. Hosts pass valid JSON only; other texts
// panic at some place.
type Value struct{ json string } // from its first byte on; what follows it may be behind it

// Exists reports whether the value is there, and not null.
func (v Value) Exists() bool { return v.json != "" && v.json[0] != 'n' }

// True reports whether the value is true.
func (v Value) True() bool { return v.kind() == 't' }

// Int returns a whole number that is not negative; 0 if the value is absent. It panics for anything else.
func (v Value) Int() int64 {
	if !v.Exists() {
		return 0
	}
	n, decimals, ok := parse(v.json[:endOf(v.json, 0)])
	if !ok || decimals > 0 {
		panic("not a whole number")
	}
	return n
}

// Text returns the value of a string, "" for anything else.
func (v Value) Text() string {
	if v.kind() != '"' {
		return ""
	}
	end, plain := closing(v.json[1:])
	if plain {
		return v.json[1:end]
	}
	return unquote(v.json[1:end])
}

// Or returns the value of a string, or fallback if the value is absent.
func (v Value) Or(fallback string) string {
	if !v.Exists() {
		return fallback
	}
	return v.Text()
}

// Get returns a member of an object, absent if the value is no object.
func (v Value) Get(name string) Value {
	for n, value := range v.Members {
		if n == name {
			return value
		}
	}
	return Value{}
}

// Fields returns the members of an object that are named, in that order. It panics if there are others, so that a typing error in a config
// does not pass unnoticed. It reads the object once, which is worth it for a long one.
func (v Value) Fields(names ...string) []Value {
	fields := make([]Value, len(names))
members:
	for n, value := range v.Members {
		for i, name := range names {
			if n == name {
				fields[i] = value
				continue members
			}
		}
		panic("an unknown member")
	}
	return fields
}

// Members visits the members of an object: for name, value := range v.Members. It visits none if the value is no object.
func (v Value) Members(visit func(name string, value Value) bool) {
	if v.kind() != '{' {
		return
	}
	for at := skipSpace(v.json, 1); v.json[at] != '}'; {
		end := endOf(v.json, at)
		name := unquote(v.json[at+1 : end-1])
		at = skipSpace(v.json, skipSpace(v.json, end)+1) // past the colon
		if !visit(name, Value{v.json[at:]}) {
			return
		}
		at = skipComma(v.json, endOf(v.json, at))
	}
}

// All visits the elements of an array: for e := range v.All. It visits none if the value is no array.
func (v Value) All(visit func(Value) bool) {
	if v.kind() != '[' {
		return
	}
	for at := skipSpace(v.json, 1); v.json[at] != ']'; {
		end := endOf(v.json, at)
		if !visit(Value{v.json[at:end]}) {
			return
		}
		at = skipComma(v.json, end)
	}
}

// Has reports whether an array has a string.
func (v Value) Has(text string) bool {
	for e := range v.All {
		if e.kind() == '"' && same(e.json[1:len(e.json)-1], text) {
			return true
		}
	}
	return false
}

// same reports whether the text between the quotes of a string stands for text.
func same(raw, text string) bool {
	i := 0
	for i < len(raw) && i < len(text) && raw[i] == text[i] && raw[i] != '\\' {
		i++
	}
	return i == len(raw) && i == len(text) || i < len(raw) && raw[i] == '\\' && unquote(raw) == text
}

func (v Value) kind() byte {
	if v.json == "" {
		return 0
	}
	return v.json[0]
}

func skipSpace(json string, at int) int {
	for json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r' {
		at++
	}
	return at
}

func skipComma(json string, at int) int {
	if at = skipSpace(json, at); json[at] == ',' {
		at = skipSpace(json, at+1)
	}
	return at
}

// endOf returns the end of the value that starts at an index. Most of a rule's fuel is used here.
func endOf(json string, at int) int {
	rest := json[at:]
	switch rest[0] {
	case '"':
		end, _ := closing(rest[1:])
		return at + 1 + end
	case '{', '[':
		return at + endOfContainer(rest)
	}
	for i := range len(rest) {
		if c := rest[i]; c == ',' || c == '}' || c == ']' || c <= ' ' {
			return at + i
		}
	}
	return len(json)
}

func endOfContainer(json string) int {
	for i, depth := 0, 0; ; i++ {
		switch json[i] {
		case '"':
			end, _ := closing(json[i+1:])
			i += end
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// closing returns the end of a string, behind its quote, and whether it has no escape. It looks at eight bytes at once.
func closing(rest string) (end int, plain bool) {
	plain = true
	start, i := unsafe.Pointer(unsafe.StringData(rest)), 0
	for {
		for i+8 <= len(rest) {
			const ones = 0x0101010101010101
			word := *(*uint64)(unsafe.Add(start, i))
			quote, backslash := word^ones*'"', word^ones*'\\' // a byte that is 0 is the mark
			if ((quote-ones)&^quote|(backslash-ones)&^backslash)&(ones<<7) != 0 {
				break
			}
			i += 8
		}
		for ; rest[i] != '\\'; i++ {
			if rest[i] == '"' {
				return i + 1, plain
			}
		}
		plain = false
		i += 2 // the backslash and what it escapes
	}
}

// unquote replaces the escapes of a string.
func unquote(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	text := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '\\' {
			text = append(text, s[i])
			i++
			continue
		}
		if s[i+1] != 'u' {
			text = append(text, escaped(s[i+1]))
			i += 2
			continue
		}
		c := unit(s[i+2:])
		i += 6
		if 0xd800 <= c && c < 0xdc00 && i+6 <= len(s) { // the first half of a pair
			c = 0x10000 + (c-0xd800)<<10 + unit(s[i+2:]) - 0xdc00
			i += 6
		}
		text = append(text, string(c)...)
	}
	return string(text)
}

func escaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// unit reads four hexadecimal digits.
func unit(s string) (c rune) {
	for _, d := range []byte(s[:4]) {
		switch {
		case d <= '9':
			d -= '0'
		default:
			d = d | 0x20 - 'a' + 10
		}
		c = c<<4 | rune(d)
	}
	return c
}

// appendMember appends a member with a string.
func appendMember(to []byte, name, text string) []byte {
	to = append(to, '"')
	to = append(to, name...)
	to = append(to, `":"`...)
	for _, c := range []byte(text) {
		switch {
		case c == '"', c == '\\':
			to = append(to, '\\', c)
		case c < ' ':
			to = append(to, `\u00`...)
			to = append(to, hexadecimal[c>>4], hexadecimal[c&15])
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
}

const hexadecimal = "0123456789abcdef"
