package page

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
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
	inScript := english.scripted()
	for _, code := range codes {
		if english[code] == "" || inScript[code] == "" {
			t.Errorf("no text, or none in the script, for %s", code)
		}
	}
}

// TestEveryKeyHasText: a key without a text would leave a hole in the page.
func TestEveryKeyHasText(t *testing.T) {
	for _, key := range append(find(t, "templates/*.html", `(?:Text|Label) "([^"]+)"`), find(t, "*.go", `\.Text\("([^"]+)"`)...) {
		if english[key] == "" {
			t.Errorf("no text for %s", key)
		}
	}
	inScript := english.scripted()
	for _, key := range find(t, "../../web/src/*.ts", `text\("([^"]+)"`) {
		if inScript[key] == "" {
			t.Errorf("the script has no text for %s", key)
		}
	}
	for _, name := range scripted {
		if english[name] == "" && english[name+".one"] == "" {
			t.Errorf("%s names no text", name)
		}
	}
}

func TestText(t *testing.T) {
	if got := english.Text("return", "merchant", "{n} & Co"); got != "Return to {n} & Co" {
		t.Error(got)
	}
	for country, want := range map[string]string{"CA": "Province or territory", "US": "State", "": "State or province"} {
		if got := english.In(country, "state"); got != want {
			t.Errorf("%q: %s", country, got)
		}
	}
}
