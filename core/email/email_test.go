package email

import (
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

func TestNormalize(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"Foo@Bar.COM", "foo@bar.com"},
		{"\t foo@bar.com\u00a0\ufeff\r\n", "foo@bar.com"},
		{"a b@c", "a b@c"},
		{"\u200bA@B.C\u200b", "\u200ba@b.c\u200b"}, // the zero width space is not white space
		{"\u180eA@B.C", "\u180ea@b.c"},             // nor, since Unicode 6.3, is the Mongolian vowel separator
		{"İ@x.tr", "i\u0307@x.tr"},
		{"I@x.tr", "i@x.tr"},
		{"ẞ@x.de", "ß@x.de"},
		{"ΟΔΟΣ@Σ.ΓΡ", "οδος@σ.γρ"},
		{"ΑΣ ", "ας"},
		{"ΑΣ.Α", "ασ.α"},
		{" \u3000\n", ""},
		{"\xffA\xc3@\xe2\x80B", "\xffa\xc3@\xe2\x80b"},
		{" \xff ", "\xff"},
		{"Α\xffΣ", "α\xffσ"}, // a broken byte is neither cased nor ignorable
	} {
		if got := Normalize(test.in); got != test.want {
			t.Errorf("Normalize(%+q) = %+q, want %+q", test.in, got, test.want)
		}
	}
}

// JavaScript's own mapping is idempotent too, because TestNormalizeIsJavaScript shows that both are the same.
func TestNormalizeIsIdempotent(t *testing.T) {
	samples := append(corpus(t), randomStrings(*seed, 50_000)...)
	for c := rune(0); c <= utf8.MaxRune; c++ {
		samples = append(samples, string(c))
	}
	for _, s := range samples {
		if once := Normalize(s); Normalize(once) != once {
			t.Errorf("-seed=%d: Normalize(%+q) = %+q, and of that %+q", *seed, s, once, Normalize(once))
		}
	}
}

func TestNormalizeReturnsASubstring(t *testing.T) {
	s := "  straße@例子.example\n"
	if got := Normalize(s); unsafe.StringData(got) != unsafe.StringData(s[2:]) {
		t.Error("Normalize copied a string that only needed trimming")
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s)
	}
	f.Add("\xffΣ\xce")
	f.Fuzz(func(t *testing.T, s string) {
		once := Normalize(s)
		if Normalize(once) != once {
			t.Errorf("Normalize(%+q) = %+q, and of that %+q", s, once, Normalize(once))
		}
		if utf8.ValidString(once) != utf8.ValidString(s) {
			t.Errorf("Normalize(%+q) = %+q, valid UTF-8 only on one side", s, once)
		}
		if upper := Normalize(asciiUpper(s)); utf8.ValidString(s) && upper != once {
			t.Errorf("Normalize(%+q) = %+q, but %+q with ASCII capitals", s, once, upper)
		}
		if Valid(once) && once != strings.TrimSpace(once) {
			t.Errorf("Valid(%+q) with white space", once)
		}
	})
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func BenchmarkNormalize(b *testing.B) {
	for _, bench := range []struct{ name, s string }{
		{"ASCII", "jane.doe+shop@example.co.uk"},
		{"ASCIICapitals", "Jane.Doe+Shop@Example.co.uk"},
		{"Greek", "ΟΔΥΣΣΕΥΣ@ΠΑΡΑΔΕΙΓΜΑ.ΕΛ"},
		{"Chinese", "用户@例子.广告"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Normalize(bench.s)
			}
		})
	}
}

func TestNormalizeAllocates(t *testing.T) {
	for s, want := range map[string]float64{"jane@example.com": 0, " jane@example.com ": 0, "Jane@Example.com": 1} {
		if got := testing.AllocsPerRun(100, func() { Normalize(s) }); got != want {
			t.Errorf("Normalize(%q): %v allocations, want %v", s, got, want)
		}
	}
}
