package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/table"
)

// syncManifest is called by Badger after it has appended a change to the MANIFEST, and before it deletes the files that the
// change replaces. Badger has it as a variable for its own tests. It is the only place from which a change can still be
// refused, and refused some must be: a compaction ignores that it could not write a table (levels.go: the error is an
// argument of a deferred call, evaluated before there is one), lists the others, and deletes what they were made of.
//
//go:linkname syncManifest github.com/dgraph-io/badger/v4.syncFunc
var syncManifest func(*os.File) error

// watches are the open databases by the names of their MANIFESTs.
var watches sync.Map

func init() {
	syncManifest = func(f *os.File) error {
		if w, ok := watches.Load(f.Name()); ok {
			return w.(*watch).changed(f)
		}
		return f.Sync()
	}
}

// watch observes what Badger does by itself: it writes memtables to tables, compacts tables, and tries again after an error.
// After the first error the watch stops the database, and no file is deleted any more, so that the next start finds everything.
// A watch is Badger's logger, because Badger reports these errors to its logger only.
type watch struct {
	dir     string
	log     *slog.Logger
	stop    func(error)   // stops the database
	checked chan struct{} // closed when the database has been found complete, or refused
	refused bool          // which of the two; to be read once checked is closed

	mu    sync.Mutex
	built map[int]uint64 // by compactor, the keys of the tables that it has begun and not listed yet
	halt  bool           // nothing is to change any more

	// Of the MANIFEST, guarded by Badger's lock for appending to it.
	tables map[uint64]badger.TableManifest
	size   int64
}

func newWatch(dir string, log *slog.Logger, stop func(error)) *watch {
	return &watch{dir: dir, log: log, stop: stop, checked: make(chan struct{}), built: make(map[int]uint64)}
}

func (w *watch) manifest() string { return filepath.Join(w.dir, badger.ManifestFilename) }

// begin is called before Badger opens the database.
func (w *watch) begin() (err error) {
	w.tables, w.size, err = readManifest(w.manifest())
	watches.Store(w.manifest(), w)
	return err
}

// end is called when Badger has closed the database, or will not be asked again.
func (w *watch) end() { watches.CompareAndDelete(w.manifest(), w) }

// verdict lets Badger's own work go on after the start's checks, or refuses it. Until then Badger changes nothing that is listed.
func (w *watch) verdict(err error) error {
	if err == nil && w.size == 0 { // Badger has just begun the MANIFEST of a new database, which has no work yet
		w.tables, w.size, err = readManifest(w.manifest())
	}
	w.refused = err != nil
	close(w.checked)
	return err
}

var errHalted = errors.New("nothing is changed after an error")

// changed judges a change of the MANIFEST and makes it durable. It returns only if it could do both; otherwise it takes the
// change back and ends the goroutine that wanted it, before that deletes a file.
func (w *watch) changed(f *os.File) error {
	<-w.checked
	tables, size, err := w.judge(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		w.tables, w.size = tables, size
		return nil
	}
	if !errors.Is(err, errHalted) {
		w.fail(fmt.Errorf("durable: the MANIFEST: %w", err))
	}
	if err := errors.Join(f.Truncate(w.size), f.Sync()); err != nil {
		w.log.Error("a change of the MANIFEST cannot be taken back", "error", err)
	}
	runtime.Goexit()
	return nil
}

// judge reads what the MANIFEST lists now. It refuses an incomplete change and, of a compaction, tables that do not hold
// all the keys that went into them.
func (w *watch) judge(f *os.File) (tables map[uint64]badger.TableManifest, size int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.halt || w.refused {
		return nil, 0, errHalted
	}
	tables, size, err = readManifest(f.Name())
	if err != nil {
		return nil, 0, err
	}
	var keys uint64
	for id := range tables {
		if _, old := w.tables[id]; !old {
			n, err := keysOf(table.NewFilename(id, w.dir))
			if err != nil {
				return nil, 0, fmt.Errorf("table %d: %w", id, err)
			}
			keys += n
		}
	}
	for id := range w.tables {
		if _, still := tables[id]; !still { // a compaction; a memtable replaces nothing
			return tables, size, w.account(keys)
		}
	}
	return tables, size, nil
}

