package server

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
)

// TestOpenStopped: commands find no database in a directory that a server is just creating. One would create the database itself,
// and the server would wait for it, so that the command did not know the server's URL.
func TestOpenStopped(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, ownDatabase)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if _, err := openStopped(data, "", nil, log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the database is there: %v", err)
	}
	_, unverified := Verify(t.Context(), data, nil, func(int) {}, log)
	for name, err := range map[string]error{
		"compact": Compact(data, nil, log), "verify": unverified, "copy": CopyData(data, nil, filepath.Join(t.TempDir(), "copy"), nil, log),
		"repair": Repair(data, nil, false, func(string) {}, log),
	} {
		if err == nil {
			t.Errorf("%s has done nothing without an error", name)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("the command has made %v, %v", files, err)
	}
	served, err := badgerstore.Open(dir, badgerstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openStopped(data, "", nil, log); !errors.Is(err, durable.ErrInUse) {
		t.Errorf("while the server runs: %v", err)
	}
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := openStopped(data, "", nil, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
