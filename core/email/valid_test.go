package email

import (
	"regexp"
	"strings"
	"testing"
)

func TestValid(t *testing.T) {
	a := strings.Repeat
	for _, s := range []string{
		"customer@example.com",
		"a@b.c",
		"o'brien+tag=1@sub.example.co.uk",
		".!#$%&'*+/=?^_`{|}~-@example.com",
		"a..b.@example.com", // like <input type=email>
		"1@2.3",
		"a@xn--fiqs8s.xn--fiqs8s",
		"a@b--c.d",
		"用户@例子.广告",
		"josé@correo.es",
		"δοκιμή@παράδειγμα.δοκιμή",
		"مثال@اختبار.مصر",
		"नाम\u200dक@उदाहरण.भारत", // the joiners are letters' business
		"نامه\u200cای@نمونه.ایران",
		"a@नाम\u200dक.भारत",
		"😀@example.com",
		a("a", 64) + "@example.com",
		"a@" + a("b", 63) + ".com",
		"a@" + a("漢", 63) + ".com",
		"a@" + a("b.", 125) + "cc",                      // 254 bytes in all
		a("a", 64) + "@" + a(a("b", 61)+".", 3) + "ccc", // the same
	} {
		if !Valid(s) {
			t.Errorf("Valid(%+q) = false", s)
		}
	}
	for name, s := range map[string]string{
		"empty":                  "",
		"no at":                  "example.com",
		"two ats":                "a@b@example.com",
		"no local part":          "@example.com",
		"no domain":              "a@",
		"one label":              "root@localhost",
		"empty label":            "a@example..com",
		"dot first":              "a@.example.com",
		"dot last":               "a@example.com.",
		"hyphen first":           "a@-example.com",
		"hyphen last":            "a@example-.com",
		"hyphen last of all":     "a@example.com-",
		"underscore":             "a@ex_ample.com",
		"address literal":        "a@[192.0.2.1]",
		"quoted":                 `"a b"@example.com`,
		"a quote":                `a"b@example.com`,
		"backslash":              `a\b@example.com`,
		"comment":                "a(b)@example.com",
		"comma":                  "a,b@example.com",
		"semicolon":              "a@example.com;b",
		"two in a list":          "a@example.com,b@example.com",
		"display name":           "a <a@example.com>",
		"angle brackets":         "<a@example.com>",
		"mailto":                 "mailto:a@example.com",
		"space":                  "a b@example.com",
		"untrimmed":              " a@example.com",
		"line feed":              "a@example.com\nBcc: b@example.com",
		"nul":                    "a\x00@example.com",
		"delete":                 "a\x7f@example.com",
		"C1 control":             "a\u0085@example.com",
		"no-break space":         "a\u00a0b@example.com",
		"ideographic space":      "a@exam\u3000ple.com",
		"byte order mark":        "a\ufeffb@example.com",
		"zero width space":       "a@exam\u200bple.com",
		"right-to-left mark":     "a\u200f@example.com",
		"soft hyphen":            "a\u00adb@example.com",
		"Mongolian separator":    "a@exam\u180eple.com",
		"word joiner":            "a\u2060b@example.com",
		"Hangul filler":          "a\u3164@example.com",
		"halfwidth filler":       "\uffa0@example.com",
		"Hangul choseong filler": "\u115f@example.com",
		"variation selector":     "a\ufe0f@example.com",
		"supplementary selector": "a\U000e0100@example.com",
		"tag":                    "a\U000e0041@example.com",
		"grapheme joiner":        "a\u034fb@example.com",
		"unassigned, ignorable":  "a\U000e0fff@example.com",
		"joiner in ASCII":        "a\u200db@example.com",
		"joiner after ASCII":     "a\u200dक@example.com",
		"joiner before ASCII":    "क\u200ca@example.com",
		"joiner first":           "\u200dक@example.com",
		"joiner last":            "क\u200d@example.com",
		"annotation":             "a\ufff9b@example.com",
		"joiner in a host":       "a@exam\u200cple.com",
		"right-to-left over":     "a\u202eb@example.com",
		"isolate":                "a@\u2066example.com",
		"Arabic letter mark":     "\u061ca@example.com",
		"replacement character":  "a\ufffd@example.com",
		"broken UTF-8":           "a\xff@example.com",
		"broken domain":          "a@example\xc3.com",
		"fullwidth at":           "a＠example.com",
		"local part of 65":       a("a", 65) + "@example.com",
		"local part in bytes":    a("é", 33) + "@example.com",
		"label of 64":            "a@" + a("b", 64) + ".com",
		"label of 64 characters": "a@" + a("漢", 64) + ".com",
		"255 bytes":              "a@" + a("b.", 126) + "c",
	} {
		if Valid(s) {
			t.Errorf("%s: Valid(%+q) = true", name, s)
		}
	}
}

// html is "valid e-mail address" of the HTML standard.
var html = regexp.MustCompile("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?" +
	"(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$")

// FuzzValid compares with the HTML standard for ASCII, plus the two labels and the lengths that Valid requires.
func FuzzValid(f *testing.F) {
	for _, s := range []string{"a@b.c", "a@b", "a..b@example.com", "a@-b.c", "a@b-.c", "a@b.c.", "a b@c.d", "\xff@b.c", "ä@b.c", "", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Valid(s)
		for i := range len(s) {
			if s[i] >= 0x80 {
				return
			}
		}
		local, domain, _ := strings.Cut(s, "@")
		want := html.MatchString(s) && strings.Contains(domain, ".") && len(local) <= 64 && len(domain) <= 253 && len(s) <= 254
		if got != want {
			t.Fatalf("Valid(%q) = %t", s, got)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Valid("jane.doe+shop@example.co.uk")
	}
}
