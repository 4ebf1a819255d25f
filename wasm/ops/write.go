package ops

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/problem"
)

// writer puts one JSON text together. It separates what it is given with commas; that brackets match and every name is
// followed by a value is for the caller to see to. Strings must be UTF-8; of them it escapes only what must be, as
// JavaScript's JSON.stringify does.
type writer struct{ text []byte }

// open begins an object or an array, close ends any number of them.
func (w *writer) open(bracket byte) {
	w.separate()
	w.text = append(w.text, bracket)
}

func (w *writer) close(brackets string) { w.text = append(w.text, brackets...) }

func (w *writer) separate() {
	if len(w.text) > 0 && strings.IndexByte("{[:", w.text[len(w.text)-1]) < 0 {
		w.text = append(w.text, ',')
	}
}

// name begins a member.
func (w *writer) name(name string) {
	w.string(name)
	w.text = append(w.text, ':')
}

func (w *writer) string(s string) {
	w.separate()
	w.text = append(w.text, '"')
	begin := 0
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			w.text = append(w.text, s[begin:i]...)
			w.text = appendEscape(w.text, c)
			begin = i + 1
		}
	}
	w.text = append(w.text, s[begin:]...)
	w.text = append(w.text, '"')
}

func appendEscape(text []byte, c byte) []byte {
	const letters, meanings = `"\bfnrt`, "\"\\\b\f\n\r\t"
	if i := strings.IndexByte(meanings, c); i >= 0 {
		return append(text, '\\', letters[i])
	}
	const hex = "0123456789abcdef"
	return append(text, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}

// member writes a member with a string.
func (w *writer) member(name, value string) {
	w.name(name)
	w.string(value)
}

// optional leaves an empty string out.
func (w *writer) optional(name, value string) {
	if value != "" {
		w.member(name, value)
	}
}

func (w *writer) boolean(name string, value bool) {
	w.name(name)
	w.text = strconv.AppendBool(w.text, value)
}

// data begins an answer and end ends it; what lies between are the members of its data.
func data() writer { return writer{[]byte(begin)} }

const begin = `{"data":{`

func (w *writer) end() []byte {
	w.close("}}")
	return w.text
}

// refuse is the answer that tells of one problem.
func refuse(p *problem.Problem) []byte { return refusal(problem.List{p}) }

// refusal is the answer that tells of problems, at least one.
func refusal(problems problem.List) []byte {
	var w writer
	w.open('{')
	w.name("errors")
	w.open('[')
	for _, p := range problems {
		w.open('{')
		w.member("kind", p.Kind.String())
		w.member("code", p.Code)
		w.optional("path", p.Path)
		w.member("message", p.Message)
		w.close("}")
	}
	w.close("]}")
	return w.text
}
