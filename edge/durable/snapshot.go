package durable

import "github.com/dgraph-io/badger/v4"

// Snapshot is the database at one moment. It is valid until the function of [DB.Read] returns.
type Snapshot struct {
	txn  *badger.Txn
	open []*badger.Iterator
}

// Read calls do with the database at one moment.
func (db *DB) Read(do func(*Snapshot) error) (err error) {
	defer db.unreadable(&err)
	return db.badger.View(func(txn *badger.Txn) error {
		s := &Snapshot{txn: txn}
		defer func() {
			for _, it := range s.open {
				it.Close()
			}
		}()
		return do(s)
	})
}

// Get returns a copy of a value; [ErrNotFound] if there is no such key.
func (s *Snapshot) Get(key string) ([]byte, error) { return get(s.txn, key) }

// Keys returns an iterator over the keys that begin with prefix and are not before from, in the order of their bytes. With from ""
// it begins at the first one. Many iterators can be in use at once.
func (s *Snapshot) Keys(prefix, from string) *Keys {
	it := s.txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefix)})
	s.open = append(s.open, it)
	it.Seek([]byte(max(prefix, from)))
	return &Keys{it}
}

// Keys is an iterator over keys; see [Snapshot.Keys]. It reads a value only when it is asked for it.
type Keys struct{ it *badger.Iterator }

// Valid reports whether the iterator is at a key. It is false behind the last one.
func (k *Keys) Valid() bool { return k.it.Valid() }

// Next moves to the next key.
func (k *Keys) Next() { k.it.Next() }

// Key returns the current key.
func (k *Keys) Key() string { return string(k.it.Item().Key()) }

// Value returns a copy of the current key's value.
func (k *Keys) Value() ([]byte, error) { return k.it.Item().ValueCopy(nil) }
