package fold

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestString(t *testing.T) {
	for typed, want := range map[string]string{
		"":         "",
		"100-0001": "100-0001",
		"１００－０００１": "100-0001",
		"100‐0001": "100-0001",
		"１００ー０００１": "100-0001",
		"100−0001": "100-0001",
		"ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ": "taro@example.co.jp",
		"taro@example。com":   "taro@example.com",
		"ＤＥ　１３６":             "DE 136",
		"DE\u00a0136\u202f6": "DE 136 6",
		"〒１００":               " 100",
		"！～":                 "!~",
		"äöü漢字１":             "äöü漢字1",
		"\xff１\xef\xbc":      "\xff1\xef\xbc",
		"\ufffd１":            "\ufffd1",
	} {
		if got := String(typed); got != want {
			t.Errorf("String(%+q) = %+q, not %+q", typed, got, want)
		}
	}
}

// TestRune checks every code point: the result is ASCII or unchanged, and ASCII is unchanged.
func TestRune(t *testing.T) {
	count := 0
	for r := rune(0); r <= utf8.MaxRune; r++ {
		switch to := Rune(r); {
		case to == r:
		case r < utf8.RuneSelf || to >= utf8.RuneSelf || to < ' ':
			t.Errorf("Rune(%U) = %U", r, to)
		default:
			count++
		}
	}
	if want := 94 + 11 + 15 + 2 + 1; count != want { // full-width forms, dashes, spaces, full stops, the postal mark
		t.Errorf("%d characters are folded, not %d", count, want)
	}
}

func TestStringAllocatesNothingForASCII(t *testing.T) {
	if n := testing.AllocsPerRun(10, func() { String("ada@example.com") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzString checks that folding is idempotent, works on every character by itself and never makes a text longer.
func FuzzString(f *testing.F) {
	f.Add("１００－０００１", "〒")
	f.Add("\xff", "\xef\xbc\x91")
	f.Fuzz(func(t *testing.T, a, b string) {
		s := String(a)
		if String(s) != s || len(s) > len(a) {
			t.Fatalf("String(%+q) = %+q", a, s)
		}
		if utf8.ValidString(a) && String(a+b) != s+String(b) {
			t.Fatalf("String(%+q) differs from its parts", a+b)
		}
		if strings.ToValidUTF8(a, "") == a && !utf8.ValidString(s) {
			t.Fatalf("String(%+q) = %+q is not UTF-8", a, s)
		}
	})
}
