package durable

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// Change is a key with its value, or a key without one. Its slices belong to the receiver.
type Change struct {
	Key     []byte
	Value   []byte // nil if the key is removed; else not nil
	Expires uint64 // Unix seconds; 0 is never
}

// Moment is the database at one moment: all of it, or what has changed since an earlier moment. It is what a backup reads, while writes
// go on. The caller closes it.
//
// One iterator reads it. Badger's own backup reads with several transactions, which begin one after the other, and an incremental one
// misses the keys whose deletion a compaction has dropped.
type Moment struct {
	Batch uint64 // number of the last batch of writes that it has
	Full  bool   // it is all of the database

	db    *DB
	txn   *badger.Txn
	since uint64 // version of Badger; 0 with Full
	gone  []string
}

// errNotBackedUp is the error of a backup of a database whose batches have no numbers.
var errNotBackedUp = errors.New("durable: a database with NoSync cannot be backed up")

// Moment returns the database as it is now. If base is the last moment of this DB for which [Moment.Keep] was called, the result has what
// has changed since then; otherwise it has everything. So it does if more has been removed since than 64 MiB of memory hold. [ErrClosed],
// and the error that has stopped the database, are its errors.
func (db *DB) Moment(base *Moment) (*Moment, error) {
	if db.options.NoSync {
		return nil, errNotBackedUp
	}
	m := &Moment{db: db}
	err := db.submit(func(*Tx) error { // in the writer: between two batches
		if m.txn == nil { // it may run twice
			m.txn, m.Batch = db.badger.NewTransaction(false), db.number
			db.removals.begin(m.Batch)
		}
		return nil
	}, db.urgent, full)
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	if m.gone, m.Full = db.removals.since(base); !m.Full {
		m.since = base.txn.ReadTs()
	}
	return m, nil
}

// Changes calls visit with each key: with Full in the order of their bytes, otherwise those that were written, then those that were
// removed. Then it verifies all blocks that this rests on, whether they were verified before or not: after an error, [ErrDamaged] or
// another, what visit has got may be incomplete. It calls pace after every few blocks, which may sleep, and whose error ends it.
func (m *Moment) Changes(visit func(Change) error, pace func() error) (err error) {
	defer m.db.unreadable(&err)
	defer m.confirm(pace, &err)
	it := m.txn.NewIterator(badger.IteratorOptions{SinceTs: m.since, PrefetchValues: true, PrefetchSize: 100})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		item := it.Item()
		value, err := item.ValueCopy([]byte{})
		if err != nil {
			return err
		}
		if err := visit(Change{item.KeyCopy(nil), value, item.ExpiresAt()}); err != nil {
			return err
		}
	}
	for _, key := range m.gone {
		_, err := m.txn.Get([]byte(key))
		if errors.Is(err, badger.ErrKeyNotFound) {
			err = visit(Change{Key: []byte(key)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// confirm is deferred by Changes. Badger reports the keys of a damaged block as missing, or panics. An SSTable that a compaction has
// replaced meanwhile needs no verification: the compaction has seen all of its keys.
func (m *Moment) confirm(pace func() error, err *error) {
	reason := recover()
	if *err != nil && reason == nil {
		return
	}
	for _, t := range m.db.badger.Tables() {
		if t.MaxVersion <= m.since {
			continue
		}
		var aborted error
		damage := m.db.verifier.verify(t.ID, func(t *sstable) error {
			err := t.verifySlowly(func(int) error { aborted = pace(); return aborted })
			if aborted != nil {
				return nil
			}
			return err
		})
		if *err = cmp.Or(damage, aborted); *err != nil {
			return
		}
	}
	if reason != nil {
		panic(reason)
	}
}

// Keep makes m the moment from which the next one can continue.
func (m *Moment) Keep() { m.db.removals.keep(m) }

// Close ends reading. A moment that was kept can still be the base of another one.
func (m *Moment) Close() error {
	if m.txn != nil {
		m.txn.Discard()
	}
	return nil
}

// removals are the keys that were removed since a batch, or written with an expiry: Badger forgets both when it compacts its SSTables.
// The first [DB.Moment] begins to remember them.
type removals struct {
	mu    sync.Mutex
	on    bool
	after uint64            // all removals of batches after this one are remembered
	base  *Moment           // the last one that was kept; nil for none
	keys  map[string]uint64 // to the number of the last batch that removed the key
	size  int               // bytes that keys takes, estimated
}

// Limits of the memory of removals.
const (
	removalsSize = 64 << 20
	removalSize  = 48 // bytes of a key in the map beside its text
)

// begin remembers from now on what is removed after a batch, unless it does so already.
func (r *removals) begin(batch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		r.on, r.after, r.keys, r.size = true, batch, make(map[string]uint64), 0
	}
}

// add remembers the removals of a batch that is about to be committed. If it then fails no harm is done: a moment looks up whether it
// has a key.
func (r *removals) add(entries []*badger.Entry, batch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return
	}
	for _, e := range entries {
		if e.Value != nil && e.ExpiresAt == 0 {
			continue
		}
		if _, known := r.keys[string(e.Key)]; !known {
			r.size += len(e.Key) + removalSize
		}
		r.keys[string(e.Key)] = batch
	}
	if r.size > removalsSize {
		r.on, r.base, r.keys = false, nil, nil
	}
}

// since returns the keys removed since base, and perhaps others; all is true if base is not the moment that was kept.
func (r *removals) since(base *Moment) (keys []string, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if base == nil || r.base != base {
		return nil, true
	}
	return slices.Collect(maps.Keys(r.keys)), false
}

// keep forgets what m has. It keeps nothing if removals since m were not remembered.
func (r *removals) keep(m *Moment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on || r.after > m.Batch {
		return
	}
	r.base = m
	for key, batch := range r.keys {
		if batch <= m.Batch {
			delete(r.keys, key)
			r.size -= len(key) + removalSize
		}
	}
}
