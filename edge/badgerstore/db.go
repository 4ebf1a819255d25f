package badgerstore

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// Sizes. Small tables keep memory and the disk's reserve small: records are a few kilobytes each, and a memtable is
// mapped twice. The value log stays empty, because values below a megabyte lie in the tables themselves, where every
// block has a checksum; values in the log are read without one.
const (
	memTableSize = 16 << 20
	valueLogSize = 64 << 20
	blockCache   = 32 << 20
	queueLength  = 512
	maxBatch     = 512
)

// Options say how a database is opened. The zero value is for records that must never be lost.
type Options struct {
	Log *slog.Logger // nil for nowhere

	// NoSync answers a write before it is on the disk: a crash of the process loses nothing, a power cut loses the last
	// writes. It is for records of which somebody else has the only copy that counts.
	NoSync bool
}

// DB is an open database. It is safe for concurrent use; one process at a time can hold a directory.
type DB struct {
	badger *badger.DB
	queue  chan command
	writer sync.WaitGroup

	closing sync.RWMutex // held for reading while a command is handed over
	closed  bool
	log     *slog.Logger
}

// ErrClosed: the database has been closed, or has stopped writing after an error of the disk.
var ErrClosed = errors.New("badgerstore: closed")

// Open opens or creates the database in a directory.
func Open(dir string, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	options := badger.DefaultOptions(dir).
		WithSyncWrites(!o.NoSync).
		WithMemTableSize(memTableSize).
		WithNumMemtables(2).
		WithValueLogFileSize(valueLogSize).
		WithBlockCacheSize(blockCache).
		WithLogger(badgerLog{o.Log})
	b, err := badger.Open(options)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	db := &DB{badger: b, queue: make(chan command, queueLength), log: o.Log}
	db.writer.Go(db.write)
	return db, nil
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
	return db.badger.Close()
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
