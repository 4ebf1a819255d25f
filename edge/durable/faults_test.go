package durable

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/filefault"
)

var (
	ioErrors  = flag.Int("io-errors", 2, "at how many operations of Badger's background work TestBackgroundErrors injects an I/O error; 0 for each")
	faultSeed = flag.Uint64("fault-seed", uint64(time.Now().UnixNano()), "seed of TestBackgroundErrors, TestStartKills and TestPowerCut")
)

// background reports whether an operation is Badger's background work: on SSTables, the MANIFEST, or new and old WALs.
func background(op filefault.Op) bool {
	if op.Call == "mmap" {
		return false // a failed mapping is not an I/O error
	}
	switch filepath.Ext(op.Path) {
	case ".sst":
		return true
	case ".mem":
		return op.Call != "msync"
	}
	return op.Path == "MANIFEST"
}

// failure is an injected I/O error, at the n-th operation that matches.
type failure struct {
	n     int
	match func(filefault.Op) bool
}

func call(name, suffix string) func(filefault.Op) bool {
	return func(op filefault.Op) bool { return op.Call == name && strings.HasSuffix(op.Path, suffix) }
}

// TestBackgroundErrors: an I/O error in Badger's background work stops the database. The writes that it acknowledged before are
// there after a new start.
func TestBackgroundErrors(t *testing.T) {
	t.Logf("-io-errors=%d -fault-seed=%d", *ioErrors, *faultSeed)
	rng := rand.New(rand.NewPCG(*faultSeed, 1))
	const records = 3000
	total := 0
	_, _ = runChild(t, filepath.Join(memory(t), "db"), records, false, filefault.Program{Decide: func(op filefault.Op) filefault.Action {
		if background(op) {
			total++
		}
		return filefault.Go
	}})
	t.Logf("%d background operations", total)
	failures := map[string]failure{
		"sync of the MANIFEST":        {1, call("fsync", "MANIFEST")},
		"write of the MANIFEST":       {2, call("write", "MANIFEST")},
		"creation of an SSTable":      {3, call("openat", ".sst")},
		"sync of an SSTable":          {1, call("msync", ".sst")},
		"sync of a compacted SSTable": {6, call("msync", ".sst")},
		"creation of a WAL":           {3, call("openat", ".mem")},
		"size of a WAL":               {2, call("ftruncate", ".mem")},
		"deletion of a WAL":           {1, call("unlinkat", ".mem")},
	}
	for i := range max(*ioErrors, 0) {
		failures[fmt.Sprintf("operation %d", i)] = failure{1 + rng.IntN(total), background}
	}
	if *ioErrors == 0 {
		for i := range total {
			failures[fmt.Sprintf("operation %d", i)] = failure{1 + i, background}
		}
	}
	var counted sync.Mutex
	counts := make(map[string]int) // by what failed
	t.Run("each", func(t *testing.T) {
		for name, f := range failures {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				failed := f.run(t, records)
				counted.Lock()
				counts[failed]++
				counted.Unlock()
			})
		}
	})
	var rows []string
	delete(counts, "") // the run ended before the operation
	for _, failed := range slices.Sorted(maps.Keys(counts)) {
		rows = append(rows, fmt.Sprintf("%s\t%d\t%[2]d\t0", failed, counts[failed]))
	}
	if *ioErrors == 0 || *ioErrors >= 30 {
		keepRows(t, "ioerror", "I/O errors in Badger's background work",
			fmt.Sprintf("One operation fails with EIO during flushes and compactions, %d of a run's %d in turn. The database stops "+
				"writing. Opened again, without a repair, it holds all acknowledged writes.", len(failures), total),
			"operation that fails\truns\tstopped, complete afterwards\tacknowledged records lost", rows...)
	}
}

