package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// harmed makes a database with many SSTables, flips a bit in the middle of each, and returns their names.
func harmed(t *testing.T) (dir string, names []string) {
	t.Helper()
	dir = filepath.Join(memory(t), "db")
	db := openSmall(t, dir)
	if err := errors.Join(fillRecords(db, 0, 400), db.Close()); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(names) < 3 {
		t.Fatalf("%v, %v: the test no longer tests", names, err)
	}
	for _, name := range names {
		if err := alter(name, func(text []byte) []byte { text[len(text)/2] ^= 1; return text }); err != nil {
			t.Fatal(err)
		}
	}
	return dir, names
}

// openSmall opens a database with small memtables that verifies nothing in the background.
func openSmall(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, Options{tableSize: 1 << 20, verifyRate: 1})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// fillRecords writes records of 10 kB that cannot be compressed, until count or the first error.
func fillRecords(db *DB, from, count int) error {
	rng := rand.New(rand.NewPCG(1, uint64(from)))
	value := make([]byte, 10_000)
	for n := range count {
		for i := 0; i < len(value); i += 8 {
			binary.LittleEndian.PutUint64(value[i:], rng.Uint64())
		}
		key := fmt.Sprintf("test/-/f/%06d", from+n)
		if err := db.Update(func(tx *Tx) error { tx.Put(key, bytes.Clone(value)); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// TestDamagedCompaction: a compaction does not replace an SSTable that is damaged. Badger by itself compacts what it can read, and
// deletes the rest.
func TestDamagedCompaction(t *testing.T) {
	dir, names := harmed(t)
	db := openSmall(t, dir)
	var err error
	for n := 1; err == nil && n < 50; n++ {
		err = fillRecords(db, n*1000, 100)
	}
	if !errors.Is(err, ErrDamaged) || !errors.Is(db.Err(), ErrDamaged) {
		t.Fatalf("a write: %v, the database: %v", err, db.Err())
	}
	t.Log(err)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || !slices.Equal(slices.Compact(slices.Sorted(slices.Values(append(left, names...)))), slices.Sorted(slices.Values(left))) {
		t.Errorf("left of %v: %v, %v", names, left, err)
	}
	if _, err := Open(dir, childOptions(false)); !errors.Is(err, ErrDamaged) {
		t.Errorf("opened again: %v", err)
	}
}

// TestVerification: the background verification stops the database. When it was interrupted, the next start verifies everything
// before it serves, and refuses as long as the damage is there.
func TestVerification(t *testing.T) {
	dir, _ := harmed(t)
	db, err := Open(dir, childOptions(false))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-db.Stopped():
	case <-time.After(5 * time.Minute):
		t.Fatal("not stopped")
	}
	if err := db.Close(); err != nil || !errors.Is(db.Err(), ErrDamaged) {
		t.Fatal(err, db.Err())
	}
	for range 2 {
		if _, err := Open(dir, childOptions(false)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "SSTable 0") {
			t.Fatal(err)
		}
	}
	for db.Err() != nil { // until one is closed before it has read the damage
		dir, _ = harmed(t)
		db = openSmall(t, dir)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, checkingFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a database that was closed counts as interrupted", err)
	}
}
