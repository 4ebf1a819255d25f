package durable

import (
	"bytes"
	"errors"
	"fmt"
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

// TestLargerMemtables: a database opens whose process was killed and had memtables of twice the size, also after a start that was killed
// when it had cut the end of the WAL.
func TestLargerMemtables(t *testing.T) {
	const size, records = 1 << 20, 1800
	written := filepath.Join(t.TempDir(), "db")
	db, err := Open(written, Options{tableSize: 2 * size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	key := func(i int) string { return fmt.Sprintf("test/-/%04d", i) }
	for first := 0; first < records; first += 100 {
		if err := db.Update(func(tx *Tx) error {
			for i := range 100 {
				tx.Put(key(first+i), bytes.Repeat([]byte("x"), 1000))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, cut := range []bool{false, true} {
		killed := filepath.Join(t.TempDir(), "db") // as the process would leave it
		if err := os.CopyFS(killed, os.DirFS(written)); err != nil {
			t.Fatal(err)
		}
		if cut {
			wal := filepath.Join(killed, "00001.mem")
			text, err := os.ReadFile(wal)
			if err == nil {
				err = os.WriteFile(wal, bytes.TrimRight(text, "\x00"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		again, err := Open(killed, Options{tableSize: size})
		if err != nil {
			t.Fatalf("cut %t: %v", cut, err)
		}
		for i := range records {
			if _, err := again.Get(key(i)); err != nil {
				t.Fatalf("cut %t: %s: %v", cut, key(i), err)
			}
		}
		if err := again.Close(); err != nil {
			t.Error(err)
		}
	}
}
