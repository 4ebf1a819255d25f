package ops

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// stricter lists what this package refuses and encoding/json accepts, each with an example. FuzzValid finds no other.
var stricter = []struct{ why, text string }{
	{"bytes that are no UTF-8", "{\"a\":\"\xff\"}"},
	{"half a surrogate pair", `{"a":"\ud800"}`},
	{"a low surrogate first", `{"a":"\udd5e\ud83e"}`},
	{"one name twice", `{"a":1,"a":2}`},
	{"one name twice, escaped", `{"a":1,"\u0061":2}`},
	{"one name twice, far inside", `{"x":[{"a":1,"b":2,"a":3}]}`},
	{"more than 32 levels", strings.Repeat(`{"a":`, 33) + "0" + strings.Repeat("}", 33)},
	{"more than 64 KiB", `{"a":"` + strings.Repeat("a", MaxInput) + `"}`},
	{"no object", `[]`},
	{"null", `null`},
	{"a string", `"a"`},
}

func TestValid(t *testing.T) {
	for _, c := range stricter {
		if Valid([]byte(c.text)) {
			t.Errorf("%s is accepted", c.why)
		}
		if !json.Valid([]byte(c.text)) {
			t.Errorf("%s: encoding/json does not accept it either", c.why)
		}
	}
	for _, text := range []string{`{}`, ` { } `, `{"a":"\ud83e\udd5e"}`, `{"a":[1,-0.5e+3,true,false,null,{},[],""]}`, `{"a":1,"A":2}`,
		`{"\u0000":0}`, strings.Repeat(`{"a":`, 32) + "0" + strings.Repeat("}", 32)} {
		if !Valid([]byte(text)) {
			t.Errorf("%s is refused", text)
		}
	}
	for _, text := range []string{``, ` `, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{"a":01}`, `{"a":+1}`,
		`{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":NaN}`, `{"a":tru}`, `{"a":"` + "\n" + `"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{}x`, `{}{}`, "\ufeff{}", `{"a":1}/**/`,
		`{"a":[1,,2]}`, `{"a":"\"}`} {
		if Valid([]byte(text)) {
			t.Errorf("%q is accepted", text)
		}
	}
}

// FuzzValid compares with encoding/json: except for stricter, both must accept the same texts.
func FuzzValid(f *testing.F) {
	for _, c := range stricter {
		if len(c.text) < 1024 { // a long one keeps the fuzzer busy with shortening it
			f.Add([]byte(c.text))
		}
	}
	f.Add([]byte(`{"country":"US","isBusiness":false,"state":"CA"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		want := json.Valid(text) && utf8.Valid(text) && len(text) <= MaxInput && plain(text)
		if got := Valid(text); got != want {
			t.Fatalf("%q: got %t, want %t", text, got, want)
		}
	})
}

// plain checks the rules of stricter on a text that is valid JSON.
func plain(text []byte) bool {
	if trimmed := bytes.TrimLeft(text, " \t\r\n"); trimmed[0] != '{' || loneSurrogate(text) {
		return false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var names []map[string]bool // of the open objects; nil for an array
	var isName []bool           // whether the next string is one
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return false
		}
		top := len(names) - 1
		if name, ok := token.(string); ok && top >= 0 && names[top] != nil && isName[top] {
			if names[top][name] {
				return false
			}
			names[top][name], isName[top] = true, false
			continue
		}
		if top >= 0 {
			isName[top] = true
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if len(names) == maxDepth {
				return false
			}
			var set map[string]bool
			if token == json.Delim('{') {
				set = make(map[string]bool)
			}
			names, isName = append(names, set), append(isName, true)
		case json.Delim('}'), json.Delim(']'):
			names, isName = names[:top], isName[:top]
		}
	}
}

// loneSurrogate reports whether an escape in a valid text is half of a pair.
func loneSurrogate(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		if text[i] != 'u' {
			continue
		}
		unit := strings.ToLower(string(text[i+1 : i+5]))
		i += 4
		switch {
		case unit >= "dc00" && unit <= "dfff":
			return true
		case unit >= "d800" && unit < "dc00":
			rest := strings.ToLower(string(text[i+1 : min(i+7, len(text))]))
			if len(rest) < 6 || rest[:2] != `\u` || rest[2:] < "dc00" || rest[2:] > "dfff" {
				return true
			}
			i += 6
		}
	}
	return false
}

func TestStrings(t *testing.T) {
	for _, c := range []struct {
		array string
		want  string // the elements, each with a bar after it
		n     int
		ok    bool
	}{
		{"", "||", 0, true},
		{"[]", "||", 0, true},
		{`["a","\u0062",null]`, "a|b|", 3, true},
		{` [ null , "c" ] `, "|c|", 2, true},
		{`["a",1]`, "a||", 2, false},
		{`[["a"]]`, "||", 1, false},
		{`[true]`, "||", 1, false},
	} {
		found := make([]string, 2)
		n, ok := Strings(c.array, found)
		if got := found[0] + "|" + found[1] + "|"; ok != c.ok || ok && (n != c.n || got != c.want) {
			t.Errorf("%s: %d %v %q", c.array, n, ok, got)
		}
	}
}

// TestMarks checks that a mark is no part of a member's name, and that wanted members are found in any order and only once.
func TestMarks(t *testing.T) {
	for text, want := range map[string]string{
		`{"b?":"true","a":"1"}`:          "1 -",
		`{"b":true,"a":"1"}`:             "1 true",
		`{"a":"1","b":true,"a ":"2"}`:    "1 true",
		`{"a b?":"2","x":0,"b":false}`:   "- false",
		`{"a":"1","b":true,"a":"1"}`:     "refused",
		`{"a":"","a":""}`:                "refused",
		`{"x":null,"a":null,"x":null}`:   "refused",
		`{"a":null,"b":true,"a":"late"}`: "refused",
	} {
		found := make([]string, 2)
		got := "refused"
		if Object(text, "a b?", found) {
			for i, f := range found {
				if f == "" {
					found[i] = "-"
				}
			}
			got = found[0] + " " + found[1]
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
