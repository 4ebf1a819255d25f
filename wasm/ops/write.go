package ops

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
)

// writer writes one JSON text. It adds the commas; the caller is responsible for matching brackets and for a value after
// every name. Strings must be UTF-8; only what must be escaped is, as in JavaScript's JSON.stringify.
type writer struct{ text []byte }

// open starts an object or an array.
func (w *writer) open(bracket byte) {
	w.separate()
	w.text = append(w.text, bracket)
}

// raw appends text without a comma: closing brackets, or a value after its name.
func (w *writer) raw(text string) { w.text = append(w.text, text...) }

func (w *writer) separate() {
	if n := len(w.text); n > 0 {
		switch w.text[n-1] {
		case '{', '[', ':':
		default:
			w.text = append(w.text, ',')
		}
	}
}

// name starts a member. Names need no escapes.
func (w *writer) name(name string) {
	w.separate()
	w.raw(`"`)
	w.raw(name)
	w.raw(`":`)
}

func (w *writer) string(s string) {
	w.separate()
	w.text = append(w.text, '"')
	for {
		n := unescaped(s)
		w.raw(s[:n])
		if n == len(s) {
			break
		}
		w.text = appendEscape(w.text, s[n])
		s = s[n+1:]
	}
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

// optional writes a member, or nothing for an empty string.
func (w *writer) optional(name, value string) {
	if value != "" {
		w.member(name, value)
	}
}

func (w *writer) boolean(name string, value bool) {
	w.name(name)
	w.raw(strconv.FormatBool(value))
}

// begin starts a member with an object or an array.
func (w *writer) begin(name string, bracket byte) {
	w.name(name)
	w.open(bracket)
}

// amount writes a member with an amount in units of its currency.
func (w *writer) amount(name string, minor int64, c money.Currency) {
	w.member(name, money.Amount{Minor: minor, Currency: c}.String())
}

// percent writes a member with a rate as a number.
func (w *writer) percent(name string, rate money.Rate) {
	w.name(name)
	w.raw(rate.Percent())
}

// data starts an answer and end ends it; the members of its data are written between them.
func data() writer { return writer{append(make([]byte, 0, 256), begin...)} }

const begin = `{"data":{`

func (w *writer) end() []byte {
	w.raw("}}")
	return w.text
}

// refuse returns the answer with one problem.
func refuse(p *problem.Problem) []byte { return refusal(problem.List{p}) }

// refusal returns the answer with problems, of which there must be at least one.
func refusal(problems problem.List) []byte {
	w := writer{append(make([]byte, 0, 256), `{"errors":[`...)}
	for _, p := range problems {
		w.open('{')
		w.member("kind", p.Kind.String())
		w.member("code", p.Code)
		w.optional("path", p.Path)
		w.member("message", p.Message)
		w.raw("}")
	}
	w.raw("]}")
	return w.text
}
