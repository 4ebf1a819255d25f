package durable

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/filefault"
)

// A child process is the test binary as a program with a database. A test can kill it, or inject I/O errors. Its memtables are
// small, so that a few thousand records make many SSTables.
const (
	childVariable  = "CREPE_TEST_CHILD" // the directory
	childRecords   = "CREPE_TEST_RECORDS"
	childNoSync    = "CREPE_TEST_NOSYNC"
	childTableSize = 2 << 20
	childClients   = 4
	recordSize     = 10_000
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(child(dir))
	}
	if dir := os.Getenv(openVariable); dir != "" {
		os.Exit(openAndTell(dir))
	}
	os.Exit(m.Run())
}

func childOptions(noSync bool) Options {
	return Options{NoSync: noSync, tableSize: childTableSize, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
}

// child opens the database and lets clients write numbered records and print the acknowledged ones. It ends without closing the
// database.
func child(dir string) int {
	db, err := Open(dir, childOptions(os.Getenv(childNoSync) != ""))
	if err != nil {
		fmt.Println("refused", err)
		return 3
	}
	fmt.Println("open")
	records, _ := strconv.ParseInt(os.Getenv(childRecords), 10, 64)
	var clients sync.WaitGroup
	var next atomic.Int64
	for range childClients {
		clients.Go(func() {
			for n := next.Add(1); n <= records; n = next.Add(1) {
				if err := db.Update(func(tx *Tx) error { tx.Put(childKey(n), childValue(n)); return nil }); err != nil {
					return
				}
				fmt.Printf("ack %d\n", n)
				if value, err := db.Get(childKey(n)); err == nil && !bytes.Equal(value, childValue(n)) {
					fmt.Println("wrong", n)
				} else if err != nil && db.Err() == nil {
					fmt.Println("wrong", n, err)
				}
			}
		})
	}
	clients.Wait()
	if db.options.NoSync && records > 0 {
		db.settle()
		fmt.Println("synced")
	}
	if db.Err() != nil {
		time.Sleep(1200 * time.Millisecond) // Badger tries again after a second
		_, _ = db.Get(childKey(1))
		_ = db.Scan("test/", "", func(string, []byte) bool { return true })
		fmt.Println("stopped", db.Err())
	}
	return 0
}

// settle waits until a database with NoSync has synced everything written so far.
func (db *DB) settle() {
	for range 2 { // the first sync may have begun earlier
		if db.Update(func(tx *Tx) error { tx.Put("test/-/settle", []byte("x")); return nil }) != nil {
			return
		}
		for db.dirty.Load() {
			time.Sleep(10 * time.Millisecond)
		}
	}
	for wals := []string{"", ""}; len(wals) > 1; time.Sleep(10 * time.Millisecond) { // a flush is in progress
		wals, _ = filepath.Glob(filepath.Join(db.dir, "*.mem"))
	}
}

func childKey(n int64) string { return fmt.Sprintf("test/-/c/%06d", n*7919%100_000) } // not in order, so that compactions merge

func childValue(n int64) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%d ", n), recordSize)[:recordSize+int(n%64)]
}

// report is what a child printed.
type report struct {
	open, stopped bool
	synced        bool
	refused       string
	acknowledged  []int64
	wrong         []string
	stderr        string
}

// runChild runs a child under a tracer. It returns what the child printed and the number of its file operations.
func runChild(t *testing.T, dir string, records int, noSync bool, p filefault.Program) (report, int) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	log, err := os.Create(out.Name() + ".log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.Cmd, p.Dir = exec.Command(os.Args[0], "-test.run=^$"), dir
	p.Env = append(os.Environ(), childVariable+"="+dir, childRecords+"="+strconv.Itoa(records), "GOTRACEBACK=single")
	if noSync {
		p.Env = append(p.Env, childNoSync+"=yes")
	}
	p.Stdout, p.Stderr = out, log
	if p.Decide == nil {
		p.Decide = func(filefault.Op) filefault.Action { return filefault.Go }
	}
	ops, err := p.Run()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out.Name())
	words, err2 := os.ReadFile(log.Name())
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	result := report{stderr: string(words)}
	for line := range strings.Lines(string(text)) {
		switch word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); word {
		case "open":
			result.open = true
		case "synced":
			result.synced = true
		case "stopped":
			result.stopped = true
		case "refused":
			result.refused = rest
		case "ack":
			n, err := strconv.ParseInt(rest, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			result.acknowledged = append(result.acknowledged, n)
		case "wrong":
			result.wrong = append(result.wrong, rest)
		}
	}
	if strings.Contains(result.stderr, "panic: ") || strings.Contains(result.stderr, "fatal error: ") {
		t.Errorf("the child panicked: %s", result.stderr)
	}
	if len(result.wrong) > 0 {
		t.Errorf("the child read wrong values: %v", result.wrong)
	}
	return result, ops
}

// holds opens a directory and fails the test if an acknowledged record is missing. It returns an error of opening.
func holds(t *testing.T, dir string, acknowledged []int64) error {
	t.Helper()
	return holdsAs(t, dir, acknowledged, false)
}

func holdsAs(t *testing.T, dir string, acknowledged []int64, noSync bool) error {
	t.Helper()
	db, err := Open(dir, childOptions(noSync))
	if err != nil {
		return err
	}
	lost := 0
	for _, n := range acknowledged {
		if value, err := db.Get(childKey(n)); err != nil || !bytes.Equal(value, childValue(n)) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("LOST: %d of %d acknowledged records", lost, len(acknowledged))
	}
	return db.Close()
}
