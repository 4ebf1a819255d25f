package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
)

// ErrDamaged: the files do not hold what has been acknowledged, or cannot be trusted to. Nothing is served from them.
var ErrDamaged = errors.New("durable: damaged database")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// checkTables reads every block of every table that the MANIFEST lists, and its checksum. Badger verifies a block when it
// reads it, too, but takes one that is damaged for one that does not have the key.
func checkTables(dir string) error {
	listed, err := listedTables(dir)
	if err != nil {
		return err
	}
	for id := range listed {
		if err := checkTable(table.NewFilename(id, dir)); err != nil {
			return damaged("table %s: %v", table.IDToFilename(id), err)
		}
	}
	return nil
}

func listedTables(dir string) (map[uint64]badger.TableManifest, error) {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		orphans, err := filepath.Glob(filepath.Join(dir, "*.sst"))
		if len(orphans) > 0 {
			return nil, damaged("the file MANIFEST is missing, without which the %d tables mean nothing", len(orphans))
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil {
		return nil, damaged("the file MANIFEST: %v", err)
	}
	return manifest.Tables, nil
}

func checkTable(name string) (err error) {
	defer func() {
		if reason := recover(); reason != nil { // what is not where it says it is, is sometimes a slice out of bounds
			err = fmt.Errorf("unreadable: %v", reason)
		}
	}()
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	opened, err := table.OpenInMemoryTable(data, 0, &table.Options{BlockSize: blockSize, Compression: options.Snappy})
	if err != nil {
		return err
	}
	return opened.VerifyChecksum()
}

// keptDir is where the files are as they were before Badger opened them. Badger repairs by cutting off and deleting; if it
// turns out afterwards that something is missing, here is what there was. Otherwise it goes.
const keptDir = "kept"

// keep copies what Badger changes in place and links what it deletes. What is there already is from an attempt to open
// that was refused or cut short, and stays: it is older, hence better.
func keep(dir string) error {
	kept := filepath.Join(dir, keptDir)
	if _, err := os.Stat(kept); err == nil {
		return nil
	}
	making := kept + ".new"
	if err := errors.Join(os.RemoveAll(making), os.Mkdir(making, 0o700)); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from, to := filepath.Join(dir, e.Name()), filepath.Join(making, e.Name())
		var err error
		switch filepath.Ext(e.Name()) {
		case ".sst":
			err = os.Link(from, to)
		case ".mem":
			err = copyFile(from, to)
		default:
			if e.Name() == badger.ManifestFilename {
				err = copyFile(from, to)
			}
		}
		if err != nil {
			return err
		}
	}
	return os.Rename(making, kept)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := copyData(out, in); err != nil { // with its holes: a log's file is larger than what is in it
		return err
	}
	return out.Sync()
}

// dropHollow removes files that hold no record, so that no damage to one keeps the database from opening: a memtable's log
// without a byte, which a crash leaves between its creation and its first use, and Badger's files for what is not used here,
// encryption and values of more than a megabyte. Badger makes the latter anew.
func dropHollow(dir string) error {
	var errs []error
	for _, pattern := range []string{"*.mem", "*.vlog", badger.KeyRegistryFileName, "DISCARD"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		errs = append(errs, err)
		for _, name := range names {
			info, err := os.Stat(name)
			if err == nil && (info.Size() == 0 || pattern != "*.mem") {
				err = os.Remove(name)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Every batch leaves its number in the database, under one of so many keys in turn. There are more of them than batches fit
// into all the tables in memory: one of the logs that is cut short in its middle leaves a gap among the numbers.
const (
	numbers      = 1 << 18
	numberPrefix = "all/-/nr/"
)

func numberEntry(n uint64) *badger.Entry {
	return badger.NewEntry(fmt.Appendf(nil, "%s%05x", numberPrefix, n%numbers), binary.BigEndian.AppendUint64(nil, n))
}

// numbered finds the last batch's number, and the batches before it that should have left theirs and have not.
func (db *DB) numbered() (last uint64, missing []uint64, err error) {
	seen := make(map[uint64]bool)
	err = db.Scan(numberPrefix, "", func(_ string, value []byte) bool {
		n := binary.BigEndian.Uint64(value)
		seen[n] = true
		last = max(last, n)
		return true
	})
	for n := last - min(last, numbers) + 1; n <= last; n++ {
		if !seen[n] {
			missing = append(missing, n)
		}
	}
	return last, missing, err
}

// check compares what the database holds with what the journal says was acknowledged, and brings the last batch in if a
// power cut has kept it from the database. It sets the number that the next batch continues from.
func (db *DB) check() error {
	last, missing, err := db.numbered()
	if err != nil {
		return err
	}
	if db.options.acceptLoss {
		return db.accept(last, missing)
	}
	acknowledged, err := db.journal.last()
	switch {
	case err != nil:
		return err
	case acknowledged == nil:
		return damaged("both halves of the file HEAD are unreadable, so nothing says whether the rest is complete")
	case len(missing) > 0:
		return damaged("%d of the last %d acknowledged batches of writes are missing from the middle", len(missing), min(last, numbers))
	case last > acknowledged.number+1:
		return damaged("the file HEAD is older (batch %d) than the rest (batch %d)", acknowledged.number, last)
	case last+1 < acknowledged.number:
		return damaged("batches of writes up to %d were acknowledged, and they end at %d", acknowledged.number, last)
	}
	db.number = last
	if last+1 == acknowledged.number {
		err = db.redo(acknowledged)
	}
	return err
}

// redo brings in the last batch from the journal.
func (db *DB) redo(w *writes) error {
	entries, err := w.entries()
	if err != nil {
		return damaged("the file HEAD: %v", err)
	}
	txn := db.badger.NewTransaction(true)
	defer txn.Discard()
	for _, e := range append(entries, numberEntry(w.number)) {
		if err := set(txn, e); err != nil {
			return err
		}
	}
	db.number = w.number
	db.options.Log.Warn("the last batch of writes came back from the journal", "batch", w.number)
	return txn.Commit()
}

// accept begins a journal for what there is, at the operator's request. It writes the numbers of missing batches, so that the
// next start does not report them.
func (db *DB) accept(last uint64, missing []uint64) error {
	db.options.Log.Warn("what the database holds is taken for complete", "batch", last, "missing", len(missing))
	fill := db.badger.NewWriteBatch()
	defer fill.Cancel()
	for _, n := range missing {
		if err := fill.SetEntry(numberEntry(n)); err != nil {
			return err
		}
	}
	db.number = last
	return errors.Join(fill.Flush(), db.journal.begin(last))
}
