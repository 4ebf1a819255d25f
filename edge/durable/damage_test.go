package durable

import (
	"bytes"
	"cmp"
	"errors"
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
)

var (
	damages    = flag.Int("damages", 30, "how many damaged copies of a database TestDamage opens")
	update     = flag.Bool("update", false, "update the rows of the fault table")
	damageSeed = flag.Uint64("damage-seed", uint64(time.Now().UnixNano()), "seed of TestDamage")
)

// image is the directory of a database after a crash, and the acknowledged records.
type image struct {
	dir  string
	want map[string][]byte
}

// crashed makes an image with several SSTables and a WAL. With rotation there are two WALs, the older one full and not flushed.
func crashed(t *testing.T, rng *rand.Rand, rotation bool) image {
	t.Helper()
	dir, im := memory(t), image{memory(t), make(map[string][]byte)}
	for range 3 {
		db, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		im.write(t, db, rng, 400, 1000)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	im.write(t, db, rng, 400, 1000)
	for range 1000 {
		wals, err := filepath.Glob(filepath.Join(dir, "*.mem"))
		if err != nil {
			t.Fatal(err)
		}
		if !rotation || len(wals) == 2 {
			im.write(t, db, rng, 20, 500)
			if copyDatabase(dir, im.dir) == nil {
				break
			}
		}
		im.write(t, db, rng, 32, 40_000)
	}
	copied := filepath.Join(memory(t), "copy")
	if err := copyDatabase(im.dir, copied); err != nil || im.check(t, copied, verifications[0], "undamaged") != served {
		t.Fatal("the image of an undamaged database is refused", err)
	}
	if wals, err := filepath.Glob(filepath.Join(im.dir, "*.mem")); err != nil || rotation && len(wals) != 2 {
		t.Fatalf("%v, %v: no second WAL: the test no longer tests", wals, err)
	}
	return im
}

// memory returns a temporary directory, in memory if possible: the time of a sync does not matter.
func memory(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "crepe")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// write puts, overwrites and deletes count records of about size bytes, and waits for the acknowledgements.
func (im image) write(t *testing.T, db *DB, rng *rand.Rand, count, size int) {
	t.Helper()
	var clients sync.WaitGroup
	for range count {
		key := fmt.Sprintf("test/-/r/%03d", rng.IntN(700))
		if im.want[key] != nil && rng.IntN(8) == 0 {
			delete(im.want, key)
		} else {
			filling := strings.Repeat(fmt.Sprint(rng.Uint64()), (size/2+rng.IntN(size))/20)
			im.want[key] = fmt.Appendf(nil, "%s %d %s", key, rng.Uint64(), filling)
		}
		value := im.want[key]
		c := command{done: make(chan error, 1), do: func(tx *Tx) error {
			if value == nil {
				tx.Delete(key)
			} else {
				tx.Put(key, value)
			}
			return nil
		}}
		db.queue <- c // in this order
		clients.Go(func() {
			if err := db.await(c); err != nil {
				t.Error(err)
			}
		})
	}
	clients.Wait()
}

// copyDatabase copies a directory while its database gets no writes. Badger may still flush a memtable: it writes an SSTable, lists
// it, truncates the WAL and deletes it. copyDatabase returns an error if one is flushed after the MANIFEST was copied.
func copyDatabase(from, to string) error {
	wals, err := filepath.Glob(filepath.Join(from, "*.mem"))
	if err := errors.Join(err, os.RemoveAll(to), os.MkdirAll(to, 0o700), copyInto(to, filepath.Join(from, "MANIFEST"))); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	for _, e := range entries {
		if !e.IsDir() && e.Name() != ballastFile && e.Name() != checkingFile && e.Name() != "MANIFEST" && filepath.Ext(e.Name()) != ".mem" {
			err = errors.Join(err, copyInto(to, filepath.Join(from, e.Name())))
		}
	}
	for _, name := range wals {
		err = errors.Join(err, copyInto(to, name))
		if info, gone := os.Stat(name); gone != nil || info.Size() == 0 {
			err = errors.Join(err, errors.New("a memtable was flushed meanwhile"))
		}
	}
	return err
}

func copyInto(dir, name string) error { return copyFile(name, filepath.Join(dir, filepath.Base(name))) }

// harms are kinds of damage to a file, at an offset that rng chooses.
var harms = map[string]func(name string, rng *rand.Rand) error{
	"flipped bit": func(name string, rng *rand.Rand) error {
		return alter(name, func(text []byte) []byte {
			text[rng.IntN(len(text))] ^= 1 << rng.IntN(8)
			return text
		})
	},
	"cut short": func(name string, rng *rand.Rand) error {
		return alter(name, func(text []byte) []byte { return text[:rng.IntN(len(text))] })
	},
	"torn": func(name string, rng *rand.Rand) error { // the last write is incomplete
		return alter(name, func(text []byte) []byte {
			clear(text[len(text)-min(len(text), 1+rng.IntN(300)):])
			return text
		})
	},
	"lost page": func(name string, rng *rand.Rand) error {
		return alter(name, func(text []byte) []byte {
			at := rng.IntN(len(text)) &^ 4095
			clear(text[at:min(at+4096, len(text))])
			return text
		})
	},
	"deleted": func(name string, _ *rand.Rand) error { return os.Remove(name) },
}

// alter changes a file's content. The zeros at the end of a WAL stay.
func alter(name string, change func([]byte) []byte) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	used := bytes.TrimRight(text, "\x00")
	if len(used) == 0 {
		used = text[:min(64, len(text))]
	}
	changed := change(slices.Clone(used))
	if len(changed) < len(used) {
		return os.WriteFile(name, changed, 0o600)
	}
	return os.WriteFile(name, append(changed, text[len(used):]...), 0o600)
}

