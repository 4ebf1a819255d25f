package durable

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestCompact: values that were overwritten or deleted are in the files until Compact, and in none of them afterwards. What is there is kept.
func TestCompact(t *testing.T) {
	t.Run("between starts", func(t *testing.T) { compacted(t, true) })
	t.Run("in one run", func(t *testing.T) { compacted(t, false) })
}

func compacted(t *testing.T, restart bool) {
	dir := t.TempDir()
	db := opened(t, dir)
	write := func(round int) {
		for n := range 200 {
			key := fmt.Sprintf("key/%03d", n)
			if err := db.Update(func(tx *Tx) error {
				switch {
				case round == 1 && n%2 == 0:
					tx.Delete(key)
				default:
					tx.Put(key, fmt.Appendf(nil, "round-%d-%06x", round, n*7919))
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	found := func(text string) (files []string) {
		_ = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				if content, err := os.ReadFile(name); err != nil || bytes.Contains(content, []byte(text)) {
					files = append(files, filepath.Base(name))
				}
			}
			return err
		})
		return files
	}
	write(0)
	if restart {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = opened(t, dir)
	}
	write(1)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if len(found("round-0-")) == 0 {
		t.Error("the old values are gone without Compact")
	}
	if err := Compact(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	if files := found("round-0-"); len(files) > 0 {
		t.Errorf("old values are left in %q", files)
	}
	db = opened(t, dir)
	defer db.Close()
	n := 0
	if err := db.Scan("key/", "", func(key string, value []byte) bool { n++; return bytes.HasPrefix(value, []byte("round-1-")) }); err != nil || n != 100 {
		t.Errorf("%d values are left, %v", n, err)
	}
}

func opened(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}
