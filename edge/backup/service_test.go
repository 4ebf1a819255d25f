package backup

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// TestStatus: each backup has a number, by which a command knows its own, and one that fails is in the log, whoever asked for it.
func TestStatus(t *testing.T) {
	db, err := durable.Open(filepath.Join(t.TempDir(), "db"), durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var log strings.Builder
	s := New(Config{DB: db, Deployment: "one", Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	dir, missing := filepath.Join(t.TempDir(), "backups"), filepath.Join(t.TempDir(), "not", "there")
	for i, r := range []Request{{Directory: missing}, {Directory: dir}, {Directory: filepath.Join(db.Dir(), "backups")}} {
		status := s.made(t, r)
		if status.Number != i+1 || (status.Error != "") != (r.Directory != dir) || (status.LastGood.IsZero()) != (i == 0) {
			t.Errorf("number %d, into %s: %+v", i+1, r.Directory, status)
		}
	}
	s.Close()
	if _, err := s.Start(Request{Directory: dir}); err == nil || s.Status().Running {
		t.Errorf("a closed service makes a backup: %v, %+v", err, s.Status())
	}
	if strings.Count(log.String(), "no backup was made") != 2 {
		t.Error(&log)
	}
}
