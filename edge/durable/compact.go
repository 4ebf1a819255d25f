package durable

import "errors"

// Compact rewrites the files of a database that no process has open, so that nothing is left in them of values that were overwritten or
// deleted, or have expired. It needs time and, meanwhile, disk space in proportion to the database. It may be interrupted. Its errors are
// those of [Open].
func Compact(dir string, o Options) error {
	nothing := func(*DB) error { return nil }
	for _, step := range []func(*DB) error{
		nothing, // closing makes an SSTable of the WAL,
		wipe,    // and one more, because Badger compacts no level of one table
		func(db *DB) error { return db.badger.Flatten(1) },
	} {
		db, err := Open(dir, o)
		if err != nil {
			return err
		}
		if err := errors.Join(step(db), db.Close()); err != nil {
			return err
		}
		o.compact = true
	}
	return nil
}

// wipe overwrites both slots of the journal, by two batches that delete a key that does not exist.
func wipe(db *DB) error {
	db.journal.wipe = true
	for range 2 {
		if err := db.Update(func(tx *Tx) error { tx.Delete("all/-/compacted"); return nil }); err != nil {
			return err
		}
	}
	return nil
}
