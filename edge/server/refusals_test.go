package server

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/record"
)

// TestManualRefusals: the manual's table of refusals has the errors with which a start ends, and each text in it is one of the program's.
func TestManualRefusals(t *testing.T) {
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Refusals\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var texts []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]*) \|`).FindAllStringSubmatch(section, -1) {
		for _, code := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			texts = append(texts, code[1])
		}
	}
	for _, err := range []error{durable.ErrDamaged, durable.ErrKeyMissing, durable.ErrKeyWrong, durable.ErrNotEncrypted, record.ErrVersion, pgstore.ErrSchemaOld,
		pgstore.ErrSchemaNew, pgstore.ErrCollation, pgstore.ErrReadOnly, pgstore.ErrUnfinished, errConfiguration} {
		if !containsOneOf(err.Error(), texts) {
			t.Errorf("no row has %q", err)
		}
	}
	source := sources(t, "../server", "../durable", "../pgstore", "../record", "../cmd/crepe")
	for _, text := range texts {
		if text != "address already in use" && !strings.HasPrefix(text, "--") && !strings.Contains(source, text) { // the system's own, and flags
			t.Errorf("no error has the text %q", text)
		}
	}
}

func containsOneOf(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// sources returns the program's text in some directories, without tests.
func sources(t *testing.T, dirs ...string) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(text)
		}
	}
	return all.String()
}
