package durable

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/crepe-checkout/crepe/edge/filefault"
)

var powerCuts = flag.Int("power-cuts", 4, "how many power cuts TestPowerCut simulates for each kind of database")

// platter is the durable state of a disk: the bytes and the size of each file at its last sync. Creating, renaming and deleting a
// file is durable at once.
type platter struct {
	dir   string
	files map[string]synced
}

// synced is a file's bytes without the zeros at its end, and its size.
type synced struct {
	text []byte
	size int64
}

// after records the state of a file that an operation has synced.
func (p *platter) after(op filefault.Op) {
	switch op.Call {
	case "fsync", "fdatasync", "msync":
	default:
		return
	}
	name := filepath.Join(p.dir, op.Path)
	info, err := os.Stat(name)
	if err != nil || info.IsDir() {
		return
	}
	var text []byte
	if filepath.Ext(name) != ".vlog" { // large, and all zeros
		text, err = os.ReadFile(name)
	}
	if err == nil {
		p.files[op.Path] = synced{bytes.TrimRight(text, "\x00"), info.Size()}
	}
}

// cut resets the directory to the durable state. A renamed file keeps its synced bytes.
func (p *platter) cut() error {
	return filepath.WalkDir(p.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path, err := filepath.Rel(p.dir, name)
		if err != nil || d.Name() == ballastFile {
			return err
		}
		held, ok := p.files[path]
		for _, suffix := range []string{".new", "-REWRITE"} { // synced before it was renamed
			if !ok {
				held, ok = p.files[path+suffix]
			}
		}
		return errors.Join(os.WriteFile(name, held.text, 0o600), os.Truncate(name, held.size))
	})
}

// TestPowerCut: after a power cut at any moment a database has all acknowledged writes, or with NoSync those before its last sync.
func TestPowerCut(t *testing.T) {
	t.Logf("-power-cuts=%d -fault-seed=%d", *powerCuts, *faultSeed)
	rng := rand.New(rand.NewPCG(*faultSeed, 3))
	const records = 500
	var rows []string
	for _, noSync := range []bool{false, true} {
		_, total := runChild(t, filepath.Join(memory(t), "db"), records, noSync, filefault.Program{})
		acknowledged := 0
		for i := range *powerCuts {
			dir := filepath.Join(memory(t), "db")
			disk := &platter{dir, make(map[string]synced)}
			at := 1 + rng.IntN(total)
			if noSync && i%2 == 1 {
				at = 0 // after its last sync
			}
			result, _ := runChild(t, dir, records, noSync, filefault.Program{After: disk.after,
				Decide: func(op filefault.Op) filefault.Action {
					if op.N == at {
						return filefault.Kill
					}
					return filefault.Go
				}})
			what := fmt.Sprintf("no sync %t, cut at operation %d of %d", noSync, at, total)
			if err := disk.cut(); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s: %v", what, err)
			}
			must := result.acknowledged
			if noSync && !result.synced {
				must = nil
			}
			acknowledged += len(must)
			for range 2 {
				if err := holdsAs(t, dir, must, noSync); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			}
			os.RemoveAll(dir)
		}
		t.Logf("no sync %t: %d cuts, %d acknowledged records", noSync, *powerCuts, acknowledged)
		if acknowledged == 0 {
			t.Error("nothing was acknowledged: the test no longer tests")
		}
		rows = append(rows, fmt.Sprintf("%s\t%d\t%[2]d\t%d\t0", map[bool]string{false: "the server's", true: "the sandbox's"}[noSync],
			*powerCuts, acknowledged))
	}
	if *powerCuts >= 30 {
		keepRows(t, "powercut", "A power cut", "Every file has the bytes and the size of its last sync. The server's database holds all "+
			"acknowledged writes, the sandbox's those before its last sync, which is every second. Both open, twice.",
			"database\tcuts\topened\trecords that must be there\tlost", rows...)
	}
}
