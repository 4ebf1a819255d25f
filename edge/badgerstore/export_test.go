package badgerstore

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/storetest"
)

// TestEveryKey: each part of a key that the package's page lists is exported or derived, and no part is both or unlisted.
func TestEveryKey(t *testing.T) {
	page, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, keys, _ := strings.Cut(string(page), "// # Keys")
	keys, _, _ = strings.Cut(keys, "// # Values")
	listed := map[string]bool{"fl": true} // named beside tl
	for _, match := range regexp.MustCompile(`(?m)^//\t(?:<env>|all)/(?:<store>|-)/(\w+)`).FindAllStringSubmatch(keys, -1) {
		listed[match[1]] = true
		_, exported := exports[match[1]]
		if exported == slices.Contains(derived, match[1]) {
			t.Errorf("keys of the part %q: exported and derived are both %t", match[1], exported)
		}
	}
	for part := range exports {
		if !listed[part] {
			t.Errorf("%q is exported and not on the page", part)
		}
	}
	for _, part := range derived {
		if !listed[part] {
			t.Errorf("%q is derived and not on the page", part)
		}
	}
}

// TestUnknownKey: a key that the export does not know is an error, never left out.
func TestUnknownKey(t *testing.T) {
	db, err := Open(t.TempDir(), Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *durable.Tx) error { tx.Put("test/STO_1/zz/1", []byte("1")); return nil }); err != nil {
		t.Fatal(err)
	}
	err = db.Export(t.Context(), func(record.Entry) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "test/STO_1/zz/1") {
		t.Errorf("exporting an unknown key: %v", err)
	}
}

// TestRetention: the operator's manual says of each part of a key when it ends.
func TestRetention(t *testing.T) {
	named, err := storetest.Retention("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range append(slices.Collect(maps.Keys(exports)), derived...) {
		if !named[part] {
			t.Errorf("edge/README.md, Retention: no row has the key %q", part)
		}
	}
}
