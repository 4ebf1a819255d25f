package durable

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// canaries are in the keys and values of an encrypted database.
var canaries = []string{"canary@example.com", "DE136695976"}

var aKey, anotherKey = bytes.Repeat([]byte{7}, KeySize), bytes.Repeat([]byte{8}, KeySize)

// encrypted opens a database with a key and small memtables.
func encrypted(dir string, key []byte) (*DB, error) {
	return Open(dir, Options{tableSize: 1 << 20, EncryptionKey: key})
}

// plant writes records with canaries.
func plant(t *testing.T, db *DB, from, count int) {
	t.Helper()
	for n := from; n < from+count; n++ {
		err := db.Update(func(tx *Tx) error {
			tx.Put(fmt.Sprintf("test/%s/%05d", canaries[0], n), bytes.Repeat([]byte(canaries[1]+" "), 500))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func planted(t *testing.T, db *DB) (n int) {
	t.Helper()
	err := db.Scan("test/", "", func(key string, value []byte) bool {
		n++
		return len(value) == 500*(len(canaries[1])+1)
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

// leaks returns the files of a directory, and of those below, that contain a canary.
func leaks(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == ballastFile {
			return err
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) { // flushed or compacted meanwhile
			return nil
		}
		for _, canary := range canaries {
			if bytes.Contains(text, []byte(canary)) {
				found = append(found, e.Name()+": "+canary)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEncryption: no file of an encrypted database has a canary, after a crash and after a close, with SSTables and WALs; without
// encryption they have. The database opens with its key only.
func TestEncryption(t *testing.T) {
	dir := filepath.Join(memory(t), "db")
	db, err := encrypted(dir, aKey)
	if err != nil {
		t.Fatal(err)
	}
	plant(t, db, 0, 400) // several SSTables and compactions
	crashed := filepath.Join(memory(t), "db")
	for copyDatabase(dir, crashed) != nil {
		plant(t, db, 400, 1)
	}
	if found := leaks(t, dir); len(found) > 0 {
		t.Errorf("while it is open: %v", found)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if tables, err := filepath.Glob(filepath.Join(dir, "*.sst")); err != nil || len(tables) < 2 {
		t.Fatalf("%d SSTables, %v: the test no longer tests", len(tables), err)
	}
	if found := leaks(t, dir); len(found) > 0 {
		t.Errorf("after it was closed: %v", found)
	}
	for _, dir := range []string{dir, crashed} {
		refuses(t, dir, anotherKey, ErrKeyWrong)
		refuses(t, dir, nil, ErrKeyMissing)
		db, err := encrypted(dir, aKey)
		if err != nil {
			t.Fatal(err)
		}
		if n := planted(t, db); n < 400 {
			t.Errorf("%d records", n)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}

	plain := filepath.Join(memory(t), "db")
	if db, err = encrypted(plain, nil); err != nil {
		t.Fatal(err)
	}
	plant(t, db, 0, 10)
	if found := leaks(t, plain); len(found) == 0 {
		t.Error("nothing is found without encryption: the test no longer tests")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	refuses(t, plain, aKey, ErrNotEncrypted)
}

func refuses(t *testing.T, dir string, key []byte, want error) {
	t.Helper()
	before := contents(t, dir)
	_, err := encrypted(dir, key)
	if !errors.Is(err, want) {
		t.Errorf("opened: %v, expected %v", err, want)
	}
	if after := contents(t, dir); len(before) != len(after) {
		t.Errorf("a refusal has changed files")
	}
}

// TestRedoEncrypted: a batch that only the journal has is applied, with its key, from HEAD.
func TestRedoEncrypted(t *testing.T) {
	dir := filepath.Join(memory(t), "db")
	db, err := encrypted(dir, aKey)
	if err != nil {
		t.Fatal(err)
	}
	plant(t, db, 0, 3)
	w := newWrites(db.number + 1)
	tx := Tx{db: db}
	tx.Put("test/"+canaries[0]+"/redo", []byte(canaries[1]))
	if err := errors.Join(w.add(tx.puts[0]), db.journal.write(w), db.Close()); err != nil {
		t.Fatal(err)
	}
	if found := leaks(t, dir); len(found) > 0 {
		t.Error(found)
	}
	if db, err = encrypted(dir, aKey); err != nil {
		t.Fatal(err)
	}
	if value, err := db.Get("test/" + canaries[0] + "/redo"); err != nil || string(value) != canaries[1] {
		t.Errorf("%q, %v", value, err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestRekey: after a rotation the data is readable with the new key and refused with the old one. A copy has another data key, or none.
func TestRekey(t *testing.T) {
	dir := filepath.Join(memory(t), "db")
	db, err := encrypted(dir, aKey)
	if err != nil {
		t.Fatal(err)
	}
	plant(t, db, 0, 300)
	if err := Rekey(dir, aKey, anotherKey); !errors.Is(err, ErrInUse) {
		t.Errorf("while it is open: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Rekey(dir, anotherKey, aKey); !errors.Is(err, ErrKeyWrong) {
		t.Errorf("with a wrong key: %v", err)
	}
	if err := Rekey(dir, aKey, anotherKey); err != nil {
		t.Fatal(err)
	}
	refuses(t, dir, aKey, ErrKeyWrong)
	for _, key := range [][]byte{aKey, nil} {
		from, err := encrypted(dir, anotherKey)
		if err != nil {
			t.Fatal(err)
		}
		to, err := encrypted(filepath.Join(memory(t), "db"), key)
		if err != nil {
			t.Fatal(err)
		}
		if err := Copy(from, to); err != nil {
			t.Fatal(err)
		}
		if n := planted(t, to); n != 300 {
			t.Errorf("%d records", n)
		}
		if leaked := leaks(t, to.dir); (len(leaked) == 0) != (key != nil) {
			t.Errorf("key %v: %v", key, leaked)
		}
		if err := errors.Join(from.Close(), to.Close()); err != nil {
			t.Error(err)
		}
	}
}
