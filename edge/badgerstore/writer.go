package badgerstore

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// command is one atomic step on its way to the writer.
type command struct {
	do   func(*step) error
	done chan error
}

// update runs do in the writer, atomically, and returns when its writes are durable. The error of do comes back as it is,
// and then nothing of it has been written. [ErrDiskFull] and [ErrClosed] come before do is run; after any other error of the
// disk it is open whether the writes are there. do must have no other effect: it may run twice.
func (db *DB) update(do func(*step) error) error { return db.submit(do, db.queue, roomy) }

// complete is update for what must be written even when new records are refused: half of the disk's reserve is for it. It goes
// before whatever else waits for the writer.
func (db *DB) complete(do func(*step) error) error { return db.submit(do, db.urgent, tight) }

// submit hands a command to the writer by a queue, unless there is less space on the disk than it needs.
func (db *DB) submit(do func(*step) error, queue chan<- command, needs space) error {
	if db.disk.left() > needs {
		return ErrDiskFull
	}
	c := command{do: do, done: make(chan error, 1)}
	db.closing.RLock()
	if db.closed {
		db.closing.RUnlock()
		return ErrClosed
	}
	queue <- c
	db.closing.RUnlock()
	return <-c.done
}

// write drains the queues, a batch at a time, until they are closed.
func (db *DB) write() {
	for {
		first, ok := db.next()
		if !ok {
			return
		}
		batch := db.gather(first)
		if err := db.Err(); err != nil {
			fail(batch, err)
		} else if err := db.commit(batch); err != nil {
			db.stop(err)
		}
	}
}

// next waits for a command, an urgent one before any other. It returns false when the queue is closed and both are empty: no
// command is handed over after that.
func (db *DB) next() (command, bool) {
	if c, ok := poll(db.urgent); ok {
		return c, true
	}
	select {
	case c := <-db.urgent:
		return c, true
	case c, ok := <-db.queue:
		if !ok {
			return poll(db.urgent)
		}
		return c, true
	}
}

// gather takes what waits already, so that it shares one sync.
func (db *DB) gather(first command) []command {
	batch := []command{first}
	for len(batch) < maxBatch {
		c, ok := poll(db.urgent)
		if !ok {
			c, ok = poll(db.queue)
		}
		if !ok {
			return batch
		}
		batch = append(batch, c)
	}
	return batch
}

// poll takes a command that waits.
func poll(queue <-chan command) (command, bool) {
	select {
	case c, ok := <-queue:
		return c, ok
	default:
		return command{}, false
	}
}

// commit runs a batch in one transaction and answers every command in it. A batch that does not fit into one transaction is
// run again in two, from the beginning: of the transaction that was too small nothing is kept. It returns an error only
// when the disk refused.
func (db *DB) commit(batch []command) error {
	if len(batch) == 0 {
		return nil
	}
	txn := db.badger.NewTransaction(true)
	w := newWrites(db.number + 1)
	if !db.NoSync {
		if err := set(txn, numberEntry(w.number)); err != nil {
			txn.Discard()
			fail(batch, err)
			return err
		}
	}
	refused := make([]error, len(batch))
	for i, c := range batch {
		refused[i] = run(txn, c.do, w)
		if errors.Is(refused[i], badger.ErrTxnTooBig) {
			txn.Discard()
			return db.split(batch, i)
		}
	}
	broken := db.persist(txn, w)
	for i, c := range batch {
		c.done <- cmp.Or(refused[i], broken)
	}
	return broken
}

// persist makes a batch durable, in the database and in the journal at once: both are on the disk before anybody is
// answered, and it takes no longer than the slower of the two. A power cut between them loses nothing: a batch that only
// the journal has is brought in at the next start, and one that only the database has was not acknowledged. It ends the
// transaction.
func (db *DB) persist(txn *badger.Txn, w *writes) error {
	if w.empty() {
		txn.Discard()
		return nil
	}
	committed := make(chan error, 1)
	go func() { committed <- txn.Commit() }()
	var err error
	if !db.NoSync {
		err = db.journal.write(w)
	}
	select {
	case failed := <-committed:
		err = errors.Join(failed, err)
	case <-db.stopped: // Badger waits for its own work, which goes no further
		err = db.err
	}
	if err != nil {
		return fmt.Errorf("badgerstore: no more writes after: %w", err)
	}
	db.number = w.number
	db.dirty.Store(true)
	return nil
}

