package durable

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Sizes. Small tables keep memory and the disk's reserve small: records are a few kilobytes each, and a memtable is
// mapped twice. The value log stays empty, because values below a megabyte lie in the tables themselves, where every
// block has a checksum; values in the log are read without one.
const (
	memTableSize = 16 << 20
	valueLogSize = 64 << 20
	blockSize    = 4 << 10
	queueLength  = 512
	maxBatch     = 512
)

// Options say how a database is opened. The zero value is for records that must never be lost.
type Options struct {
	Log *slog.Logger // nil for nowhere

	// NoSync answers a write before it is on the disk: a crash of the process loses nothing, a power cut loses the writes
	// of the last seconds, and nothing is checked at the next start. It is for records whose authoritative
	// copy is elsewhere.
	NoSync bool

	// Reserve is the free space of the disk, in bytes, below which new records are refused with [ErrDiskFull], and below
	// half of which all writes are; 0 for eight memtables: 128 MiB, or 64 MiB with NoSync.
	Reserve uint64

	acceptLoss bool   // see [Repairs.AcceptLoss]
	tableSize  uint64 // of a memtable, in tests; 0 for the usual
}

// memTable is smaller where less is at stake.
func (o *Options) memTable() uint64 {
	if o.tableSize > 0 {
		return o.tableSize
	}
	if o.NoSync {
		return memTableSize / 2
	}
	return memTableSize
}

// DB is an open database. It is safe for concurrent use; one process at a time can hold a directory.
type DB struct {
	options Options
	dir     string
	journal *journal
	watch   *watch
	badger  *badger.DB
	disk    *disk

	queue  chan command
	urgent chan command // goes before the queue
	writer sync.WaitGroup
	number uint64        // of the last batch; the writer's
	dirty  atomic.Bool   // a batch has been written since the last sync of a database with NoSync
	quit   chan struct{} // closed to end the periodic work

	stopping sync.Once
	stopped  chan struct{} // closed after the first error of the disk
	err      error         // which one; to be read once stopped is closed

	closing sync.RWMutex // held for reading while a command is handed over
	closed  bool
}

// ErrClosed: the database has been closed.
var ErrClosed = errors.New("durable: closed")

// Open opens the database in a directory, or creates both. [ErrInUse] when somebody has it open, [ErrDamaged] when it does
// not hold all that was acknowledged or cannot be read ([Repair] may help); a disk without the room that opening takes is an
// error, too. After an error other than ErrInUse the process should not open the same directory again.
func Open(dir string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	j, err := openJournal(dir, o)
	if err != nil {
		return nil, err
	}
	db := &DB{options: o, dir: dir, journal: j, disk: newDisk(dir, o), queue: make(chan command, queueLength), urgent: make(chan command, queueLength),
		quit: make(chan struct{}), stopped: make(chan struct{})}
	db.watch = newWatch(dir, o.Log, db.stop)
	if err := db.open(); err != nil {
		return nil, errors.Join(err, db.release())
	}
	db.writer.Go(db.write)
	if db.options.NoSync {
		db.writer.Go(func() { db.syncNowAndThen(db.quit) })
	}
	db.disk.look()
	return db, nil
}

func (db *DB) open() error {
	if err := db.disk.makeRoom(); err != nil {
		return err
	}
	if err := dropHollow(db.dir); err != nil {
		return fmt.Errorf("durable: %w", err)
	}
	if db.options.NoSync {
		return db.openBadger(func() error { return nil })
	}
	if err := checkTables(db.dir); err != nil {
		return fmt.Errorf("%w; nothing in %s has been changed", err, db.dir)
	}
	if err := keep(db.dir); err != nil {
		return fmt.Errorf("durable: %w", err)
	}
	kept := filepath.Join(db.dir, keptDir)
	if err := db.openBadger(db.check); err != nil {
		return fmt.Errorf("%w; the files as they were are in %s", err, kept)
	}
	return os.RemoveAll(kept)
}

// openBadger lets Badger open the files, and change and delete any only if check finds the database complete.
func (db *DB) openBadger(check func() error) (err error) {
	if err := db.watch.begin(); err != nil {
		return damaged("the file MANIFEST: %v", err)
	}
	if err = db.startBadger(); err == nil {
		err = check()
	}
	return cmp.Or(db.watch.verdict(err), db.Err())
}

func (db *DB) startBadger() (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = damaged("Badger cannot read it: %s", unquoted(db.dir, fmt.Sprint(reason)))
		}
	}()
	chosen := badger.DefaultOptions(db.dir).
		WithSyncWrites(!db.options.NoSync).
		WithMemTableSize(int64(db.options.memTable())).
		WithNumMemtables(2).
		WithValueThreshold(min(1<<20, int64(db.options.memTable()/8))). // larger values would be in the value log; see dropHollow
		WithValueLogFileSize(valueLogSize).
		WithBlockCacheSize(2 * int64(db.options.memTable())).
		WithBlockSize(blockSize).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithDetectConflicts(false). // there is one writer
		WithLogger(db.watch)
	if db.badger, err = badger.Open(chosen); err != nil {
		db.badger = nil
		return damaged("Badger cannot open it: %s", unquoted(db.dir, err.Error()))
	}
	return nil
}

// Stopped is closed when the database has stopped writing for good, after an error of the disk; Err then says which. What
// was acknowledged before is safe, reads go on unless Badger could not create a memtable, and the process should end: only a
// new start can tell what the disk holds.
func (db *DB) Stopped() <-chan struct{} { return db.stopped }

// Err is why the database has stopped writing; nil while it has not.
func (db *DB) Err() error {
	select {
	case <-db.stopped:
		return db.err
	default:
		return nil
	}
}

// stop ends the writing. Only the first error counts.
func (db *DB) stop(err error) {
	db.stopping.Do(func() {
		db.options.Log.Error("the database stops writing", "dir", db.dir, "error", err)
		db.err = err
		close(db.stopped)
	})
}

// Close waits for the writes that are under way and closes the database. Writes after it fail with [ErrClosed].
func (db *DB) Close() error {
	db.closing.Lock()
	already := db.closed
	db.closed = true
	db.closing.Unlock()
	if already {
		return nil
	}
	close(db.queue)
	close(db.quit)
	db.writer.Wait()
	return db.release()
}

// release closes the files, the lock last. On a full disk, and when Badger's own work has ended with an error, Badger is left
// as a crash would leave it: closing it writes a table, and what that would hold is in its log.
func (db *DB) release() error {
	var err error
	if free, _ := db.disk.free(); db.badger != nil && free > memTableSize && !db.watch.halted() {
		err = db.badger.Close()
	}
	db.watch.end()
	return errors.Join(err, db.journal.file.Close())
}
