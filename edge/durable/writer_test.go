package durable

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func open(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestBigBatch: commands that do not fit into one transaction together are each applied once, completely.
func TestBigBatch(t *testing.T) {
	db := open(t)
	big := bytes.Repeat([]byte("x"), 60<<10)
	var batch []command
	for i := range 200 {
		key := fmt.Sprintf("test/-/%03d/", i)
		batch = append(batch, command{done: make(chan error, 1), do: func(tx *Tx) error {
			if known, err := tx.Has(key + "first"); err != nil || known {
				return errors.Join(err, errors.New("applied twice"))
			}
			tx.Put(key+"first", big)
			tx.Put(key+"second", big)
			return nil
		}})
	}
	refusal := errors.New("refused")
	batch[100].do = func(tx *Tx) error {
		tx.Put("test/-/refused", big)
		return refusal
	}
	if err := db.commit(batch); err != nil {
		t.Fatal(err)
	}
	for i, c := range batch {
		err := <-c.done
		if i == 100 && err != refusal || i != 100 && err != nil {
			t.Errorf("command %d: %v", i, err)
		}
		for _, part := range []string{"first", "second"} {
			value, err := db.Get(fmt.Sprintf("test/-/%03d/%s", i, part))
			if i != 100 && (err != nil || len(value) != len(big)) {
				t.Errorf("%s of command %d: %d bytes, %v", part, i, len(value), err)
			}
		}
	}
	if _, err := db.Get("test/-/refused"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the refused command left something: %v", err)
	}
}

// TestTooBig: a command that does not fit into a transaction is refused completely.
func TestTooBig(t *testing.T) {
	db := open(t)
	err := db.Update(func(tx *Tx) error {
		for i := range 100 {
			tx.Put(fmt.Sprintf("test/-/%03d", i), bytes.Repeat([]byte("x"), 200<<10))
		}
		return nil
	})
	if err == nil {
		t.Fatal("20 MiB fit into one transaction")
	}
	if _, err := db.Get("test/-/000"); !errors.Is(err, ErrNotFound) {
		t.Errorf("it was applied in part: %v", err)
	}
	if err := db.Update(func(tx *Tx) error { tx.Put("test/-/after", []byte("x")); return nil }); err != nil {
		t.Error(err)
	}
}

// TestManyWriters: concurrent increments of a counter are all applied.
func TestManyWriters(t *testing.T) {
	db := open(t)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 20 {
				err := db.Update(func(tx *Tx) error {
					n, err := tx.Get("test/-/counter")
					if err != nil && !errors.Is(err, ErrNotFound) {
						return err
					}
					tx.Put("test/-/counter", append(n, 'x'))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, err := db.Get("test/-/counter"); err != nil || len(n) != 32*20 {
		t.Errorf("%d of %d steps, %v", len(n), 32*20, err)
	}
}

// TestUrgent: UpdateUrgent does not wait for the queue of Updates.
func TestUrgent(t *testing.T) {
	db := open(t)
	begun, end := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	submit := func(write func(func(*Tx) error) error, do func()) {
		all.Go(func() {
			if err := write(func(*Tx) error { do(); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	submit(db.Update, func() { close(begun); <-end })
	<-begun
	var order []string // the writer's
	for range queueLength {
		submit(db.Update, func() { order = append(order, "new") })
	}
	for len(db.queue) < queueLength {
		runtime.Gosched()
	}
	for range 3 {
		submit(db.UpdateUrgent, func() { order = append(order, "urgent") })
	}
	for len(db.urgent) < 3 {
		runtime.Gosched()
	}
	close(end)
	all.Wait()
	if len(order) != queueLength+3 || !slices.Equal(order[:3], []string{"urgent", "urgent", "urgent"}) {
		t.Errorf("%d commands, the first are %v", len(order), order[:3])
	}
}

// TestScanBack: the opposite order of Scan, also from a key that does not exist, within the prefix.
func TestScanBack(t *testing.T) {
	db := open(t)
	keys := []string{"test/a/1", "test/b/1", "test/b/2", "test/b/3", "test/b/ÿ", "test/c/1"}
	if err := db.Update(func(tx *Tx) error {
		for _, key := range keys {
			tx.Put(key, []byte(key))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for before, want := range map[string][]string{
		"": {"test/b/ÿ", "test/b/3", "test/b/2", "test/b/1"}, "test/b/3": {"test/b/2", "test/b/1"}, "test/b/25": {"test/b/2", "test/b/1"},
		"test/b/1": nil,
	} {
		var got []string
		if err := db.ScanBack("test/b/", before, func(key string, value []byte) bool {
			got = append(got, key)
			return key == string(value)
		}); err != nil || !slices.Equal(got, want) {
			t.Errorf("before %q: %q, %v", before, got, err)
		}
	}
}

// TestPanic: a command that panics stops the database and answers those of its batch. What was written before is there.
func TestPanic(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(tx *Tx) error {
		tx.Put("test/-/before", []byte("x"))
		return nil
	}
	if err := db.Update(put); err != nil {
		t.Fatal(err)
	}
	begun, end := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { db.Update(func(*Tx) error { close(begun); <-end; return nil }) })
	<-begun
	var panics, refused atomic.Int32
	for i := range 20 {
		all.Go(func() {
			defer func() {
				if recover() != nil {
					panics.Add(1)
				}
			}()
			if err := db.Update(func(tx *Tx) error {
				if i == 10 {
					panic("a fault")
				}
				return put(tx)
			}); err != nil {
				refused.Add(1)
			}
		})
	}
	for len(db.queue) < 20 {
		runtime.Gosched()
	}
	close(end)
	all.Wait()
	if panics.Load() != 1 || refused.Load() != 19 {
		t.Errorf("%d panics, %d are refused", panics.Load(), refused.Load())
	}
	if err := db.Update(put); err == nil {
		t.Error("it writes after a panic")
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	db, err = Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Get("test/-/before"); err != nil {
		t.Error(err)
	}
}
