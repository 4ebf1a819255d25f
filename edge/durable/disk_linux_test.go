package durable

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a file system of a given size.
func smallDisk(t *testing.T, mebibytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", mebibytes)); err != nil {
		t.Fatalf("a small disk cannot be mounted: %v; run the tests as root, or by: "+
			"unshare --user --map-root-user --mount go test ./...", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill makes a file that leaves so many bytes of the disk free.
func fill(t *testing.T, at string, leave int64) {
	t.Helper()
	free, err := (&disk{dir: at}).free()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(at, "filler"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	size := info.Size() + int64(free) - leave
	if err := errors.Join(f.Truncate(min(size, info.Size())), syscall.Fallocate(int(f.Fd()), 0, 0, size)); err != nil {
		t.Fatal(err)
	}
}

// writer writes records and counts them until it is stopped.
type writer struct {
	id           int
	acknowledged atomic.Int64
	refused      atomic.Int64
}

func (w *writer) key(n int64) string { return fmt.Sprintf("test/-/w/%d/%06d", w.id, n) }

func (w *writer) run(t *testing.T, db *DB, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		n := w.acknowledged.Load()
		switch err := db.Update(func(tx *Tx) error { tx.Put(w.key(n), bytes.Repeat([]byte{byte(n)}, 2000)); return nil }); {
		case err == nil:
			w.acknowledged.Add(1)
		case errors.Is(err, ErrDiskFull):
			w.refused.Add(1)
			time.Sleep(time.Millisecond)
		default:
			t.Error(err)
			return
		}
	}
}

// TestDiskFull: writes are refused before the disk is full, reads continue, and writes do when there is space again. All
// acknowledged writes are there in the end.
func TestDiskFull(t *testing.T) {
	disk := smallDisk(t, 400)
	dir := filepath.Join(disk, "db")
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	stop, clients := make(chan struct{}), sync.WaitGroup{}
	writers := make([]*writer, 16)
	for i := range writers {
		writers[i] = &writer{id: i}
		clients.Go(func() { writers[i].run(t, db, stop) })
	}
	for round := range 2 {
		all(t, "writes", writers, func(w *writer) *atomic.Int64 { return &w.acknowledged })
		fill(t, disk, int64(db.disk.reserve)+4<<20)
		all(t, "is refused", writers, func(w *writer) *atomic.Int64 { return &w.refused })
		for _, w := range writers {
			if _, err := db.Get(w.key(0)); err != nil {
				t.Errorf("round %d: reading: %v", round, err)
			}
		}
		if free, err := db.disk.free(); err != nil || free < db.disk.reserve/2 {
			t.Errorf("round %d: %d MiB free, %v: more than half of the reserve is used", round, free>>20, err)
		}
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
			t.Fatal(err)
		}
	}
	all(t, "writes again", writers, func(w *writer) *atomic.Int64 { return &w.acknowledged })
	close(stop)
	clients.Wait()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	fill(t, disk, 0) // removing the ballast makes space to open and to read
	audit(t, dir, writers, ErrDiskFull)
	fill(t, disk, 0)
	if _, err := Open(dir, Options{}); err == nil || !bytes.Contains([]byte(err.Error()), []byte("the disk is full")) {
		t.Errorf("opened on a full disk: %v", err)
	}
	if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
		t.Fatal(err)
	}
	audit(t, dir, writers, nil)
}

// TestUrgentReserve: urgent writes may use half of the reserve, other writes none of it.
func TestUrgentReserve(t *testing.T) {
	disk := smallDisk(t, 400)
	db, err := Open(filepath.Join(disk, "db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.disk.ballast = 0 // it would change the free space
	put := func(tx *Tx) error { tx.Put("test/-/x", []byte("x")); return nil }
	for _, c := range []struct {
		name           string
		free           uint64
		update, urgent error
	}{
		{"above the reserve", db.disk.reserve + db.disk.reserve/4, nil, nil},
		{"below the reserve", db.disk.reserve - 8<<20, ErrDiskFull, nil},
		{"below half of it", db.disk.reserve/2 - 8<<20, ErrDiskFull, ErrDiskFull},
		{"a little above half", db.disk.reserve/2 + 4<<20, ErrDiskFull, ErrDiskFull},
		{"well above half", db.disk.reserve/2 + db.disk.reserve/4, ErrDiskFull, nil},
		{"a little above the reserve", db.disk.reserve + 4<<20, ErrDiskFull, nil},
		{"well above the reserve", db.disk.reserve + db.disk.reserve/4, nil, nil},
	} {
		fill(t, disk, int64(c.free))
		if err := db.disk.dropBallast(); err != nil {
			t.Fatal(err)
		}
		fill(t, disk, int64(c.free))
		db.disk.look()
		if err := db.Update(put); !errors.Is(err, c.update) {
			t.Errorf("%s, Update: %v, want %v", c.name, err, c.update)
		}
		if err := db.UpdateUrgent(put); !errors.Is(err, c.urgent) {
			t.Errorf("%s, UpdateUrgent: %v, want %v", c.name, err, c.urgent)
		}
	}
}

// all waits until every writer's counter has increased.
func all(t *testing.T, what string, writers []*writer, counter func(*writer) *atomic.Int64) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Minute)
	for _, w := range writers {
		for before := counter(w).Load(); counter(w).Load() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("writer %d never %s", w.id, what)
			}
		}
	}
}

// audit opens the database, checks that no acknowledged write is lost, and expects an error of one more write.
func audit(t *testing.T, dir string, writers []*writer, want error) {
	t.Helper()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	lost, total := 0, 0
	for _, w := range writers {
		for n := range w.acknowledged.Load() {
			total++
			if value, err := db.Get(w.key(n)); err != nil || len(value) != 2000 || value[0] != byte(n) {
				lost++
			}
		}
	}
	t.Logf("%d acknowledged, %d lost", total, lost)
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, total)
	}
	if err := db.Update(func(tx *Tx) error { tx.Put("test/-/x", []byte("x")); return nil }); !errors.Is(err, want) {
		t.Errorf("a write: %v, want %v", err, want)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestStopped: after the first I/O error the database stops writing and says so, and reads continue.
func TestStopped(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string) error {
		return db.Update(func(tx *Tx) error { tx.Put(key, []byte("x")); return nil })
	}
	if err := put("test/-/before"); err != nil || db.Err() != nil {
		t.Fatal(err, db.Err())
	}
	real := db.journal.file
	if db.journal.file, err = os.Open(filepath.Join(dir, journalFile)); err != nil { // for reading only: every write fails
		t.Fatal(err)
	}
	if err := put("test/-/unknown outcome"); err == nil {
		t.Fatal("a failed write was acknowledged")
	}
	<-db.Stopped()
	db.journal.file.Close()
	db.journal.file = real // writes would succeed again
	if err := put("test/-/after"); err == nil || db.Err() == nil {
		t.Fatal("a write after an error succeeded")
	}
	if _, err := db.Get("test/-/before"); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(dir, Options{}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Get("test/-/before"); err != nil {
		t.Error(err)
	}
	if _, err := db.Get("test/-/after"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after: %v", err)
	}
}
