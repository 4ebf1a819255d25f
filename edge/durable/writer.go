package durable

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// command is a function for the writer, and where its caller waits for the result.
type command struct {
	do   func(*Tx) error
	done chan error
}

// Update runs do in the writer, atomically, and returns when its writes are durable, or with NoSync when a crash of the process
// cannot undo them. An error of do is returned as it is, and then nothing of it has been written, as after [ErrDiskFull],
// [ErrClosed] and [ErrTooBig]. After any other error the database has stopped, and whether the writes are durable is unknown until
// the next start. do must have no effect but its writes: it may run twice.
func (db *DB) Update(do func(*Tx) error) error { return db.submit(do, db.queue, roomy) }

// UpdateUrgent is Update for changes that must not wait: it runs before all queued Updates, and half of the disk's reserve is for
// it.
func (db *DB) UpdateUrgent(do func(*Tx) error) error { return db.submit(do, db.urgent, tight) }

// submit puts a command in a queue and waits for its result. It returns [ErrDiskFull] if the disk has less space than needs.
func (db *DB) submit(do func(*Tx) error, queue chan<- command, needs space) error {
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
	return db.await(c)
}

// await waits for the result of a command that is in a queue. If it is nobody's turn to write, the caller commits what is in the queues:
// a write that comes alone waits for no other goroutine, and those that come during a commit share the next one.
func (db *DB) await(c command) error {
	for {
		select {
		case err := <-c.done:
			return err
		case <-db.turn:
			if len(c.done) == 0 {
				db.write()
			}
			db.turn <- struct{}{}
		}
	}
}

// write commits a batch of the commands in the queues. Its caller has the turn.
func (db *DB) write() {
	batch := db.gather()
	if len(batch) == 0 {
		return
	}
	defer db.unfinished(batch)
	db.measures.batch.Observe(float64(len(batch)))
	if err := db.Err(); err != nil {
		fail(batch, err)
	} else if err := db.commit(batch); err != nil {
		db.stop(err)
	}
}

// unfinished is deferred by a commit. After a panic it stops the database, because nobody knows what has been written.
func (db *DB) unfinished(batch []command) {
	reason := recover()
	if reason == nil {
		return
	}
	db.stop(errors.New("durable: no more writes after a panic"))
	fail(batch, db.err)
	db.turn <- struct{}{}
	panic(reason)
}

// drain commits what is in the queues, to which nobody adds any more, and keeps the turn.
func (db *DB) drain() {
	<-db.turn
	for len(db.urgent)+len(db.queue) > 0 {
		db.write()
	}
}

// gather returns a batch of the commands in the queues, the urgent ones first. They share one sync.
func (db *DB) gather() (batch []command) {
	for len(batch) < maxBatch {
		c, ok := poll(db.urgent)
		if !ok {
			c, ok = poll(db.queue)
		}
		if !ok {
			break
		}
		batch = append(batch, c)
	}
	return batch
}

// poll takes a command from a queue without waiting.
func poll(queue <-chan command) (command, bool) {
	select {
	case c := <-queue:
		return c, true
	default:
		return command{}, false
	}
}

// commit runs a batch in one transaction and answers each of its commands. If the batch does not fit into one transaction,
// commit discards that and runs the batch again in two parts. It returns an error only after an I/O error.
func (db *DB) commit(batch []command) error {
	if len(batch) == 0 {
		return nil
	}
	txn := db.badger.NewTransaction(true)
	w := newWrites(db.number + 1)
	if !db.options.NoSync {
		if err := set(txn, numberEntry(w.number)); err != nil {
			txn.Discard()
			fail(batch, err)
			return err
		}
	}
	refused := make([]error, len(batch))
	var written []*badger.Entry
	for i, c := range batch {
		var puts []*badger.Entry
		puts, refused[i] = db.run(txn, c.do, w)
		written = append(written, puts...)
		if errors.Is(refused[i], ErrTooBig) {
			txn.Discard()
			db.recent.clear()
			return db.split(batch, i)
		}
	}
	db.removals.add(written, w.number)
	broken := db.persist(txn, w)
	for i, c := range batch {
		c.done <- cmp.Or(refused[i], broken)
	}
	return broken
}

// persist makes a batch durable in the database and in the journal, concurrently, and ends the transaction. A power cut
// between the two loses nothing: a batch that only the journal has is applied at the next start, and a batch that only the
// database has was not acknowledged.
func (db *DB) persist(txn *badger.Txn, w *writes) error {
	if w.empty() {
		txn.Discard()
		return nil
	}
	began := time.Now()
	committed := make(chan error, 1)
	txn.CommitWith(func(err error) { committed <- err })
	var err error
	if !db.options.NoSync {
		err = db.journal.write(w)
		db.measures.sync.Since(began)
	}
	select {
	case failed := <-committed:
		err = errors.Join(failed, err)
	case <-db.stopped: // Commit waits for Badger's background work, which has ended
		err = db.err
	}
	if err != nil {
		return fmt.Errorf("durable: no more writes after: %w", err)
	}
	db.measures.commit.Since(began)
	db.number = w.number
	db.dirty.Store(true)
	return nil
}

// syncEvery is the interval at which a database with NoSync is synced.
const syncEvery = time.Second

// syncPeriodically syncs a database with NoSync until quit is closed.
func (db *DB) syncPeriodically(quit <-chan struct{}) {
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
			db.stop(fmt.Errorf("durable: no more writes after: %w", err))
		}
	}
}

// split commits a batch in two parts, the second from the command that did not fit. A command that does not fit alone is refused.
func (db *DB) split(batch []command, at int) error {
	if at == 0 {
		batch[0].done <- ErrTooBig
		return db.commit(batch[1:])
	}
	err := db.commit(batch[:at])
	if err != nil {
		fail(batch[at:], err)
		return err
	}
	return db.commit(batch[at:])
}

// fail answers the commands that have no answer yet.
func fail(batch []command, err error) {
	for _, c := range batch {
		select {
		case c.done <- err:
		default:
		}
	}
}

// run runs one command and, if it succeeds, adds its writes to the transaction and to the journal's batch, and returns them.
func (db *DB) run(txn *badger.Txn, do func(*Tx) error, w *writes) ([]*badger.Entry, error) {
	tx := Tx{db: db, txn: txn}
	if err := do(&tx); err != nil {
		return nil, err
	}
	for _, e := range tx.puts {
		if err := cmp.Or(w.add(e), set(txn, e)); err != nil {
			return nil, err
		}
		db.recent.put(e.Key, written{e.Value, e.ExpiresAt})
	}
	return tx.puts, nil
}

func set(txn *badger.Txn, e *badger.Entry) error {
	if e.Value == nil {
		return txn.Delete(e.Key)
	}
	return txn.SetEntry(e)
}
