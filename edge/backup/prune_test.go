package backup

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// TestPrune: a chain is removed by the first good backup after the next chain began as long ago as points are kept, and by nothing else.
func TestPrune(t *testing.T) {
	db, err := durable.Open(filepath.Join(t.TempDir(), "db"), durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 3 { // more than one part of a file
		if err := db.Update(func(tx *durable.Tx) error { tx.Put(fmt.Sprint("test/-/", i), make([]byte, fullPart/2+1)); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	now := began
	clock := func() time.Time { return now }
	open := func() *Service {
		return New(Config{DB: db, Deployment: "one", Now: func() time.Time { return clock() }, Log: slog.New(slog.DiscardHandler)})
	}
	s, dir := open(), filepath.Join(t.TempDir(), "backups")
	const keep = 48 * time.Hour
	for _, step := range []struct {
		hours int // since the beginning
		files []string
	}{
		{0, []string{"01T00-0"}},
		{23, []string{"01T00-0", "01T00-1"}},
		{24, []string{"01T00-0", "01T00-1", "02T00-0"}},
		{49, []string{"01T00-0", "01T00-1", "02T00-0", "03T01-0"}},
		{71, []string{"01T00-0", "01T00-1", "02T00-0", "03T01-0", "03T01-1"}}, // 23:00 of the 1st is kept for two days, until 23:59 of the 3rd
		{72, []string{"02T00-0", "03T01-0", "03T01-1", "03T01-2"}},
		{96, []string{"02T00-0", "03T01-0", "03T01-1", "03T01-2", "05T00-0"}},
	} {
		now = began.Add(time.Duration(step.hours) * time.Hour)
		if status := s.made(t, Request{Directory: dir, Keep: keep}); status.Error != "" {
			t.Fatal(status.Error)
		}
		if got := hoursAndNumbers(t, dir); !slices.Equal(got, step.files) {
			t.Errorf("after %d hours there are %q instead of %q", step.hours, got, step.files)
		}
	}

	kept := hoursAndNumbers(t, dir)
	now = began.Add(30 * 24 * time.Hour)
	clock = func() time.Time { s.stop(); return now } // the server ends in the middle of the backup
	if status := s.made(t, Request{Directory: dir, Full: true, Keep: keep}); status.Error == "" || status.Records == 0 {
		t.Errorf("the interrupted backup is %+v: the test no longer tests", status)
	}
	if got := hoursAndNumbers(t, dir); !slices.Equal(got, kept) {
		t.Errorf("a full backup that failed has left %q of %q", got, kept)
	}

	clock = func() time.Time { return now }
	s = open()
	defer s.Close()
	if status := s.made(t, Request{Directory: dir, Keep: keep}); status.Error != "" {
		t.Fatal(status.Error)
	}
	if got := hoursAndNumbers(t, dir); !slices.Equal(got, []string{"05T00-0", "01T00-0"}) {
		t.Errorf("a month later there are %q", got)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Find(now.Add(-keep)); err != nil {
		t.Errorf("a point that is kept cannot be restored: %v", err)
	}
}

// TestEmptied: where the backups have been removed, or their directory, the next one is a full one.
func TestEmptied(t *testing.T) {
	db, err := durable.Open(filepath.Join(t.TempDir(), "db"), durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, dir := New(Config{DB: db, Deployment: "one", Now: time.Now, Log: slog.New(slog.DiscardHandler)}), filepath.Join(t.TempDir(), "backups")
	defer s.Close()
	for _, emptied := range []string{dir, filepath.Join(dir, "*")} {
		if status := s.made(t, Request{Directory: dir}); !status.Full || status.Error != "" {
			t.Errorf("the first backup: %+v", status)
		}
		if status := s.made(t, Request{Directory: dir}); status.Full || status.Error != "" {
			t.Errorf("the second backup: %+v", status)
		}
		names, err := filepath.Glob(emptied)
		if err != nil || len(names) == 0 {
			t.Fatalf("%q, %v", names, err)
		}
		for _, name := range names {
			if err := os.RemoveAll(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if status := s.made(t, Request{Directory: dir}); !status.Full || status.Error != "" {
		t.Errorf("after all were removed: %+v", status)
	}
}

// hoursAndNumbers lists a directory: the day and hour of each file's chain, and its number.
func hoursAndNumbers(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if match := fileName.FindStringSubmatch(e.Name()); match == nil {
			names = append(names, e.Name())
		} else {
			names = append(names, match[1][6:11]+"-"+match[2][4:])
		}
	}
	return names
}
