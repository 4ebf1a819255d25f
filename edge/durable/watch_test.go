package durable

import (
	"log/slog"
	"testing"
	"time"
)

// TestAccount: two compactors that have written equally many keys at one time are not confused. Each writes its SSTables in goroutines of
// its own, as Badger's do.
func TestAccount(t *testing.T) {
	w := newWatch(t.TempDir(), slog.New(slog.DiscardHandler), func(error) {})
	begin := func(accounts chan<- error, tables <-chan uint64) {
		total := uint64(0)
		for keys := range tables {
			done := make(chan bool)
			go func() {
				w.Debugf(saysTable, 0, keys, uint64(0), time.Second)
				close(done)
			}()
			<-done
			total += keys
			accounts <- nil
		}
		accounts <- w.account(total, total, nil)
	}
	one, other := make(chan uint64), make(chan uint64)
	ones, others := make(chan error), make(chan error)
	go begin(ones, one)
	go begin(others, other)
	one <- 100
	other <- 100
	<-ones
	<-others
	close(one)
	if err := <-ones; err != nil {
		t.Error(err)
	}
	other <- 100
	<-others
	close(other)
	if err := <-others; err != nil {
		t.Error(err)
	}
	if err := w.account(1, 1, nil); err == nil {
		t.Error("a compaction that has written nothing lists a key")
	}
}

// TestUnquoted: Badger's messages are logged without the keys that they quote.
func TestUnquoted(t *testing.T) {
	for said, want := range map[string]string{
		"while opening file: /data/test/db/000001.vlog err: short":                      "while opening file: 000001.vlog err: short",
		"while running compactions for: {compactorId:1 [left=6162 right=63 inf=false]}": "while running compactions for: {compactorId:1 …",
		"Unable to read: Key: test/-/cs/cs_550e8400 Version: 3":                         "Unable to read: Key: …",
		"key 746573742f2d2f63732f63735f353530 is out of order":                          "key …",
		"Level validation err: Inter: Biggest(j-1)[3] \n00000000  74 65 73 74\n":        "Level validation err: Inter: Biggest(j-1)[3] …",
		"sync /data/test/db: input/output error\n":                                      "sync the directory: input/output error",
	} {
		if got := unquoted("/data/test/db", said); got != want {
			t.Errorf("%q is told as %q, want %q", said, got, want)
		}
	}
}
