package badgerstore

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

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

	// NoSync answers a write before it is on the disk: a crash of the process loses nothing, a power cut loses the last
	// writes, and nothing is checked at the next start. It is for records of which somebody else has the only copy that
	// counts.
	NoSync bool

	// Reserve is the free space of the disk, in bytes, below which writes are refused with [ErrDiskFull]; 0 for
	// eight memtables: 128 MiB, or 64 MiB with NoSync.
	Reserve uint64
}

// memTable is smaller where less is at stake.
func (o *Options) memTable() uint64 {
	if o.NoSync {
		return memTableSize / 2
	}
	return memTableSize
}

// DB is an open database. It is safe for concurrent use; one process at a time can hold a directory.
type DB struct {
	Options
	dir     string
	journal *journal
	badger  *badger.DB
	disk    *disk

	queue   chan command
	writer  sync.WaitGroup
	number  uint64        // of the last batch; the writer's
	stopped chan struct{} // closed after the first error of the disk
	err     error         // which one; to be read once stopped is closed

	closing sync.RWMutex // held for reading while a command is handed over
	closed  bool
}

// ErrClosed: the database has been closed.
var ErrClosed = errors.New("badgerstore: closed")

// Open opens the database in a directory, or creates both. [ErrInUse] when somebody has it open, [ErrDamaged] when it does
// not hold all that was acknowledged; a disk without the room that opening takes is an error, too.
func Open(dir string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	j, err := openJournal(dir)
	if err != nil {
		return nil, err
	}
	db := &DB{Options: o, dir: dir, journal: j, disk: newDisk(dir, o),
		queue: make(chan command, queueLength), stopped: make(chan struct{})}
	if err := db.open(); err != nil {
		return nil, errors.Join(err, db.release())
	}
	db.writer.Go(db.write)
	db.disk.look()
	return db, nil
}

func (db *DB) open() error {
	if err := db.disk.makeRoom(); err != nil {
		return err
	}
	if err := dropEmptyLogs(db.dir); err != nil {
		return err
	}
	if db.NoSync {
		return db.openBadger()
	}
	if err := checkTables(db.dir); err != nil {
		return fmt.Errorf("%w; nothing in %s has been changed: restore the whole directory from a backup", err, db.dir)
	}
	if err := keep(db.dir); err != nil {
		return fmt.Errorf("badgerstore: %w", err)
	}
	kept := filepath.Join(db.dir, keptDir)
	if err := db.openBadger(); err != nil {
		return fmt.Errorf("%w; the files as they were are in %s", err, kept)
	}
	if err := db.check(); err != nil {
		return fmt.Errorf("%w; restore the whole directory from a backup (the files as they were are in %s), or, to go on with what "+
			"is left, move %s and %s out of %s", err, kept, journalFile, keptDir, db.dir)
	}
	return os.RemoveAll(kept)
}

func (db *DB) openBadger() (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = damaged("Badger cannot read it: %v", reason)
		}
	}()
	chosen := badger.DefaultOptions(db.dir).
		WithSyncWrites(!db.NoSync).
		WithMemTableSize(int64(db.memTable())).
		WithNumMemtables(2).
		WithValueLogFileSize(valueLogSize).
		WithBlockCacheSize(2 * int64(db.memTable())).
		WithBlockSize(blockSize).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithDetectConflicts(false). // there is one writer
		WithLogger(badgerLog{db.Log})
	if db.badger, err = badger.Open(chosen); err != nil {
		db.badger = nil
		return fmt.Errorf("badgerstore: Badger cannot open %s: %w", db.dir, err)
	}
	return nil
}

// Stopped is closed when the database has stopped writing for good, after an error of the disk; Err then says which. What
// was acknowledged before is safe, reads go on, and the process should end: only a new start can tell what the disk holds.
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
	db.writer.Wait()
	return db.release()
}

// release closes the files, the lock last. On a full disk Badger is left as a crash would leave it: closing it writes a
// table, and what that would hold is in its log.
func (db *DB) release() error {
	var err error
	if free, _ := db.disk.free(); db.badger != nil && free > memTableSize {
		err = db.badger.Close()
	}
	return errors.Join(err, db.journal.file.Close())
}

// badgerLog passes Badger's warnings and errors on; the rest is chatter.
type badgerLog struct{ *slog.Logger }

func (l badgerLog) Errorf(format string, args ...any) {
	l.Error("badger: " + fmt.Sprintf(format, args...))
}
func (l badgerLog) Warningf(format string, args ...any) {
	l.Warn("badger: " + fmt.Sprintf(format, args...))
}
func (l badgerLog) Infof(string, ...any)  {}
func (l badgerLog) Debugf(string, ...any) {}
