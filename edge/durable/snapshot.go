package durable

import (
	"time"

	"github.com/dgraph-io/badger/v4"
)

// Snapshot is the database at one moment. It is valid until the function of [DB.Read] returns.
type Snapshot struct {
	db   *DB
	txn  *badger.Txn
	open []*Keys
}

// Read calls do with the database at one moment.
func (db *DB) Read(do func(*Snapshot) error) (err error) {
	defer db.unreadable(&err)
	return db.badger.View(func(txn *badger.Txn) (err error) {
		s := &Snapshot{db: db, txn: txn}
		defer func() {
			for _, k := range s.open {
				k.it.Close()
			}
		}()
		defer db.verifier.confirmAll(s.touched, &err)
		return do(s)
	})
}

// Get returns a copy of a value; [ErrNotFound] if there is no such key.
func (s *Snapshot) Get(key string) ([]byte, error) { return s.db.get(s.txn, key) }

// touched returns the ranges of keys of all iterators, up to their positions or with all up to their ends.
func (s *Snapshot) touched(all bool) (ranges []keyRange) {
	for _, k := range s.open {
		keys := k.keys
		if !all && k.Valid() {
			keys.high = k.Key()
		}
		ranges = append(ranges, keys)
	}
	return ranges
}

// Keys returns an iterator over the keys that begin with prefix and are not before from, in the order of their bytes. With from ""
// it begins at the first one. Many iterators can be in use at once.
func (s *Snapshot) Keys(prefix, from string) *Keys {
	it := s.txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefix)})
	k := &Keys{it, keyRange{max(prefix, from), last(prefix)}}
	s.open = append(s.open, k)
	it.Seek([]byte(k.keys.low))
	return k
}

// Keys is an iterator over keys; see [Snapshot.Keys]. It reads a value only when it is asked for it.
type Keys struct {
	it   *badger.Iterator
	keys keyRange // from the first key to the last one with the prefix
}

// Valid reports whether the iterator is at a key. It is false behind the last one.
func (k *Keys) Valid() bool { return k.it.Valid() }

// Next moves to the next key.
func (k *Keys) Next() { k.it.Next() }

// Key returns the current key.
func (k *Keys) Key() string { return string(k.it.Item().Key()) }

// Value returns a copy of the current key's value.
func (k *Keys) Value() ([]byte, error) { return k.it.Item().ValueCopy(nil) }

// Until returns when the current key expires, which is a whole second; zero if it does not.
func (k *Keys) Until() time.Time {
	at := k.it.Item().ExpiresAt()
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(int64(at), 0)
}
