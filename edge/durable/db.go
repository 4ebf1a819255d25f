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

	"github.com/crepe-checkout/crepe/edge/metrics"
)

// Small memtables and SSTables keep the memory small: values are a few kilobytes each, a memtable is mapped twice, and Badger builds
// several SSTables at a time, in buffers that double, and keeps some. With memtables of 16 MiB, orders at full rate took half a gigabyte,
// and a process with that limit spent a quarter of its CPU time on garbage collection. The value log stays empty: values below a
// megabyte are in the SSTables, where each block has a checksum. Badger reads the value log without verifying one.
const (
	memTableSize = 8 << 20
	sstableSize  = 1 << 20 // of the first level below 0; each further level has tables of twice the size
	compactors   = 2
	valueLogSize = 64 << 20
	blockSize    = 4 << 10
	indexCache   = 64 << 20 // of decrypted indexes, with encryption
	queueLength  = 512
	maxBatch     = 512
)

// Options configure a database. The zero value is for data that must not be lost.
type Options struct {
	Log *slog.Logger // nil discards

	// NoSync acknowledges a write before it is durable and syncs every second: a crash of the process loses nothing, a power
	// cut loses the writes of the last seconds, and the next start checks nothing. It is for data whose authoritative copy is
	// elsewhere.
	NoSync bool

	// Reserve is the free disk space in bytes below which Update is refused with [ErrDiskFull], and below half of which
	// UpdateUrgent is, too. 0 is 16 memtables: 128 MiB, or 64 MiB with NoSync.
	Reserve uint64

	// EncryptionKey encrypts the database, if it has KeySize bytes: Badger's files with AES-CTR, HEAD with AES-GCM. A database is created
	// with a key or without, and opens with that only: see [ErrKeyMissing], [ErrKeyWrong], [ErrNotEncrypted]. Nil is no encryption.
	EncryptionKey []byte

	Metrics *metrics.Set // nil for none

	compact    bool   // see [Compact]
	acceptLoss bool   // see [Repairs.AcceptLoss]
	verifyAll  bool   // every SSTable is verified before Open returns
	verifyRate int64  // of the background verification in bytes a second, in tests; 0 is the default
	tableSize  uint64 // size of a memtable in bytes, in tests; 0 is the default
}

// memTable returns the size of a memtable in bytes.
func (o *Options) memTable() uint64 {
	if o.tableSize > 0 {
		return o.tableSize
	}
	if o.NoSync {
		return memTableSize / 2
	}
	return memTableSize
}

// fitting returns the size of the memtables with which the WALs of a directory can be opened. Badger reads each into a memtable, and dies
// if it does not fit. Those of the version before were twice as large: such a WAL has another size than ours, or is cut at its end. The
// size holds until the next start.
func fitting(dir string, memTable uint64) (uint64, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		if size := uint64(info.Size()); size > memTable && size != 2*memTable {
			return 2 * memTable, nil
		}
	}
	return memTable, nil
}

// DB is an open database. It is safe for concurrent use. One DB at a time can have a directory open.
type DB struct {
	options Options
	dir     string
	journal *journal
	watch   *watch
	badger  *badger.DB

	verifier *verifier
	disk     *disk

	queue  chan command
	urgent chan command  // the writer prefers it to queue
	turn   chan struct{} // has an element while nobody writes
	number uint64        // number of the last batch, owned by the writer
	dirty  atomic.Bool   // with NoSync: a batch has been written since the last sync
	quit   chan struct{} // closed to end what runs in the background

	background sync.WaitGroup

	recent   recent   // owned by the writer
	removals removals // for incremental backups

	stopping sync.Once
	stopped  chan struct{} // closed after the first I/O error
	err      error         // that error, set before stopped is closed

	measures measures

	closing sync.RWMutex // held for reading while a command is put in a queue
	closed  bool
}

// Dir is the directory, as it was given to [Open].
func (db *DB) Dir() string { return db.dir }

// ErrClosed is the error of a write after [DB.Close].
var ErrClosed = errors.New("durable: closed")

// Open opens the database in a directory and creates both if needed, the directory with mode 0700. It returns [ErrInUse] if the
// directory is open elsewhere, [ErrDamaged] if acknowledged writes are missing or files are unreadable ([Repair] may help), and
// another error if the disk lacks the space that opening takes. After an error other than ErrInUse the process should not open the
// directory again.
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
	db := &DB{options: o, dir: dir, journal: j, disk: newDisk(dir, o), quit: make(chan struct{}), stopped: make(chan struct{}),
		queue: make(chan command, queueLength), urgent: make(chan command, queueLength), turn: make(chan struct{}, 1)}
	db.watch = newWatch(dir, o.Log, db.stop)
	db.verifier = newVerifier(db)
	db.watch.verifier = db.verifier
	if err := db.open(); err != nil {
		return nil, errors.Join(err, db.release())
	}
	db.declare(o.Metrics)
	if db.options.NoSync {
		db.background.Go(func() { db.syncPeriodically(db.quit) })
	} else {
		db.background.Go(func() { db.verifier.run(db.quit) })
	}
	db.disk.look()
	db.turn <- struct{}{}
	return db, nil
}

