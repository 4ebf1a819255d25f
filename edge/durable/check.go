package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// ErrDamaged is the error of a database whose files lack acknowledged writes, or for which that cannot be excluded.
var ErrDamaged = errors.New("durable: damaged database")

// ErrCopied is the [ErrDamaged] of a database whose files are of different times. So are those of a copy that was made file by file while
// the database was open, if the copy is not complete by chance.
var ErrCopied = fmt.Errorf("%w: its files are of different times", ErrDamaged)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// checkTables verifies of every SSTable that the MANIFEST lists what Badger reads when it opens it: the index and the last block;
// or with all every block.
func checkTables(dir string, key []byte, all bool) error {
	listed, err := listedTables(dir)
	if err != nil {
		return err
	}
	check := (*sstable).verifyLast
	if all {
		check = (*sstable).verifyAll
	}
	for id := range listed {
		if err := checkTable(table.NewFilename(id, dir), key, check); err != nil {
			return damaged("SSTable %s: %v", table.IDToFilename(id), err)
		}
	}
	return nil
}

func listedTables(dir string) (map[uint64]badger.TableManifest, error) {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		orphans, err := filepath.Glob(filepath.Join(dir, "*.sst"))
		if len(orphans) > 0 {
			return nil, damaged("the file MANIFEST is missing, without which the %d SSTables cannot be read", len(orphans))
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

// checkTable opens an SSTable and runs a check.
func checkTable(name string, key []byte, check func(*sstable) error) error {
	t, err := openTable(name, key)
	if err != nil {
		return err
	}
	return errors.Join(check(t), t.Close())
}

// keptDir holds Badger's files as they were before Badger opened them. On recovery Badger truncates and deletes files. If the
// checks then find the database incomplete, keptDir stays; otherwise it is removed.
const keptDir = "kept"

// keep copies the files that Badger changes in place and links those that it deletes. If keptDir exists, it is from an earlier
// attempt to open that was refused or interrupted, and keep leaves it: its files are from before any recovery.
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
	if err := copyData(out, in); err != nil { // with its holes: most of a WAL file is empty
		return err
	}
	return out.Sync()
}

// removeEmpty removes files without data, so that damage to them does not keep the database from opening: a memtable's WAL of
// no bytes, which a crash leaves between its creation and its first use, a registry without keys, and Badger's files for its value
// log, which is not used here. Badger creates the latter again.
func removeEmpty(dir string) error {
	var errs []error
	for pattern, empty := range map[string]int64{"*.mem": 0, "*.vlog": math.MaxInt64, "DISCARD": math.MaxInt64,
		badger.KeyRegistryFileName: emptyRegistry} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		errs = append(errs, err)
		for _, name := range names {
			info, err := os.Stat(name)
			if err == nil && (info.Size() <= empty) {
				err = os.Remove(name)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Every batch writes its number into the database, under one of so many keys in turn. There are more keys than batches fit into
// all memtables: a WAL that is truncated in its middle leaves a gap in the numbers.
const (
	numbers      = 1 << 18
	numberPrefix = "all/-/nr/"
)

func numberEntry(n uint64) *badger.Entry {
	return badger.NewEntry(fmt.Appendf(nil, "%s%05x", numberPrefix, n%numbers), binary.BigEndian.AppendUint64(nil, n))
}

func isNumber(key string) bool { return strings.HasPrefix(key, numberPrefix) }

// numbered returns the number of the last batch in the database, and the missing numbers before it.
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

// check compares the batches in the database with the last batch in the journal, and applies that one if a power cut kept it
// from the database. It sets db.number.
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
		return damaged("both slots of the file HEAD are unreadable, so whether acknowledged writes are missing cannot be checked")
	case len(missing) > 0:
		return damaged("%d of the last %d acknowledged batches of writes are missing from the middle", len(missing), min(last, numbers))
	case last > acknowledged.number+1:
		return fmt.Errorf("%w: the file HEAD is older (batch %d) than the database (batch %d)", ErrCopied, acknowledged.number, last)
	case last+1 < acknowledged.number:
		return damaged("batches of writes up to %d were acknowledged, and the database ends at %d", acknowledged.number, last)
	}
	db.number = last
	if last+1 == acknowledged.number {
		err = db.redo(acknowledged)
	}
	return err
}

// redo applies the last batch from the journal.
func (db *DB) redo(w *writes) error {
	entries, err := db.journal.entries(w)
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
	db.options.Log.Warn("applied the last batch of writes from the journal", "batch", w.number)
	return txn.Commit()
}

// accept begins a new journal after the last batch in the database. It writes the numbers of missing batches, so that the next
// start does not report them.
func (db *DB) accept(last uint64, missing []uint64) error {
	db.options.Log.Warn("accepting the loss of acknowledged writes", "batch", last, "missing", len(missing))
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
