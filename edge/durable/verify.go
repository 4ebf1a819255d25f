package durable

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
)

const (
	verifyRate  = 64 << 20 // bytes a second
	minSleep    = 10 * time.Millisecond
	verifyEvery = 24 * time.Hour
)

// checkingFile exists while the SSTables of a start are being verified, and until a database that has not stopped is closed. If a
// start finds it, the process has died meanwhile, perhaps because Badger read a damaged block: then all SSTables are verified first.
const checkingFile = "CHECKING"

// verifier verifies the blocks of all SSTables in the background, from a start on and then every day. Badger by itself reports the
// keys of a corrupt block as missing. Until a round is complete, a read is therefore confirmed: the blocks that it rests on are
// verified with it. The SSTables that appear during a round are not part of it: this process has written them.
type verifier struct {
	dir  string
	key  []byte // see [encryption.key]
	log  *slog.Logger
	rate int64
	fail func(error)               // stops the database
	list func() []badger.TableInfo // the current SSTables

	left atomic.Pointer[map[uint64]keyRange] // the SSTables that are not verified yet, by id; the map is never changed
	mu   sync.Mutex                          // guards the change of left
}

// keyRange is the range of an SSTable's keys, both included.
type keyRange struct{ low, high string }

func newVerifier(db *DB) *verifier {
	return &verifier{dir: db.dir, log: db.options.Log, rate: cmp.Or(db.options.verifyRate, verifyRate), fail: db.watch.fail,
		list: func() []badger.TableInfo { return db.badger.Tables() }}
}

// interrupted reports whether the process died during the verification of the start before.
func (v *verifier) interrupted() bool {
	_, err := os.Stat(v.marker())
	return err == nil
}

func (v *verifier) marker() string { return filepath.Join(v.dir, checkingFile) }

// start begins the first round, which is complete if all SSTables have been verified.
func (v *verifier) start(all bool) error {
	if all {
		return v.end()
	}
	v.begin()
	return os.WriteFile(v.marker(), nil, 0o600)
}

// end ends the first round.
func (v *verifier) end() error {
	if err := os.Remove(v.marker()); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// begin begins a round: no SSTable counts as verified any more.
func (v *verifier) begin() {
	left := make(map[uint64]keyRange)
	for _, t := range v.list() {
		left[t.ID] = keyRange{string(y.ParseKey(t.Left)), string(y.ParseKey(t.Right))}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.left.Store(&left)
}

// pending returns the SSTables that are not verified yet.
func (v *verifier) pending() map[uint64]keyRange {
	if left := v.left.Load(); left != nil {
		return *left
	}
	return nil
}

// verified takes an SSTable out of the round.
func (v *verifier) verified(id uint64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, pending := v.pending()[id]; pending {
		left := maps.Clone(v.pending())
		delete(left, id)
		v.left.Store(&left)
	}
}

// confirm returns [ErrDamaged], and stops the database, if a block is damaged that a read of the keys from low to high rests on.
func (v *verifier) confirm(low, high string) error {
	for id, keys := range v.pending() {
		if keys.low > high || keys.high < low {
			continue
		}
		if low <= keys.low && keys.high <= high {
			if err := v.verify(id, (*sstable).verifyAll); err != nil {
				return err
			}
			v.verified(id)
		} else if err := v.verify(id, func(t *sstable) error { return t.verifyBetween(low, high) }); err != nil {
			return err
		}
	}
	return nil
}

// confirmAll is deferred by a read of several ranges of keys, which touched returns: those that were read, or with all those that
// would have been read. It confirms the read. It turns a panic of Badger into an error if a damaged block may be its reason.
func (v *verifier) confirmAll(touched func(all bool) []keyRange, err *error) {
	if len(v.pending()) == 0 {
		return
	}
	reason := recover()
	for _, keys := range touched(reason != nil) {
		if damage := v.confirm(keys.low, keys.high); damage != nil {
			*err = damage
			return
		}
	}
	if reason != nil {
		panic(reason)
	}
}

// verify runs a check of an SSTable. If it fails, verify stops the database, unless a compaction has replaced the SSTable since.
func (v *verifier) verify(id uint64, check func(*sstable) error) error {
	t, err := openTable(table.NewFilename(id, v.dir), v.key)
	if err == nil {
		err = errors.Join(check(t), t.Close())
	}
	if err == nil || !slices.ContainsFunc(v.list(), func(t badger.TableInfo) bool { return t.ID == id }) {
		return nil
	}
	err = damaged("SSTable %s: %v", table.IDToFilename(id), err)
	v.fail(err)
	return err
}

// replace allows a compaction to delete an SSTable: it verifies that, unless it has been verified and complete says that the
// compaction has seen all of its keys.
func (v *verifier) replace(id uint64, complete bool) error {
	if _, pending := v.pending()[id]; complete && !pending {
		return nil
	}
	if err := v.verify(id, (*sstable).verifyAll); err != nil {
		return err
	}
	v.verified(id)
	return nil
}

// run verifies in rounds until quit is closed or an SSTable is damaged. begin has been called.
func (v *verifier) run(quit <-chan struct{}) {
	for v.round(quit) {
		if err := v.end(); err != nil {
			v.log.Warn("the next start will verify all SSTables before it serves", "error", err)
		}
		select {
		case <-quit:
			return
		case <-time.After(verifyEvery):
			v.begin()
		}
	}
}

var errQuit = errors.New("quit")

// round verifies what is left. It reports whether it has completed that.
func (v *verifier) round(quit <-chan struct{}) bool {
	read := time.Duration(0) // time that what has been read since the last sleep may take
	pace := func(size int) error {
		read += time.Duration(size) * time.Second / time.Duration(v.rate)
		if read < minSleep {
			return nil
		}
		wait := time.After(read)
		read = 0
		select {
		case <-quit:
			return errQuit
		case <-wait:
			return nil
		}
	}
	for id := range v.pending() {
		var aborted error
		err := v.verify(id, func(t *sstable) error {
			err := t.verifySlowly(pace)
			if errors.Is(err, errQuit) {
				aborted, err = err, nil
			}
			return err
		})
		if err != nil || aborted != nil {
			return false
		}
		v.verified(id)
	}
	return true
}
