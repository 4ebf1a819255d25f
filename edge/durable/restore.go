package durable

import (
	"errors"
	"iter"

	"github.com/dgraph-io/badger/v4"
)

// Fill creates a database in a directory that does not exist, with the given changes, one after the other, as those of [Moment.Changes]
// up to a batch. After an error what it has written is of no use. Its memory does not depend on the number of changes.
func Fill(dir string, o Options, batch uint64, changes iter.Seq2[Change, error]) error {
	if o.NoSync {
		return errNotBackedUp
	}
	db, err := Open(dir, o)
	if err != nil {
		return err
	}
	return errors.Join(db.fill(batch, changes), db.Close())
}

func (db *DB) fill(batch uint64, changes iter.Seq2[Change, error]) error {
	into := db.badger.NewWriteBatch()
	defer into.Cancel()
	for c, err := range changes {
		if err != nil {
			return err
		}
		if c.Value == nil {
			err = into.Delete(c.Key)
		} else {
			err = into.SetEntry(&badger.Entry{Key: c.Key, Value: c.Value, ExpiresAt: c.Expires})
		}
		if err != nil {
			return errors.Join(err, db.Err())
		}
	}
	if err := into.Flush(); err != nil {
		return errors.Join(err, db.Err())
	}
	return db.journal.begin(batch)
}

// SyncDir makes the names of files in a directory durable.
func SyncDir(dir string) error { return syncDir(dir) }