// account finds the compactor whose tables have so many keys together.
func (w *watch) account(keys uint64) error {
	for compactor, n := range w.built {
		if n == keys {
			delete(w.built, compactor)
			return nil
		}
	}
	return fmt.Errorf("a compaction lost a table: it lists %d keys and wrote others", keys)
}

// readManifest lists the tables, and how long the MANIFEST is; an error if its end is incomplete. Without a file there are
// none.
func readManifest(name string) (map[uint64]badger.TableManifest, int64, error) {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	m, size, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions("").WithLogger(nil))
	if err == nil && size != info.Size() {
		err = fmt.Errorf("its last %d bytes are no change", info.Size()-size)
	}
	return m.Tables, size, err
}

// keysOf reads from a table how many keys it has. At its end are its index, the index's length, a checksum, and the
// checksum's length.
func keysOf(name string) (uint64, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	length := func() (n int64, err error) {
		var b [4]byte
		end -= 4
		_, err = f.ReadAt(b[:], end)
		return int64(binary.BigEndian.Uint32(b[:])), err
	}
	checksum, err := length()
	if err != nil {
		return 0, err
	}
	end -= checksum
	size, err := length()
	if err != nil || size > end {
		return 0, errors.Join(err, errors.New("its index is unreadable"))
	}
	index := make([]byte, size)
	if _, err := f.ReadAt(index, end-size); err != nil {
		return 0, err
	}
	return uint64(fb.GetRootAsTableIndex(index, 0).KeyCount()), nil
}

// Badger's log messages when a compactor begins a table, when it gives up a compaction, and when it will try a memtable again,
// as of version 4.9.6. TestBackgroundErrors fails if they are others.
const (
	saysTable     = "[%d] LOG Compact. Added %d keys. Skipped %d keys. Iteration took: %v"
	saysCompact   = "[Compactor: %d] LOG Compact FAILED with error: %+v: %+v"
	saysCompacted = "While running doCompact: %v\n"
	saysFlush     = "error flushing memtable to disk: %v, retrying"

	// saysRace is an error of a compaction that came too late and has done nothing.
	saysRace = "there is a non-empty level"
)

// fail stops the database.
func (w *watch) fail(err error) {
	w.mu.Lock()
	w.halt = true
	w.mu.Unlock()
	w.stop(err)
}

func (w *watch) halted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.halt
}

// Errorf implements badger.Logger. Every error is one of the disk, or of a kind that nobody has seen.
func (w *watch) Errorf(format string, args ...any) {
	err := w.tell(format, args)
	w.log.Error("badger", "error", err)
	w.fail(err)
	if format == saysFlush {
		runtime.Goexit()
	}
}

// Warningf implements badger.Logger.
func (w *watch) Warningf(format string, args ...any) {
	err := w.tell(format, args)
	w.log.Warn("badger", "warning", err)
	if (format == saysCompact || format == saysCompacted) && !strings.Contains(err.Error(), saysRace) {
		w.fail(err)
		runtime.Goexit()
	}
}

// Infof implements badger.Logger.
func (w *watch) Infof(string, ...any) {}

// Debugf implements badger.Logger.
func (w *watch) Debugf(format string, args ...any) {
	if format == saysTable {
		w.mu.Lock()
		w.built[args[0].(int)] += args[1].(uint64)
		w.mu.Unlock()
	}
}

// tell is a log message of Badger's without the keys in it: keys contain the ids of sessions, whose holder can pay.
func (w *watch) tell(format string, args []any) error {
	if format == saysCompact {
		args = append(args[:2:2], "…")
	}
	return errors.New("durable: " + unquoted(w.dir, fmt.Sprintf(format, args...)))
}

// quoted begins where Badger prints keys, as text or in hexadecimal, or begins to dump them.
var quoted = regexp.MustCompile(`(?s)(\n.|\[left=|\b(test|prod|all)/|\b[0-9a-fA-F]{16}).*`)

func unquoted(dir, text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), dir+string(filepath.Separator), "")
	return quoted.ReplaceAllString(strings.ReplaceAll(text, dir, "the directory"), "…")
}
