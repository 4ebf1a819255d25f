package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRepairCommand: the error for a damaged database names the command, which prints what it did or what to do.
func TestRepairCommand(t *testing.T) {
	data := t.TempDir()
	start(t, data, freeAddress(t)).kill()
	if err := os.Truncate(filepath.Join(data, ownDatabase, "HEAD"), 1000); err != nil {
		t.Fatal(err)
	}
	dev := []string{"dev", "--data", data, "--listen", "127.0.0.1:0"}
	refused(t, nil, "HEAD has 1000 bytes", dev...)
	refused(t, nil, "crepe repair --data "+data, dev...)
	refused(t, nil, "--accept-loss", "repair", "--data", data)
	if out := operate(t, "repair", "--data", data, "--accept-loss"); !strings.Contains(out, "it opens") {
		t.Errorf("repair --accept-loss: %s", out)
	}
	start(t, data, freeAddress(t))
}

// TestPrivateFiles: other users of the machine cannot read the database; one that they can read is refused, with the command that
// makes it private.
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
	refused(t, nil, "chmod -R go= "+data, "dev", "--data", data, "--listen", "127.0.0.1:0")
}
