package table

import (
	"encoding/base64"
	"strings"
	"testing"
)

func FuzzBase64(f *testing.F) {
	f.Add("")
	f.Add("a\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		text := encode64(s)
		if want := base64.RawStdEncoding.EncodeToString([]byte(s)); text != want {
			t.Fatalf("%q is %q, want %q", s, text, want)
		}
		if back, ok := decode64(text); !ok || back != s {
			t.Fatalf("%q came back as %q", s, back)
		}
		_, err := base64.RawStdEncoding.Strict().DecodeString(s)
		if _, ok := decode64(s); ok != (err == nil) && !strings.ContainsAny(s, "\r\n") {
			t.Fatalf("%q: %t, %v", s, ok, err)
		}
	})
}
