package backup

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// golden is a chain of backups as this version writes it. Files of a version that was released stay as they are and are restored for ever;
// a new format gets a directory of its own.
const golden = "testdata/v1"

var goldenTime = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// goldenPoints are the points of the chain, each with what was written since the one before it.
var goldenPoints = []struct {
	write func(*durable.Tx)
	state state
}{
	{func(tx *durable.Tx) {
		tx.Put("test/-/empty", []byte{})
		tx.Put("test/-/removed", []byte("one"))
		tx.Put("test/-/large", bytes.Repeat([]byte("0123456789"), 40))
		tx.PutUntil("test/-/expiring", []byte("in 2100"), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	}, state{"test/-/empty": "", "test/-/removed": "one", "test/-/large": strings.Repeat("0123456789", 40), "test/-/expiring": "in 2100"}},
	{func(tx *durable.Tx) {
		tx.Delete("test/-/removed")
		tx.Put("test/-/empty", []byte("no more"))
		tx.Put("prod/é\x00/binary", []byte{0, 0xff, '\n'})
	}, state{"test/-/empty": "no more", "test/-/large": strings.Repeat("0123456789", 40), "test/-/expiring": "in 2100", "prod/é\x00/binary": "\x00\xff\n"}},
}

// TestFormat: a backup has the bytes of the golden files, and these can be restored.
func TestFormat(t *testing.T) {
	written := t.TempDir()
	writeGolden(t, written)
	if *update {
		if err := errors.Join(os.RemoveAll(golden), os.CopyFS(golden, os.DirFS(written))); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(golden, "*"))
	if err != nil || len(names) != len(goldenPoints) {
		t.Fatalf("%d golden files, %v", len(names), err)
	}
	d, err := Open(golden)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		want, err1 := os.ReadFile(name)
		got, err2 := os.ReadFile(filepath.Join(written, filepath.Base(name)))
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is written otherwise now (%v, %v): a new format needs a new first line, and a reader of the old one", name, err1, err2)
		}
		point, err := d.Find(goldenTime.Add(time.Duration(i) * time.Hour))
		if err != nil || point.File() != filepath.Base(name) {
			t.Fatalf("%s: found %v, %v", name, point, err)
		}
		restored := filepath.Join(t.TempDir(), "db")
		if err := point.Restore(restored, durable.Options{}, func(string, int) {}); err != nil {
			t.Fatal(err)
		}
		if got := stored(t, restored); !maps.Equal(got, goldenPoints[i].state) {
			t.Errorf("%s: restored %q", name, got)
		}
	}
}

// writeGolden makes the backups of the golden files.
func writeGolden(t *testing.T, dir string) {
	db, err := durable.Open(filepath.Join(t.TempDir(), "db"), durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := goldenTime
	s := New(Config{DB: db, Deployment: "GOLDEN", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Hurry: true})
	defer func() { s.Close(); db.Close() }()
	for _, p := range goldenPoints {
		if err := db.Update(func(tx *durable.Tx) error { p.write(tx); return nil }); err != nil {
			t.Fatal(err)
		}
		if status := s.made(t, Request{Directory: dir}); status.Error != "" {
			t.Fatal(status.Error)
		}
		now = now.Add(time.Hour)
	}
}

// made makes a backup and returns what became of it.
func (s *Service) made(t testing.TB, r Request) Status {
	t.Helper()
	if _, err := s.Start(r); err != nil {
		t.Fatal(err)
	}
	for s.Status().Running {
		time.Sleep(time.Millisecond)
	}
	return s.Status()
}

// stored returns what a database holds.
func stored(t testing.TB, dir string) state {
	t.Helper()
	db, err := durable.Open(dir, durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got := make(state)
	if err := db.Scan("", "", func(key string, value []byte) bool {
		got.apply(durable.Change{Key: []byte(key), Value: append([]byte{}, value...)})
		return true
	}); err != nil {
		t.Error(err)
	}
	return got
}
