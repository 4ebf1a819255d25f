package email

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSuggest(t *testing.T) {
	for typed, want := range map[string]string{
		"gmial.com":     "gmail.com",
		"gamil.com":     "gmail.com",
		"gmai.com":      "gmail.com",
		"gmaill.com":    "gmail.com",
		"gmsil.com":     "gmail.com",
		"gmail.con":     "gmail.com",
		"gmail.cmo":     "gmail.com",
		"gmail.co":      "gmail.com",
		"gmail.om":      "gmail.com",
		"gmail.comm":    "gmail.com",
		"gmial.con":     "gmail.com",
		"hotmial.com":   "hotmail.com",
		"hotmial.fr":    "hotmail.fr",
		"hotmal.co.uk":  "hotmail.co.uk",
		"outlok.com":    "outlook.com",
		"yaho.co":       "yahoo.com",
		"yahoo.co.ukk":  "yahoo.co.uk",
		"yhaoo.co.jp":   "yahoo.co.jp",
		"iclould.com":   "icloud.com",
		"icoud.com":     "icloud.com",
		"qq.con":        "qq.com",
		"163.cmo":       "163.com",
		"web.dee":       "web.de",
		"gmx.nte":       "gmx.net",
		"ornage.fr":     "orange.fr",
		"laposte.ne":    "laposte.net",
		"protnmail.com": "protonmail.com",
	} {
		want, typed = "ada+1@"+want, "ada+1@"+typed
		if got := Suggest(typed); got != want {
			t.Errorf("Suggest(%q) = %q, not %q", typed, got, want)
		}
	}
	for _, domain := range []string{
		"example.com", "gmail.co.uk", "gmail.de", "mail.com", "ymail.com", "email.com", "hmail.com", "gmx.com", "gmx.co.uk",
		"hotmail.ch", "hotmail.cz", "yahoo.com.ar", "yahoo.co.id", "yahoo.ch", "outlook.at", "live.cn", "proton.mx",
		"q.com", "aq.com", "me.de", "wed.de", "162.com", "saver.com", "tahoo.com", "verizon.com", "gmail.com.evil.com", "xgmail.com",
		"sub.gmail.com", "gmail.io", "gmail.org", "例子.广告", "gmaıl.example",
	} {
		if got := Suggest("ada@" + domain); got != "" {
			t.Errorf("Suggest says %q of %s", got, domain)
		}
	}
	for _, s := range []string{"", "@", "ada", "ada@", "@gmial.com", "ada@gmial", "a da@gmial.com", "ada@@gmial.com", "ada@gmial.com."} {
		if got := Suggest(s); got != "" {
			t.Errorf("Suggest(%q) = %q of no address", s, got)
		}
	}
}

// domains are the known domains.
func domains() (all []string) {
	for line := range strings.Lines(providers) {
		name, endings, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		for ending := range strings.FieldsSeq(endings) {
			all = append(all, name+"."+ending)
		}
	}
	return all
}

// TestSuggestKnown checks that no suggestion is made for a known domain, and that every suggestion is a known domain.
func TestSuggestKnown(t *testing.T) {
	known := make(map[string]bool)
	for _, domain := range domains() {
		if known[domain] || !Valid("a@"+domain) || domain != Normalize(domain) {
			t.Errorf("%s is there twice, or no domain", domain)
		}
		known[domain] = true
		if got := Suggest("ada@" + domain); got != "" {
			t.Errorf("Suggest says %q of %s", got, domain)
		}
	}
	if len(known) < 40 {
		t.Errorf("%d domains only", len(known))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	suggested := 0
	for range 20_000 {
		typed := "ada@" + slip(rng, slip(rng, domains()[rng.IntN(len(known))]))
		got := Suggest(typed)
		if got == "" {
			continue
		}
		suggested++
		if local, domain, _ := strings.Cut(got, "@"); local != "ada" || !known[domain] || !Valid(got) || Suggest(got) != "" || got == typed {
			t.Fatalf("Suggest(%q) = %q", typed, got)
		}
	}
	if suggested < 2_000 {
		t.Errorf("%d suggestions only", suggested)
	}
}

// slip makes a random typing error in a domain.
func slip(rng *rand.Rand, s string) string {
	i, letter := rng.IntN(len(s)-1), string(rune('a'+rng.IntN(26)))
	switch rng.IntN(4) {
	case 0:
		return s[:i] + s[i+1:]
	case 1:
		return s[:i] + letter + s[i:]
	case 2:
		return s[:i] + letter + s[i+1:]
	default:
		return s[:i] + s[i+1:i+2] + s[i:i+1] + s[i+2:]
	}
}

// TestSlips compares with the Damerau-Levenshtein distance computed by its table.
func TestSlips(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		a := strings.Repeat("ab", rng.IntN(3)) + string(rune('a'+rng.IntN(3)))
		b := slip(rng, a+"c")
		if rng.IntN(2) == 0 {
			b = slip(rng, b+"a")
		}
		got, want := slips(a, b), min(distance(a, b), 2)
		if min(got, 2) != want || slips(b, a) != got {
			t.Fatalf("slips(%q, %q) = %d, the distance is %d", a, b, got, want)
		}
	}
}

func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func FuzzSuggest(f *testing.F) {
	for _, s := range []string{"", "@", "ada@gmial.com", "ada@yaho.co", "a@.", "ö@gmaíl.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := Suggest(s); got != "" && (got == s || !Valid(got) || Suggest(got) != "") {
			t.Errorf("Suggest(%q) = %q", s, got)
		}
	})
}
