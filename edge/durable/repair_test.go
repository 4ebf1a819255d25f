package durable

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"

	"github.com/crepe-checkout/crepe/edge/filefault"
)

// TestRepair: a repair removes SSTables that were never completed from the MANIFEST. If acknowledged writes are missing, it changes
// nothing until the operator accepts the loss.
func TestRepair(t *testing.T) {
	image := filepath.Join(memory(t), "image")
	before, _ := runChild(t, image, 700, false, filefault.Program{}) // three SSTables, not compacted, and a WAL
	listed, _, err := readManifest(filepath.Join(image, badger.ManifestFilename))
	if err != nil || len(listed) < 2 {
		t.Fatalf("%d SSTables, %v: the test no longer tests", len(listed), err)
	}
	ids := slices.Sorted(maps.Keys(listed))
	compacted := func(dir string) error {
		changes := []*pb.ManifestChange{{Id: 900, Op: pb.ManifestChange_CREATE, Level: 6}, {Id: 901, Op: pb.ManifestChange_CREATE, Level: 6}}
		for _, id := range ids {
			changes = append(changes, drop(id))
		}
		return appendTo(dir, changes...)
	}
	cases := map[string]struct {
		harm    func(dir string) error
		mended  bool
		refusal string // of the repair
	}{
		"a flush that was not completed": {mended: true, harm: func(dir string) error {
			return appendTo(dir, &pb.ManifestChange{Id: 900, Op: pb.ManifestChange_CREATE})
		}},
		"a compaction that was not completed": {mended: true, harm: compacted},
		"a compaction that was completed later": {mended: true, harm: func(dir string) error {
			create := &pb.ManifestChange{Id: 900, Op: pb.ManifestChange_CREATE, Level: 6}
			return errors.Join(appendTo(dir, create, drop(800)), appendTo(dir, drop(800)))
		}},
		"a missing flushed SSTable": {refusal: "are missing from the middle", harm: func(dir string) error {
			return os.Remove(table.NewFilename(ids[0], dir))
		}},
		"a missing compacted SSTable": {refusal: "is missing, too", harm: func(dir string) error {
			return errors.Join(compacted(dir), os.Remove(table.NewFilename(ids[1], dir)))
		}},
		"a HEAD that is cut short": {refusal: "HEAD has 100 bytes", harm: func(dir string) error {
			return os.Truncate(filepath.Join(dir, journalFile), 100)
		}},
		"a HEAD that is gone": {refusal: "HEAD is missing", harm: func(dir string) error {
			return os.Remove(filepath.Join(dir, journalFile))
		}},
		"a HEAD that is empty, and a damaged WAL": {refusal: "HEAD has 0 bytes", harm: func(dir string) error {
			wals, err := filepath.Glob(filepath.Join(dir, "*.mem"))
			for _, name := range wals {
				err = errors.Join(err, alter(name, func(text []byte) []byte { clear(text[len(text)/2:]); return text }))
			}
			return errors.Join(err, os.Truncate(filepath.Join(dir, journalFile), 0))
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(memory(t), "db")
			clone(t, image, dir)
			if err := c.harm(dir); err != nil {
				t.Fatal(err)
			}
			harmed := contents(t, dir)
			if err := holds(t, dir, before.acknowledged); !errors.Is(err, ErrDamaged) {
				t.Fatalf("opened: %v", err)
			}
			var steps []string
			repair := Repairs{Options: childOptions(false), Tell: func(step string) { steps = append(steps, step) }}
			err := Repair(dir, repair)
			t.Logf("%v: %s", err, strings.Join(steps, "; "))
			if c.mended {
				if err != nil || len(steps) < 2 {
					t.Fatalf("repair: %v, told %d steps", err, len(steps))
				}
				if err := holds(t, dir, before.acknowledged); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.refusal) {
				t.Fatalf("repair: %v", err)
			}
			if now := contents(t, dir); !maps.Equal(now, harmed) {
				t.Errorf("a failed repair has changed files")
			}
			repair.AcceptLoss = true
			if err := Repair(dir, repair); err != nil {
				t.Fatal(err)
			}
			if err := holds(t, dir, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func appendTo(dir string, changes ...*pb.ManifestChange) error {
	name := filepath.Join(dir, badger.ManifestFilename)
	_, size, err := readManifest(name)
	return errors.Join(err, appendChanges(name, size, changes))
}

// contents returns the files with data.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, f := range files {
		switch filepath.Ext(f.Name()) {
		case ".mem", ".sst", "":
			if f.IsDir() || f.Name() == ballastFile || f.Name() == "KEYREGISTRY" || f.Name() == "DISCARD" || f.Name() == "LOCK" {
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			found[f.Name()] = strings.TrimRight(string(text), "\x00")
		}
	}
	return found
}
