package page

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/locale"
)

// find collects what the only group of a pattern matches in files.
func find(t *testing.T, glob, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, match[1])
		}
	}
	if len(found) < 5 {
		t.Fatalf("found %q only in %s: the test no longer reads it", found, glob)
	}
	return found
}

// TestEveryProblemHasText reads the core's sources for the problems of fields.
func TestEveryProblemHasText(t *testing.T) {
	codes := find(t, "../../core/billing/*.go", `"([a-z-]+)", "/(?:country|state|postcode|businessName|taxId)"`)
	codes = append(codes, "buyer-email-required", "buyer-email-invalid")
	inScript := locale.English().Texts(scripted)
	for _, code := range codes {
		if inScript[code] == "" {
			t.Errorf("no text, or none in the script, for %s", code)
		}
	}
}

// TestEveryKeyHasText: a key without a text would leave a hole in the page.
func TestEveryKeyHasText(t *testing.T) {
	english := locale.English()
	keys := find(t, "templates/*.html", `(?:Text|Label|Parts) "([^"]+)"`)
	for _, key := range append(keys, find(t, "*.go", `\.(?:Text|Parts)\("([^"]*[^".])"`)...) {
		if english.Text(key) == "" {
			t.Errorf("no text for %s", key)
		}
	}
	inScript := english.Texts(scripted)
	for _, key := range find(t, "../../web/src/*.ts", `text(?:In)?\((?:[^"()]*, )?"([^"]*[^".])"`) {
		if inScript[key] == "" {
			t.Errorf("the script has no text for %s", key)
		}
	}
	for _, name := range scripted {
		if english.Text(name) == "" && english.Text(name+".other") == "" {
			t.Errorf("%s names no text", name)
		}
	}
}

// TestEveryTaxHasText: a tax that the core may charge has a name on the page.
func TestEveryTaxHasText(t *testing.T) {
	for _, code := range find(t, "../../core/tax/table.go", `\t\{"([a-z]+)", "[A-Z]`) {
		if locale.English().Text("tax."+code) == "" {
			t.Errorf("no name for the tax %s", code)
		}
	}
}

// TestEveryTextIsAskedFor: what nobody says need not be translated. A key is named whole, or by what stands before its last
// dot; a country behind it goes without saying.
func TestEveryTextIsAskedFor(t *testing.T) {
	named := map[string]bool{}
	for _, glob := range []string{"../../core/*/*.go", "*.go", "templates/*.html", "../../web/src/*.ts"} {
		for _, name := range find(t, glob, "[\"`]([a-z][a-z-]+(?:\\.[a-zA-Z-]+)*)\\.?[\"`]") {
			named[name] = true
		}
	}
	for _, key := range find(t, "../locale/catalog/en.json", `(?m)^\t\t"([^"]+)": `) {
		name := regexp.MustCompile(`\.[A-Z]{2}$`).ReplaceAllString(key, "")
		if stem := name[:max(strings.LastIndexByte(name, '.'), 0)]; !named[name] && !named[stem] {
			t.Errorf("nobody says %s", key)
		}
	}
}
