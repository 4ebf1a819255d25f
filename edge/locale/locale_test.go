package locale

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

// offered are the values of the SDK's CashierLanguage, and further languages of the European Union and Arabic.
const offered = "en pt-BR es-MX id-ID vi-VN ru-RU en-KE es-PE es-CO es-CL zh-Hant-TW zh-Hant-HK th-TH ja-JP en-NG ko-KR en-HK " +
	"zh-Hans-HK pl-PL tr-TR zh-Hans ms-MY de fr it es nl ar"

func TestOffered(t *testing.T) {
	for tag := range strings.FieldsSeq(offered) {
		if l := Find(tag); l == nil || l.Tag != tag {
			t.Errorf("%s is missing", tag)
		}
	}
}

func TestFind(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en", "EN-us": "en", "en-GB": "en", "en-hk": "en-HK", "de-CH": "de", "de-DE-1996": "de", "fr-CA": "fr",
		"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-Hans-CN": "zh-Hans", "zh-SG": "zh-Hans", "zh-TW": "zh-Hant-TW",
		"zh-Hant": "zh-Hant-TW", "zh-HK": "zh-Hant-HK", "zh-MO": "zh-Hant-HK", "zh-Hant-MO": "zh-Hant-HK", "zh-Hans-HK": "zh-Hans-HK",
		"es": "es", "es-ES": "es", "es-AR": "es-419", "es-MX": "es-MX", "es-419": "es-419", "pt": "pt-BR", "pt-PT": "pt-BR",
		"ja": "ja-JP", "in": "id-ID", "ar-AE": "ar", "ms": "ms-MY", "tr": "tr-TR",
	} {
		if l := Find(tag); l == nil || l.Tag != want {
			t.Errorf("%s: %v, want %s", tag, l, want)
		}
	}
	for _, tag := range []string{"", "x", "-", "hi", "sv-SE", "e", "english", "../en", "en_US"} {
		if l := Find(tag); l != nil {
			t.Errorf("%q finds %s", tag, l.Tag)
		}
	}
}

// maxCount is the largest number in a message: the number of fields.
const maxCount = 6

// TestCatalogs compares every catalog with English: every message is there or in the base, none is unknown, and each has the
// placeholders of the English one. Messages for one country are optional.
func TestCatalogs(t *testing.T) {
	files := readCatalogs()
	english := files["en"].Texts
	for tag, file := range files {
		base := files[file.Base]
		if file.Base != "" && base == nil {
			t.Errorf("%s: the base %s is missing", tag, file.Base)
		}
		for key, text := range file.Texts {
			switch origin, known := english[originOf(key)]; {
			case !known:
				t.Errorf("%s: unknown key %s", tag, key)
			case !slices.Equal(placeholders(text), placeholders(origin)) && !strings.HasSuffix(key, ".one") && !strings.HasSuffix(key, ".two"):
				t.Errorf("%s: %s has the placeholders %q, want %q", tag, key, placeholders(text), placeholders(origin))
			case strings.TrimSpace(text) != text || text == "":
				t.Errorf("%s: %s is %q", tag, key, text)
			}
			if base != nil && base.Texts[key] == text {
				t.Errorf("%s: %s is the same in %s", tag, key, file.Base)
			}
		}
		if missing := missing(files, tag); len(missing) > 0 {
			t.Errorf("%s lacks %q", tag, missing)
		}
	}
}

// originOf returns the English key of a key: without its country, and with the plural category "other".
func originOf(key string) string {
	name, detail, _ := strings.Cut(key, ".")
	if slices.Contains([]string{"zero", "one", "two", "few", "many"}, detail) {
		return name + ".other"
	}
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 && strings.ToUpper(key[dot:]) == key[dot:] {
		return key[:dot]
	}
	return key
}

