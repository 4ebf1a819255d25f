package backup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
)

var (
	damages    = flag.Int("damages", 200, "how many damaged directories TestDamage reads")
	damageSeed = flag.Uint64("damage-seed", uint64(time.Now().UnixNano()), "seed of TestDamage")
	update     = flag.Bool("update", false, "update the golden file, and the rows of the fault table")
)

// world is a database under load, and what its writer did.
type world struct {
	db      *durable.DB
	service *Service
	dir     string // of the backups

	mu      sync.Mutex
	steps   []durable.Change // in the order in which the writer ran them
	acked   map[int]bool     // of steps
	clients sync.WaitGroup
	quit    chan struct{}
}

const stepKey = "test/-/step"

func open4(t testing.TB, seed uint64) *world {
	t.Helper()
	db, err := durable.Open(filepath.Join(t.TempDir(), "db"), durable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: db, dir: filepath.Join(t.TempDir(), "backups"), acked: make(map[int]bool), quit: make(chan struct{})}
	w.service = New(Config{DB: db, Deployment: "one", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	for n := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, n))
		w.clients.Go(func() {
			for {
				select {
				case <-w.quit:
					return
				case <-time.After(time.Duration(rng.IntN(3)) * time.Millisecond):
					w.step(t, rng)
				}
			}
		})
	}
	t.Cleanup(func() {
		w.service.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// step writes or removes a random key, and counts itself in the same transaction.
func (w *world) step(t testing.TB, rng *rand.Rand) {
	c := durable.Change{Key: fmt.Appendf(nil, "test/-/k/%03d", rng.IntN(500))}
	if rng.IntN(3) > 0 {
		c.Value = bytes.Repeat(binary.BigEndian.AppendUint64(nil, rng.Uint64()), rng.IntN(300))
		c.Value = append(c.Value, 1)
	}
	place := -1
	err := w.db.Update(func(tx *durable.Tx) error {
		tx.Put(string(c.Key), c.Value)
		w.mu.Lock()
		defer w.mu.Unlock()
		if place < 0 {
			place = len(w.steps)
			w.steps = append(w.steps, c)
		}
		tx.Put(stepKey, binary.BigEndian.AppendUint64(nil, uint64(place)+1))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	w.mu.Lock()
	w.acked[place] = true
	w.mu.Unlock()
}

// backup makes a backup, and returns what was acknowledged before it began.
func (w *world) backup(t testing.TB, full bool) (Status, []int) {
	t.Helper()
	w.mu.Lock()
	acked := slices.Collect(maps.Keys(w.acked))
	w.mu.Unlock()
	if _, err := w.service.Start(Request{Directory: w.dir, Full: full}); err != nil {
		t.Fatal(err)
	}
	for {
		if s := w.service.Status(); !s.Running {
			if s.Error != "" {
				t.Fatal(s.Error)
			}
			return s, acked
		}
		time.Sleep(time.Millisecond)
	}
}

// point is a backup and what it must restore.
type point struct {
	Status
	acked []int
}

func (w *world) load(t testing.TB, points int) (made []point) {
	t.Helper()
	for i := range points {
		time.Sleep(60 * time.Millisecond)
		s, acked := w.backup(t, i == points/2)
		made = append(made, point{s, acked})
	}
	close(w.quit)
	w.clients.Wait()
	return made
}

// state is the keys and values, without the database's own.
type state map[string]string

func (s state) apply(c durable.Change) {
	if strings.HasPrefix(string(c.Key), "all/-/nr/") {
		return
	}
	if c.Value == nil {
		delete(s, string(c.Key))
		return
	}
	s[string(c.Key)] = string(c.Value)
}

// after returns the state after the first steps.
func (w *world) after(steps int) state {
	s := make(state)
	for _, c := range w.steps[:steps] {
		s.apply(c)
	}
	s[stepKey] = string(binary.BigEndian.AppendUint64(nil, uint64(steps)))
	return s
}

func (s state) steps() int { return int(binary.BigEndian.Uint64([]byte(s[stepKey]))) }

// TestRestore: every point of a run with load is restored exactly: the state after one of the writer's steps, with all that was acknowledged
// before the backup began.
func TestRestore(t *testing.T) {
	w := open4(t, *damageSeed)
	points := w.load(t, 12)
	d, err := Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	incremental := 0
	for i, p := range points {
		if !p.Full {
			incremental++
		}
		for _, to := range []time.Time{p.Point, p.Point.Add(time.Millisecond)} {
			found, err := d.Find(to)
			if err != nil || !found.Time.Equal(p.Point) {
				t.Fatalf("point %d: found %v, %v", i, found, err)
			}
			if to != p.Point {
				continue
			}
			restored := filepath.Join(t.TempDir(), "db")
			if err := found.Restore(restored, durable.Options{}, func(string, int) {}); err != nil {
				t.Fatalf("point %d: %v", i, err)
			}
			w.compare(t, restored, p)
		}
	}
	if incremental != len(points)-2 {
		t.Errorf("%d of %d backups are incremental", incremental, len(points))
	}
}

// compare opens a restored database, twice, and compares it with the ledger.
func (w *world) compare(t *testing.T, dir string, p point) {
	t.Helper()
	for range 2 {
		db, err := durable.Open(dir, durable.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := make(state)
		err = db.Scan("", "", func(key string, value []byte) bool {
			got.apply(durable.Change{Key: []byte(key), Value: append([]byte{}, value...)})
			return true
		})
		if err != nil {
			t.Error(err)
		}
		steps := got.steps()
		if !maps.Equal(got, w.after(steps)) {
			t.Errorf("%s is not the state after its %d steps", p.File, steps)
		}
		if n := slices.Max(append(p.acked, -1)); n >= steps {
			t.Errorf("%s has %d steps, and number %d was acknowledged before it", p.File, steps, n)
		}
		if err := db.Update(func(tx *durable.Tx) error { tx.Put("test/-/more", []byte("x")); tx.Delete("test/-/more"); return nil }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// harms are kinds of damage to a directory. Each returns the names of which the refusal must name one.
var harms = map[string]func(dir string, names []string, rng *rand.Rand) ([]string, error){
	"flipped bit": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		name := names[rng.IntN(len(names))]
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		text[rng.IntN(len(text))] ^= 1 << rng.IntN(8)
		return []string{name}, os.WriteFile(filepath.Join(dir, name), text, 0o600)
	},
	"cut short": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		name := names[rng.IntN(len(names))]
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		return []string{name}, os.Truncate(filepath.Join(dir, name), rng.Int64N(info.Size()))
	},
	"lengthened": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		name := names[rng.IntN(len(names))]
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		from := rng.IntN(len(text))
		return []string{name}, os.WriteFile(filepath.Join(dir, name), append(text, text[from:]...), 0o600)
	},
	"two files swapped": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		a := rng.IntN(len(names))
		b := (a + 1 + rng.IntN(len(names)-1)) % len(names)
		one, two, other := filepath.Join(dir, names[a]), filepath.Join(dir, names[b]), filepath.Join(dir, "other")
		return []string{names[a], names[b]}, errors.Join(os.Rename(one, other), os.Rename(two, one), os.Rename(other, two))
	},
	"removed": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		name := names[rng.IntN(len(names))]
		return []string{name}, os.Remove(filepath.Join(dir, name))
	},
	"one file twice": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		a := rng.IntN(len(names))
		b := (a + 1 + rng.IntN(len(names)-1)) % len(names)
		text, err := os.ReadFile(filepath.Join(dir, names[a]))
		return []string{names[b]}, errors.Join(err, os.WriteFile(filepath.Join(dir, names[b]), text, 0o600))
	},
	"a file under a new name": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		name := names[rng.IntN(len(names))]
		copied := fmt.Sprintf("%s%05d.backup", name[:len(name)-len("00000.backup")], len(names)+rng.IntN(3))
		text, err := os.ReadFile(filepath.Join(dir, name))
		return []string{copied, name[:len(chainTime)]}, errors.Join(err, os.WriteFile(filepath.Join(dir, copied), text, 0o600))
	},
	"another deployment's": func(dir string, names []string, rng *rand.Rand) ([]string, error) {
		name := names[rng.IntN(len(names))]
		return []string{name}, foreign(filepath.Join(dir, name))
	},
}

// foreign makes a file that of another deployment, and is otherwise valid.
func foreign(name string) error {
	r, p, err := open(name, name)
	if err != nil {
		return err
	}
	defer r.close()
	file, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	defer file.Close()
	p.Deployment = "two"
	w, err := newWriter(file, p)
	if err != nil {
		return err
	}
	err = r.changes(func(c durable.Change) error { _, err := w.change(&c); return err })
	return errors.Join(err, w.finish(), os.Rename(name+".new", name))
}

// TestDamage: of a damaged directory a point is restored exactly, or it is refused with a text that names the file.
func TestDamage(t *testing.T) {
	t.Logf("-damages=%d -damage-seed=%d", *damages, *damageSeed)
	w := open4(t, *damageSeed)
	points := w.load(t, 10)
	good := make(map[string]state)
	d, err := Open(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		_, s, err := read(d, p.Point)
		if err != nil {
			t.Fatal(err)
		}
		good[filepath.Base(p.File)] = s
	}
	rng := rand.New(rand.NewPCG(*damageSeed, 9))
	names, kinds := slices.Sorted(maps.Keys(good)), slices.Sorted(maps.Keys(harms))
	restored, refused := make(map[string]int), make(map[string]int)
	for i := range *damages {
		kind := kinds[i%len(kinds)]
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
			t.Fatal(err)
		}
		harmed, err := harms[kind](dir, names, rng)
		if err != nil {
			t.Fatal(err)
		}
		to := time.Time{}
		if rng.IntN(2) == 0 {
			to = points[rng.IntN(len(points))].Point
		}
		var found *Restorable
		var got state
		if d, err = Open(dir); err == nil {
			found, got, err = read(d, to)
		}
		what := fmt.Sprintf("case %d: %s %v, to %v", i, kind, harmed, to)
		switch {
		case err == nil && !maps.Equal(got, good[found.File()]):
			t.Errorf("%s: RESTORED WRONG, as %s", what, found.File())
		case err == nil:
			restored[kind]++
		case !errors.Is(err, ErrDamaged) || !slices.ContainsFunc(harmed, func(name string) bool { return strings.Contains(err.Error(), name) }):
			t.Errorf("%s: refused with %v", what, err)
		default:
			refused[kind]++
		}
	}
	var rows []string
	for _, kind := range kinds {
		t.Logf("%-24s restored %d, refused %d", kind, restored[kind], refused[kind])
		rows = append(rows, fmt.Sprintf("%s\t%d\t%d\t%d\t0", kind, restored[kind]+refused[kind], restored[kind], refused[kind]))
		if refused[kind] == 0 && *damages >= 100 {
			t.Errorf("%s: nothing was refused", kind)
		}
	}
	if *damages >= 1000 && *update && !t.Failed() {
		rows = append([]string{"Damaged backups", "A directory of two chains of backups, made under load, is damaged at a random place; then a random point, or the " +
			"last one, is restored. It is restored exactly, because it does not need the damaged file, or refused with a text that names the file.",
			"fault\truns\trestored, exact\trefused\trestored, wrong"}, rows...)
		if err := os.WriteFile(filepath.Join("..", "testdata", "faults", "backup.tsv"), []byte(strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// read reads the point that would be restored.
func read(d *Directory, to time.Time) (*Restorable, state, error) {
	found, err := d.Find(to)
	if err != nil {
		return nil, nil, err
	}
	s := make(state)
	return found, s, found.Changes(func(c durable.Change) error { s.apply(c); return nil })
}
