package durable

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"
)

// TestFormat: Format is the one that Badger writes; files that are not Badger's are not taken for another format.
func TestFormat(t *testing.T) {
	dir := t.TempDir()
	if _, err := FormatOf(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no files: %v", err)
	}
	db, err := Open(dir, Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if format, err := FormatOf(dir); err != nil || format != Format {
		t.Errorf("a new database has format %d, not %d: %v", format, Format, err)
	}
	for _, text := range []string{"", "Bdgr\x00\x00\x00", "Xdgr\x00\x00\x00\x08"} {
		other := t.TempDir()
		if err := os.WriteFile(filepath.Join(other, badger.ManifestFilename), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if format, err := FormatOf(other); err == nil {
			t.Errorf("%q has format %d", text, format)
		}
	}
}