// missing returns the keys that neither a locale nor its bases have.
func missing(files bundle, tag string) (keys []string) {
	has := func(key string) bool {
		for at := tag; at != ""; at = files[at].Base {
			if files[at].Texts[key] != "" {
				return true
			}
		}
		return false
	}
	for key := range files["en"].Texts {
		if origin := originOf(key); origin == key && !has(key) && !strings.HasSuffix(key, ".other") {
			keys = append(keys, key)
		}
	}
	for n := 1; n <= maxCount; n++ {
		if key := "fields." + plural(tag, n); !has(key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// placeholders returns the names in braces, sorted.
func placeholders(text string) []string {
	return slices.Sorted(slices.Values(regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1)))
}

func TestText(t *testing.T) {
	english := English()
	if got := english.Text("return", "merchant", "{n} & Co"); got != "Return to {n} & Co" {
		t.Error(got)
	}
	for country, want := range map[string]string{"CA": "Province or territory", "US": "State", "": "State or province"} {
		if got := english.In(country, "state"); got != want {
			t.Errorf("%q: %s", country, got)
		}
	}
	for n, want := range map[int]string{1: "Check one detail to continue", 3: "Check 3 details to continue"} {
		if got := english.Count("fields", n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	if got := Find("zh-Hans-HK").Count("fields", 1); got != "请检查 1 处信息后继续" {
		t.Error(got)
	}
}

// TestNames: every locale names and lists each country and each state once.
func TestNames(t *testing.T) {
	for _, l := range All() {
		seen := map[string]country.Code{}
		for c := range l.Countries() {
			name := l.Country(c)
			if other, twice := seen[name]; twice || name == "" {
				t.Errorf("%s: %s and %s are %q", l.Tag, c, other, name)
			}
			seen[name] = c
		}
		for c := range country.All() {
			if !slices.Contains(slices.Collect(l.Countries()), c) {
				t.Errorf("%s does not list %s", l.Tag, c)
			}
			states := l.States(c)
			if len(states) != len(slices.Collect(c.Subdivisions())) {
				t.Errorf("%s lists %d states of %s", l.Tag, len(states), c)
			}
			for _, s := range states {
				if _, ok := c.ParseSubdivision(string(s.Code)); !ok || s.Name == "" || l.State(c, s.Code) != s.Name {
					t.Errorf("%s lists %s-%s as %q", l.Tag, c, s.Code, s.Name)
				}
			}
		}
	}
}

// TestTerritory checks names in the lists and in the tax lines.
func TestTerritory(t *testing.T) {
	for _, c := range []struct{ tag, code, want string }{
		{"en", "DE", "Germany"}, {"en", "US-TX", "Texas"}, {"en", "PT-20", "Portugal"}, {"en", "HK", "Hong Kong"},
		{"en", "CD", "Congo (DRC)"}, {"zh-Hans", "HK", "香港"}, {"zh-Hans", "US-CA", "加利福尼亚州"}, {"zh-Hans-HK", "CA-QC", "魁北克省"},
		{"zh-Hant-HK", "MO", "澳門"}, {"zh-Hant-HK", "IT", "意大利"}, {"zh-Hant-TW", "IT", "義大利"}, {"de", "US-CA", "California"},
		{"ar", "DE", "ألمانيا"},
	} {
		if got := Find(c.tag).Territory(c.code); got != c.want {
			t.Errorf("%s: %s is %q, want %q", c.tag, c.code, got, c.want)
		}
	}
}

func TestShared(t *testing.T) {
	for _, c := range []struct {
		tag, currency string
		want          bool
	}{
		{"en", "USD", true}, {"en", "CAD", false}, {"en", "JPY", true}, {"en", "EUR", false}, {"zh-Hans", "USD", false},
		{"zh-Hans", "CNY", true}, {"es-MX", "MXN", true}, {"es-MX", "USD", false}, {"ja-JP", "JPY", true},
	} {
		if got := Find(c.tag).Shared(money.Currency(c.currency)); got != c.want {
			t.Errorf("%s %s: %t", c.tag, c.currency, got)
		}
	}
}

// TestFacts: cldr.json has an entry for each catalog and no others.
func TestFacts(t *testing.T) {
	sources := readFacts()
	for tag := range readCatalogs() {
		if !json.Valid(sources[tag]) || len(sources) != len(All()) {
			t.Errorf("cldr.json lacks %s, or has another locale: run go generate", tag)
		}
	}
}

// TestREADME checks that the table of languages in web/README.md lists every locale.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../web/README.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile(`(?m)^\| [A-Z][^|]* \| ((?:\x60[A-Za-z0-9-]+\x60(?:, )?)+) \|`).FindAllStringSubmatch(string(readme), -1)
	var tags []string
	for _, row := range listed {
		tags = append(tags, strings.Split(strings.Trim(row[1], "`"), "`, `")...)
	}
	var want []string
	for _, l := range All() {
		want = append(want, l.Tag)
	}
	slices.Sort(tags)
	slices.Sort(want)
	if !slices.Equal(tags, want) {
		t.Errorf("web/README.md lists %q, want %q", tags, want)
	}
}
