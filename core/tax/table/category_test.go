package table

import "testing"

func FuzzParseCategory(f *testing.F) {
	f.Add("saas")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := ParseCategory(s); ok != (c != 0) || ok && c.String() != s {
			t.Fatalf("%q: %d, %t", s, c, ok)
		}
	})
}
