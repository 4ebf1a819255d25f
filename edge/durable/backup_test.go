package durable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// ledger records what a run of updates wrote, in the order in which the writer ran them.
type ledger struct {
	mu    sync.Mutex
	steps []Change
}

const stepKey = "test/-/step"

// run performs a random update, which also counts itself.
func (l *ledger) run(t *testing.T, db *DB, rng *rand.Rand) {
	c := Change{Key: fmt.Appendf(nil, "test/-/k/%04d", rng.IntN(3000))}
	var until time.Time
	switch rng.IntN(6) {
	case 0, 1:
	case 2:
		until = time.Now().Add(time.Duration(rng.IntN(4)) * time.Second)
		c.Expires = uint64(until.Unix()) + 1
		fallthrough
	default:
		c.Value = bytes.Repeat(binary.BigEndian.AppendUint64(nil, rng.Uint64()), 100+rng.IntN(400))
	}
	place := -1
	err := db.Update(func(tx *Tx) error {
		switch {
		case c.Value == nil:
			tx.Delete(string(c.Key))
		case c.Expires > 0:
			tx.PutUntil(string(c.Key), c.Value, until)
		default:
			tx.Put(string(c.Key), c.Value)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if place < 0 {
			place = len(l.steps)
			l.steps = append(l.steps, c)
		} else if place != len(l.steps)-1 {
			t.Error("an update ran twice, with another between: the ledger is wrong")
		}
		tx.Put(stepKey, binary.BigEndian.AppendUint64(nil, uint64(place)+1))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// state returns what the first steps lead to, at a time.
func (l *ledger) state(steps uint64, at uint64) map[string]Change {
	state := make(map[string]Change)
	for _, c := range l.steps[:steps] {
		state[string(c.Key)] = c
	}
	maps.DeleteFunc(state, func(_ string, c Change) bool { return c.Value == nil || c.Expires > 0 && c.Expires <= at })
	return state
}

// TestMoments: a full moment and the incremental ones after it, put into another database, make exactly the database as it was, at each
// of them, while clients write, delete and let expire, and compactions drop what they can.
func TestMoments(t *testing.T) {
	t.Logf("-damage-seed=%d", *damageSeed)
	db, err := Open(filepath.Join(memory(t), "db"), Options{tableSize: childTableSize})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, quit := new(ledger), make(chan struct{})
	var clients sync.WaitGroup
	for n := range uint64(4) {
		rng := rand.New(rand.NewPCG(*damageSeed, n))
		clients.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
					l.run(t, db, rng)
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	var chain []Change
	var base *Moment
	incremental, removed := 0, 0
	for round := range 10 {
		time.Sleep(300 * time.Millisecond)
		m, err := db.Moment(base)
		if err != nil {
			t.Fatal(err)
		}
		if m.Full {
			chain = nil
		} else {
			incremental++
		}
		if err := m.Changes(func(c Change) error {
			if c.Value == nil {
				removed++
			}
			chain = append(chain, c)
			return nil
		}, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		m.Keep()
		base = m
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		restored := filepath.Join(memory(t), "restored")
		if err := Fill(restored, Options{}, m.Batch, each(chain)); err != nil {
			t.Fatal(err)
		}
		compareState(t, restored, l, round)
	}
	close(quit)
	clients.Wait()
	t.Logf("%d updates, %d incremental moments with %d removals", len(l.steps), incremental, removed)
	if incremental != 9 || removed == 0 {
		t.Errorf("%d incremental moments with %d removals: the test no longer tests", incremental, removed)
	}
}

func each(changes []Change) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for _, c := range changes {
			if !yield(Change{slices.Clone(c.Key), slices.Clone(c.Value), c.Expires}, nil) {
				return
			}
		}
	}
}

// compareState compares a restored database with the ledger, up to the step that it says it has.
func compareState(t *testing.T, dir string, l *ledger, round int) {
	t.Helper()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer db.Close()
	step, err := db.Get(stepKey)
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := uint64(time.Now().Unix())
	want, got := l.state(binary.BigEndian.Uint64(step), now), 0
	err = db.Scan("test/-/k/", "", func(key string, value []byte) bool {
		if c, ok := want[key]; !ok {
			t.Errorf("round %d: %s is there, although it was removed", round, key)
		} else if !bytes.Equal(c.Value, value) {
			t.Errorf("round %d: %s has another value", round, key)
		}
		got++
		return true
	})
	later := l.state(binary.BigEndian.Uint64(step), uint64(time.Now().Unix()))
	if err != nil || got < len(later) || got > len(want) {
		t.Errorf("round %d: %d keys, expected between %d and %d; %v", round, got, len(later), len(want), err)
	}
}

// TestMomentOfDamage: a block that is damaged while the database is open, after its verification, makes a backup fail.
func TestMomentOfDamage(t *testing.T) {
	dir := filepath.Join(memory(t), "db")
	im := image{dir, make(map[string][]byte)}
	for range 2 {
		db, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		im.write(t, db, rand.New(rand.NewPCG(*damageSeed, 5)), 400, 1000)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for len(db.verifier.pending()) > 0 {
		time.Sleep(time.Millisecond)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	if err := alter(names[0], func(text []byte) []byte { text[100] ^= 1; return text }); err != nil {
		t.Fatal(err)
	}
	m, err := db.Moment(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Changes(func(Change) error { return nil }, func() error { return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("a backup of a damaged block: %v", err)
	}
}