// outcome counts the copies with one kind of damage.
type outcome struct{ complete, refused, stopped int }

// end is what became of a copy: it was complete, its start was refused, or it stopped when the damage was read.
type end int

const (
	served end = iota
	refused
	stopped
)

// verification says when the SSTables of a copy are verified.
type verification struct {
	when        string
	rate        int64 // of the background verification
	interrupted bool  // the start finds that the one before has not completed its verification
}

var verifications = []verification{{when: "by reads", rate: 1}, {when: "in the background"}, {when: "before", interrupted: true}}

// TestDamage: a database with a damaged file has all acknowledged writes, or it is refused, or it stops at the read that touches the
// damage and is refused from then on. One in ten has two WALs, one of
// them damaged: there Badger without the checks would open a database with a gap.
func TestDamage(t *testing.T) {
	t.Logf("-damages=%d -damage-seed=%d", *damages, *damageSeed)
	rng := rand.New(rand.NewPCG(*damageSeed, 1))
	outcomes := make(map[string]*outcome)
	one, two := crashed(t, rng, false), crashed(t, rng, true)
	one.damage(t, rng, *damages, outcomes, kinds)
	two.damage(t, rng, (*damages+9)/10, outcomes, map[string]string{".mem": "one of two WALs"})
	var rows []string
	for _, fault := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[fault]
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t%d\t0", fault, o.complete+o.refused+o.stopped, o.complete, o.refused, o.stopped))
		t.Logf("%-32s complete %d, refused %d, stopped %d", fault, o.complete, o.refused, o.stopped)
	}
	keepRows(t, "storage", "Damaged files of the database",
		"A copy of a database after a crash, with one file damaged at a random offset: a bit is flipped, a page is lost, the last "+
			"write is torn, the end is cut off, or the file is deleted. The database opens with all acknowledged writes, twice, or "+
			"it is refused with the reason, or it stops when the damage is read, and is refused then. SSTables are verified by reads "+
			"only, in the background, or before the database is opened, in turn.",
		"fault\truns\topened, complete\trefused\tstopped by a read\tread wrong or incomplete", rows...)
}

