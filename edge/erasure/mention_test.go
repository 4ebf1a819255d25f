package erasure

import (
	"encoding/base64"
	"testing"
)

func TestMentions(t *testing.T) {
	const address = "ann+a@example.com"
	token := "eyJhbGciOiJIUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+address+`"}`)) + ".c2lnbmF0dXJl"
	for text, want := range map[string]bool{
		address: true, "Ann+A@Example.com": true, "<ann+a@example.com>": true, "to ann+a@example.com.": true, "a,ann+a@example.com,b": true,
		"https://shop.example/?who=ann+a@example.com&x": true, "https://shop.example/?who=ann%2Ba%40example.com": true,
		"?next=%2Faccount%3Fwho%3Dann%2Ba%40example.com": true,
		`{"a":[{"b":"ann+a@example.com"}]}`:              true, `{"ann+a@example.com":1}`: true, `{"a":"\u003cann\u002ba\u0040example.com\u003e"}`: true,
		`{"nested":"{\"a\":\"ann+a@example.com\"}"}`: true, `{"token":"` + token + `"}`: true, token: true,
		"joann+a@example.com": false, "x.ann+a@example.com": false, "ann+a@example.com.au": false, "ann+a@example.community": false,
		"ann@example.com": false, "ann+a@example.co": false, "": false, "@": false, `{"a":1`: false, `{"a":"` + address: true,
	} {
		if got := mentions(text, address); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
