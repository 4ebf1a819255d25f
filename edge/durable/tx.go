package durable

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// Tx is the transaction of one [DB.Update]. It reads the database with the writes of all earlier Updates, but without its own,
// which are applied when the function has returned nil. It is valid until then.
type Tx struct {
	db   *DB
	txn  *badger.Txn
	puts []*badger.Entry
}

// Put sets a key to a value, and deletes the key if the value is nil. The value belongs to the database from now on.
func (tx *Tx) Put(key string, value []byte) {
	tx.put(key, value, 0)
}

// PutUntil is Put for a key that expires within the second after until.
func (tx *Tx) PutUntil(key string, value []byte, until time.Time) {
	tx.put(key, value, uint64(until.Unix())+1)
}

// put is Put for a key that expires, in Unix seconds; 0 is never.
func (tx *Tx) put(key string, value []byte, expires uint64) {
	e := badger.NewEntry([]byte(key), value)
	e.ExpiresAt = expires
	tx.puts = append(tx.puts, e)
}

// Delete removes a key. It need not exist.
func (tx *Tx) Delete(key string) {
	tx.puts = append(tx.puts, &badger.Entry{Key: []byte(key)})
}

// Get returns a copy of a value; [ErrNotFound] if there is no such key.
func (tx *Tx) Get(key string) (value []byte, err error) {
	err = tx.Look(key, func(stored []byte) error {
		value = bytes.Clone(stored)
		return nil
	})
	return value, err
}

// Look calls visit with the value of a key, which is valid until visit returns and must not be changed; [ErrNotFound] if there is no such
// key.
func (tx *Tx) Look(key string, visit func(value []byte) error) error {
	if w, known := tx.db.recent.get(key); known {
		if !w.there() {
			return ErrNotFound
		}
		return visit(w.value)
	}
	if err := tx.db.verifier.confirm(key, key); err != nil {
		return err
	}
	item, err := tx.txn.Get([]byte(key))
	if err != nil {
		return err
	}
	return item.Value(visit)
}

// Has reports whether a key exists.
func (tx *Tx) Has(key string) (bool, error) {
	err := tx.Look(key, func([]byte) error { return nil })
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

var (
	// ErrNotFound is the error of reading a key that does not exist.
	ErrNotFound = badger.ErrKeyNotFound
	// ErrTooBig is the error of an Update that does not fit into one transaction, which holds less than a megabyte.
	ErrTooBig = badger.ErrTxnTooBig
)

func (db *DB) get(txn *badger.Txn, key string) ([]byte, error) {
	if err := db.verifier.confirm(key, key); err != nil {
		return nil, err
	}
	item, err := txn.Get([]byte(key))
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

// Get returns a copy of a value; [ErrNotFound] if there is no such key.
func (db *DB) Get(key string) (value []byte, err error) {
	err = db.View(func(get func(string) ([]byte, error)) error {
		value, err = get(key)
		return err
	})
	return value, err
}

// View calls do with a function like Get that reads all values at one moment.
func (db *DB) View(do func(get func(string) ([]byte, error)) error) (err error) {
	defer db.unreadable(&err)
	return db.badger.View(func(txn *badger.Txn) error {
		return do(func(key string) ([]byte, error) { return db.get(txn, key) })
	})
}

// Scan calls visit with each key that begins with prefix and sorts after the key after, and its value, in the order of the keys'
// bytes, until visit returns false. With after "" it visits all of them. It reads one moment. visit may keep the slices.
func (db *DB) Scan(prefix, after string, visit func(key string, value []byte) bool) error {
	return db.scan(prefix, max(prefix, after), after, false, visit)
}

// ScanBack is Scan in the opposite order: it visits the keys that sort before the key before, all of them if that is "".
func (db *DB) ScanBack(prefix, before string, visit func(key string, value []byte) bool) error {
	from := before
	if before == "" {
		from = last(prefix)
	}
	return db.scan(prefix, from, before, true, visit)
}

// last returns a key that sorts after all keys with a prefix.
func last(prefix string) string { return prefix + "\xff" }

// scan visits the keys with a prefix, beginning at the key from; it leaves out the key without.
func (db *DB) scan(prefix, from, without string, back bool, visit func(key string, value []byte) bool) (err error) {
	defer db.unreadable(&err)
	touched := keyRange{from, last(prefix)}
	if back {
		touched = keyRange{prefix, from}
	}
	visited := touched
	defer db.verifier.confirmAll(func(all bool) []keyRange {
		if all {
			return []keyRange{touched}
		}
		return []keyRange{visited}
	}, &err)
	return db.badger.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte(prefix), PrefetchValues: true, PrefetchSize: 100, Reverse: back})
		defer it.Close()
		for it.Seek([]byte(from)); it.Valid(); it.Next() {
			key := string(it.Item().KeyCopy(nil))
			if key == without {
				continue
			}
			value, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			if !visit(key, value) {
				if back {
					visited.low = key
				} else {
					visited.high = key
				}
				return nil
			}
		}
		return nil
	})
}

// unreadable turns a reader's panic into an error if the database has stopped. Badger has no memtable, and panics, after it
// could not create one.
func (db *DB) unreadable(err *error) {
	if db.Err() == nil {
		return
	}
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("durable: unreadable after: %w", db.err)
	}
}
