package main

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// serving is what `crepe serve` is on a data directory, with the sandbox for the test environment.
func serving(data string, log io.Writer) (*server, error) {
	c := Config{Data: data, PublicURL: "http://127.0.0.1:1", Sandbox: map[checkout.Environment]bool{checkout.Test: true}}
	return newServer(c, slog.New(slog.NewTextHandler(log, nil)))
}

// TestDamagedSandbox: a sandbox database that cannot be opened takes the payment provider from the environment that it
// serves, and says so. The rest is served.
func TestDamagedSandbox(t *testing.T) {
	data := t.TempDir()
	s, err := serving(data, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, sandboxDatabase, "MANIFEST"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if s, err = serving(data, &log); err != nil {
		t.Fatalf("not served: %v", err)
	}
	defer s.close()
	if s.orders.Providers[checkout.Test] != nil || s.ready() != nil {
		t.Errorf("gateway %v, ready %v", s.orders.Providers[checkout.Test], s.ready())
	}
	for _, said := range []string{"the sandbox cannot be opened", "crepe repair --data", "no payment provider"} {
		if !strings.Contains(log.String(), said) {
			t.Errorf("the log does not say %q: %s", said, &log)
		}
	}
}

// TestRepairCommand: the refusal of a damaged database names the command, which says what it did, or what to do.
func TestRepairCommand(t *testing.T) {
	data := t.TempDir()
	s, err := serving(data, io.Discard)
	if err == nil {
		err = s.close()
	}
	if err != nil {
		t.Fatal(err)
	}
	head := filepath.Join(data, ownDatabase, "HEAD")
	if err := os.Truncate(head, 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := serving(data, io.Discard); err == nil || !strings.Contains(err.Error(), "HEAD has 1000 bytes") ||
		!strings.Contains(err.Error(), "crepe repair --data "+data) {
		t.Fatalf("a short HEAD: %v", err)
	}
	if _, err := crepe(t, "repair", "--data", data); err == nil || !strings.Contains(err.Error(), "--accept-loss") {
		t.Errorf("repair: %v", err)
	}
	out, err := crepe(t, "repair", "--data", data, "--accept-loss")
	if err != nil || !strings.Contains(out, "it opens") {
		t.Errorf("repair --accept-loss: %v: %s", err, out)
	}
	if s, err = serving(data, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// crepe runs a command and returns what it prints.
func crepe(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, stderr bytes.Buffer
	err := run(t.Context(), args, &out, &stderr)
	return out.String(), err
}

// TestPrivateFiles: no other user of the machine can read the database, and one that others can read is refused with the
// command that takes that away.
func TestPrivateFiles(t *testing.T) {
	data := t.TempDir()
	first := start(t, data, freeAddress(t))
	for _, name := range []string{ownDatabase, sandboxDatabase} {
		files, err := os.ReadDir(filepath.Join(data, name))
		if err != nil || len(files) < 3 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			info, err := f.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s/%s has mode %v", name, f.Name(), info.Mode())
			}
		}
	}
	first.kill()
	if err := os.Chmod(filepath.Join(data, ownDatabase), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := serving(data, io.Discard); err == nil || !strings.Contains(err.Error(), "chmod -R go= "+data) {
		t.Errorf("a database that others can read: %v", err)
	}
}