func (db *DB) open() error {
	if err := db.disk.makeRoom(); err != nil {
		return err
	}
	if err := removeEmpty(db.dir); err != nil {
		return fmt.Errorf("durable: %w", err)
	}
	if err := db.unlock(); err != nil {
		return err
	}
	if db.options.NoSync {
		return db.openBadger(func() error { return nil })
	}
	all := db.options.verifyAll || db.verifier.interrupted()
	if err := checkTables(db.dir, db.verifier.key, all); err != nil {
		return fmt.Errorf("%w; nothing in %s has been changed", err, db.dir)
	}
	if err := keep(db.dir); err != nil {
		return fmt.Errorf("durable: %w", err)
	}
	kept := filepath.Join(db.dir, keptDir)
	err := db.openBadger(func() error { return cmp.Or(db.verifier.start(all), db.check()) })
	if err != nil {
		return fmt.Errorf("%w; the files as they were are in %s", err, kept)
	}
	return os.RemoveAll(kept)
}

// openBadger lets Badger open the files. Badger can change and delete listed files only after check has passed.
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
	memTable, err := fitting(db.dir, db.options.memTable())
	if err != nil {
		return err
	}
	chosen := badger.DefaultOptions(db.dir).
		WithSyncWrites(!db.options.NoSync).
		WithMemTableSize(int64(memTable)).
		WithNumMemtables(2).
		WithBaseTableSize(sstableSize).
		WithNumCompactors(compactors).
		WithValueThreshold(min(1<<20, int64(db.options.memTable()/8))). // larger values would go to the value log, see removeEmpty
		WithValueLogFileSize(valueLogSize).
		WithBlockCacheSize(4 * int64(db.options.memTable())).
		WithBlockSize(blockSize).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithDetectConflicts(false). // there is one writer
		WithMetricsEnabled(false).  // nothing reads them
		WithLogger(db.watch)
	if db.options.compact {
		chosen.NumLevelZeroTables = 1 // Flatten leaves fewer tables of the first level as they are
	}
	if db.options.EncryptionKey != nil {
		chosen = chosen.WithEncryptionKey(db.options.EncryptionKey).WithEncryptionKeyRotationDuration(dataKeyLife).
			WithIndexCacheSize(indexCache)
	}
	if db.badger, err = badger.Open(chosen); err != nil {
		db.badger = nil
		return damaged("Badger cannot open it: %s", unquoted(db.dir, err.Error()))
	}
	return nil
}

// Stopped returns a channel that is closed when the database has stopped writing for good after an I/O error, which Err then
// returns. Writes acknowledged before are durable. Reads continue, unless Badger could not create a memtable. The process should
// end: only a new start can tell what is on the disk.
func (db *DB) Stopped() <-chan struct{} { return db.stopped }

// Err returns the error that stopped the database, nil if it has not stopped.
func (db *DB) Err() error {
	select {
	case <-db.stopped:
		return db.err
	default:
		return nil
	}
}

// stop stops all writes. Calls after the first have no effect.
func (db *DB) stop(err error) {
	db.stopping.Do(func() {
		db.options.Log.Error("the database stops writing", "dir", db.dir, "error", err)
		db.err = err
		close(db.stopped)
	})
}

// Close waits for the writes in progress and closes the database. Later writes fail with [ErrClosed].
func (db *DB) Close() error {
	db.closing.Lock()
	already := db.closed
	db.closed = true
	db.closing.Unlock()
	if already {
		return nil
	}
	db.drain()
	close(db.quit)
	db.background.Wait()
	if db.Err() != nil {
		return db.release()
	}
	return errors.Join(db.verifier.end(), db.release())
}

// release closes the files, the lock last. Closing Badger writes an SSTable. On a full disk, and after an error of Badger's
// background work, release leaves Badger's files as a crash would: the data is in the WAL.
func (db *DB) release() error {
	var err error
	if free, _ := db.disk.free(); db.badger != nil && free > memTableSize && !db.watch.halted() {
		err = db.badger.Close()
	}
	db.watch.end()
	return errors.Join(err, db.journal.file.Close())
}