// keepRows writes a table of FAULTS.md.
func keepRows(t *testing.T, name, title, about, columns string, rows ...string) {
	t.Helper()
	if !*update || t.Failed() {
		return
	}
	text := strings.Join(append([]string{title, about, columns}, rows...), "\n") + "\n"
	if err := os.WriteFile(filepath.Join("..", "testdata", "faults", name+".tsv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// kinds names a database's files, by extension or name.
var kinds = map[string]string{".mem": "WAL", ".sst": "SSTable", ".vlog": "value log, which is empty", "MANIFEST": "MANIFEST",
	"HEAD": "HEAD", "KEYREGISTRY": "KEYREGISTRY", "DISCARD": "DISCARD", "LOCK": "LOCK"}

func extension(name string) string { return cmp.Or(filepath.Ext(name), name) }

// damage opens count copies, in each of which one of the named files is damaged.
func (im image) damage(t *testing.T, rng *rand.Rand, count int, outcomes map[string]*outcome, named map[string]string) {
	t.Helper()
	files, err := os.ReadDir(im.dir)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(e os.DirEntry) bool { return named[extension(e.Name())] == "" })
	ways := slices.Sorted(maps.Keys(harms))
	for i := range count {
		dir := filepath.Join(memory(t), "copy")
		if err := copyDatabase(im.dir, dir); err != nil {
			t.Fatal(err)
		}
		name, way := files[rng.IntN(len(files))].Name(), ways[rng.IntN(len(ways))]
		if err := harms[way](filepath.Join(dir, name), rng); err != nil {
			t.Fatal(err)
		}
		fault := named[extension(name)] + ": " + way
		if outcomes[fault] == nil {
			outcomes[fault] = new(outcome)
		}
		v := verifications[i%len(verifications)]
		switch im.check(t, dir, v, fmt.Sprintf("case %d, verified %s: %s %s", i, v.when, way, name)) {
		case served:
			outcomes[fault].complete++
		case refused:
			outcomes[fault].refused++
		case stopped:
			outcomes[fault].stopped++
		}
		os.RemoveAll(dir)
	}
}

// check opens a copy twice. It fails the test if a read returns anything but the acknowledged records or [ErrDamaged].
func (im image) check(t *testing.T, dir string, v verification, what string) end {
	t.Helper()
	if v.interrupted {
		if err := os.WriteFile(filepath.Join(dir, checkingFile), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		db, err := Open(dir, Options{verifyRate: v.rate})
		if err != nil {
			t.Logf("%s: refused: %v", what, err)
			return refused
		}
		err = im.compare(db)
		if halted := db.Err(); errors.Is(err, ErrDamaged) && errors.Is(halted, ErrDamaged) {
			err = nil
		} else if err != nil {
			t.Errorf("%s: SERVED: %v; stopped by %v", what, err, halted)
		}
		if err := errors.Join(err, db.Close()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if halted := db.Err(); halted != nil {
			t.Logf("%s: stopped: %v", what, halted)
			if _, err := Open(dir, Options{}); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: opened again: %v", what, err)
			}
			return stopped
		}
	}
	return served
}

// compare reads a database in all ways and returns the first error, or difference from the acknowledged records.
func (im image) compare(db *DB) error {
	for n := range 700 {
		key := fmt.Sprintf("test/-/r/%03d", n)
		value, err := db.Get(key)
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		if err != nil {
			return err
		}
		if !bytes.Equal(value, im.want[key]) {
			return fmt.Errorf("%s is another: %.20q", key, value)
		}
	}
	scans := []func(string, string, func(string, []byte) bool) error{db.Scan, db.ScanBack, db.keys}
	for n, scan := range scans {
		got := make(map[string][]byte)
		if err := scan("test/", "", func(key string, value []byte) bool { got[key] = value; return true }); err != nil {
			return err
		}
		if !maps.EqualFunc(got, im.want, bytes.Equal) {
			return fmt.Errorf("scan %d: %d records instead of %d, or others", n, len(got), len(im.want))
		}
	}
	return nil
}

// keys is Scan by means of a Snapshot.
func (db *DB) keys(prefix, from string, visit func(key string, value []byte) bool) error {
	return db.Read(func(s *Snapshot) error {
		for k := s.Keys(prefix, from); k.Valid(); k.Next() {
			value, err := k.Value()
			if err != nil || !visit(k.Key(), value) {
				return err
			}
		}
		return nil
	})
}