// syncEvery bounds the writes, by time, that a database with NoSync loses in a power cut.
const syncEvery = time.Second

// syncNowAndThen periodically makes durable what a database with NoSync has acknowledged, until quit is closed.
func (db *DB) syncNowAndThen(quit <-chan struct{}) {
	for tick := time.NewTicker(syncEvery); ; {
		select {
		case <-quit:
			tick.Stop()
			return
		case <-tick.C:
		}
		if db.Err() != nil || !db.dirty.Swap(false) {
			continue
		}
		if err := db.badger.Sync(); err != nil {
			db.stop(fmt.Errorf("badgerstore: no more writes after: %w", err))
		}
	}
}

// split commits a batch in two parts, the second from the command that did not fit. One that does not fit alone is refused.
func (db *DB) split(batch []command, at int) error {
	if at == 0 {
		batch[0].done <- badger.ErrTxnTooBig
		return db.commit(batch[1:])
	}
	err := db.commit(batch[:at])
	if err != nil {
		fail(batch[at:], err)
		return err
	}
	return db.commit(batch[at:])
}

func fail(batch []command, err error) {
	for _, c := range batch {
		c.done <- err
	}
}

// run lets one command decide and only then puts its writes into the transaction and into the journal's.
func run(txn *badger.Txn, do func(*step) error, w *writes) error {
	s := step{txn: txn}
	if err := do(&s); err != nil {
		return err
	}
	for _, e := range s.puts {
		if err := cmp.Or(w.add(e), set(txn, e)); err != nil {
			return err
		}
	}
	return nil
}

func set(txn *badger.Txn, e *badger.Entry) error {
	if e.Value == nil {
		return txn.Delete(e.Key)
	}
	return txn.SetEntry(e)
}

// step is what a command sees: the database as the commands before it left it, and a list of its own writes.
type step struct {
	txn  *badger.Txn
	puts []*badger.Entry
}

func (s *step) put(key string, value []byte) {
	s.puts = append(s.puts, badger.NewEntry([]byte(key), value))
}

// putUntil writes a record that Badger may forget once it has outlived its time.
func (s *step) putUntil(key string, value []byte, until time.Time) {
	e := badger.NewEntry([]byte(key), value)
	e.ExpiresAt = uint64(until.Unix()) + 1
	s.puts = append(s.puts, e)
}

func (s *step) delete(key string) {
	s.puts = append(s.puts, &badger.Entry{Key: []byte(key)})
}

func (s *step) get(key string) ([]byte, error) { return get(s.txn, key) }

func (s *step) has(key string) (bool, error) {
	_, err := s.txn.Get([]byte(key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	return err == nil, err
}

// errNoKey: there is no such key. The ports' own not-found errors are made of it.
var errNoKey = badger.ErrKeyNotFound

func get(txn *badger.Txn, key string) ([]byte, error) {
	item, err := txn.Get([]byte(key))
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

// read gets one value outside the writer.
func (db *DB) read(key string) (value []byte, err error) {
	err = db.view(func(get func(string) ([]byte, error)) error {
		value, err = get(key)
		return err
	})
	return value, err
}

// view reads several values outside the writer, all of one moment.
func (db *DB) view(do func(get func(string) ([]byte, error)) error) (err error) {
	defer db.unreadable(&err)
	return db.badger.View(func(txn *badger.Txn) error {
		return do(func(key string) ([]byte, error) { return get(txn, key) })
	})
}

// scan calls visit with every key that begins with prefix and comes after another key ("" for all), in order, until visit
// returns false. The slices are visit's to keep.
func (db *DB) scan(prefix, after string, visit func(key string, value []byte) bool) (err error) {
	defer db.unreadable(&err)
	return db.badger.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefix), PrefetchValues: true, PrefetchSize: 100})
		defer it.Close()
		for it.Seek([]byte(max(prefix, after))); it.Valid(); it.Next() {
			key := string(it.Item().KeyCopy(nil))
			if key == after {
				continue
			}
			value, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			if !visit(key, value) {
				return nil
			}
		}
		return nil
	})
}

// unreadable makes an error of a reader's panic when the database has stopped: Badger has no memtable after it could not
// create the next one.
func (db *DB) unreadable(err *error) {
	if db.Err() == nil {
		return
	}
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("badgerstore: unreadable after: %w", db.err)
	}
}