// run injects the failure into a child and checks the database afterwards. It returns the kind of operation that failed.
func (f failure) run(t *testing.T, records int) string {
	dir := filepath.Join(memory(t), "db")
	defer os.RemoveAll(dir)
	var seen int
	var failed filefault.Op
	result, _ := runChild(t, dir, records, false, filefault.Program{Decide: func(op filefault.Op) filefault.Action {
		if f.match(op) {
			seen++
		}
		if seen == f.n && failed.N == 0 {
			failed = op
			return filefault.Fail
		}
		return filefault.Go
	}})
	if failed.N != 0 && result.open && !result.stopped {
		t.Errorf("after a failed %s of %s the database went on: %s", failed.Call, failed.Path, result.stderr)
	}
	if err := holds(t, dir, result.acknowledged); err != nil {
		t.Errorf("after a failed %s of %s: %v", failed.Call, failed.Path, err)
	}
	t.Logf("a failed %s of %s: %d acknowledged", failed.Call, failed.Path, len(result.acknowledged))
	if failed.N == 0 {
		return ""
	}
	if what := map[string]string{".sst": "an SSTable", ".mem": "a WAL"}[filepath.Ext(failed.Path)]; what != "" {
		return failed.Call + " of " + what
	}
	return failed.Call + " of the MANIFEST"
}

var startKills = flag.Int("start-kills", 12, "at how many file operations of a start TestStartKills kills it; 0 for each")

// TestStartKills: after a start that was killed at any of its file operations the next start succeeds, with and without NoSync, of
// a new database and after a crash that left WALs and SSTables. Acknowledged writes stay.
func TestStartKills(t *testing.T) {
	t.Logf("-start-kills=%d -fault-seed=%d", *startKills, *faultSeed)
	rng := rand.New(rand.NewPCG(*faultSeed, 2))
	var rows []string
	for _, noSync := range []bool{false, true} {
		for _, records := range []int{0, 700} {
			name := fmt.Sprintf("no sync %t, %d records", noSync, records)
			image := filepath.Join(memory(t), "image")
			var before report
			if records > 0 {
				before, _ = runChild(t, image, records, noSync, filefault.Program{})
			}
			try := filepath.Join(memory(t), "db")
			clone(t, image, try)
			_, total := runChild(t, try, 0, noSync, filefault.Program{})
			kills := rng.Perm(total)
			if *startKills > 0 {
				kills = kills[:min(total, max(1, *startKills/4))]
			}
			for _, n := range kills {
				clone(t, image, try)
				var at filefault.Op
				kill := func(op filefault.Op) filefault.Action {
					if op.N == n+1 {
						at = op
						return filefault.Kill
					}
					return filefault.Go
				}
				for range 2 {
					runChild(t, try, 0, noSync, filefault.Program{Decide: kill})
				}
				if noSync {
					again, _ := runChild(t, try, 0, true, filefault.Program{})
					if !again.open {
						t.Errorf("%s, killed at %v: %s %s", name, at, again.refused, again.stderr)
					}
				} else if err := holds(t, try, before.acknowledged); err != nil {
					t.Errorf("%s, killed at %v: %v", name, at, err)
				}
			}
			t.Logf("%s: %d operations, killed at %d, each twice", name, total, len(kills))
			rows = append(rows, fmt.Sprintf("%s, %s\t%d\t%d\t%[4]d", map[bool]string{false: "the server's", true: "the sandbox's"}[noSync],
				map[bool]string{false: "new", true: "after a crash"}[records > 0], total, len(kills)))
		}
	}
	if *startKills == 0 {
		keepRows(t, "startdb", "Killed while opening a database", "Killed before each file operation, and the next attempt before the same "+
			"one. Then the database opens, and the server's holds all acknowledged writes.", "database\toperations\tkilled twice at\topened afterwards", rows...)
	}
}

// clone makes a directory a copy of another one, or removes it if that does not exist.
func clone(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if os.IsNotExist(err) {
		return
	}
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	for _, f := range files {
		if err == nil && !f.IsDir() && f.Name() != ballastFile {
			err = copyInto(to, filepath.Join(from, f.Name()))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
