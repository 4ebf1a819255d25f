package durable

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	_ "unsafe" // for go:linkname

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"
)

// syncManifest is called by Badger after it has appended a change to the MANIFEST, and before it deletes the files that the
// change replaces. In Badger it is a variable for Badger's own tests. It is the only place where a change can still be refused.
// That is necessary: a compaction ignores that it could not write an SSTable (levels.go: the error is an argument of a deferred
// call, evaluated before it is set), lists the other ones, and deletes its inputs.
//
//go:linkname syncManifest github.com/dgraph-io/badger/v4.syncFunc
var syncManifest func(*os.File) error

// watches maps the file name of a MANIFEST to the watch of its open database.
var watches sync.Map

func init() {
	syncManifest = func(f *os.File) error {
		if w, ok := watches.Load(f.Name()); ok {
			return w.(*watch).changed(f)
		}
		return f.Sync()
	}
}

// watch observes Badger's background work: flushes of memtables, compactions, and retries after an error. After the first error
// it stops the database, and no file is deleted any more, so that the next start finds all data. A watch is Badger's logger,
// because Badger reports these errors to its logger only.
type watch struct {
	dir     string
	log     *slog.Logger
	stop    func(error)   // stops the database
	checked chan struct{} // closed after the start's checks

	verifier *verifier // set before Badger is opened
	refused  bool      // the checks failed; set before checked is closed

	mu    sync.Mutex
	built map[string]built // by a compactor's goroutine: of the SSTables that it has begun and not listed yet
	halt  bool             // no change is accepted any more

	// The MANIFEST's SSTables and length, guarded by Badger's lock for appending to it.
	tables map[uint64]badger.TableManifest
	size   int64
}

// built counts the keys that a compaction has written to SSTables, and those that it has left out.
type built struct{ written, skipped uint64 }

func newWatch(dir string, log *slog.Logger, stop func(error)) *watch {
	return &watch{dir: dir, log: log, stop: stop, checked: make(chan struct{}), built: make(map[string]built)}
}

func (w *watch) manifest() string { return filepath.Join(w.dir, badger.ManifestFilename) }

// begin must be called before Badger opens the database.
func (w *watch) begin() (err error) {
	w.tables, w.size, err = readManifest(w.manifest())
	watches.Store(w.manifest(), w)
	return err
}

// end must be called after the last use of Badger.
func (w *watch) end() { watches.CompareAndDelete(w.manifest(), w) }

// verdict lets Badger's background work continue after the start's checks, or with an error refuses all its changes. Until then
// changes of the MANIFEST wait.
func (w *watch) verdict(err error) error {
	if err == nil && w.size == 0 { // Badger has just created the MANIFEST of a new database, and has no background work yet
		w.tables, w.size, err = readManifest(w.manifest())
	}
	w.refused = err != nil
	close(w.checked)
	return err
}

var errHalted = errors.New("no change after an error")

// changed checks a change of the MANIFEST and makes it durable. It returns only if both succeed. Otherwise it reverts the change
// and ends the calling goroutine, before that deletes a file.
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
		w.log.Error("cannot revert a change of the MANIFEST", "error", err)
	}
	runtime.Goexit()
	return nil
}

// judge reads the SSTables that the MANIFEST lists now. It returns an error for an incomplete change, and for a compaction that has
// lost keys.
func (w *watch) judge(f *os.File) (tables map[uint64]badger.TableManifest, size int64, err error) {
	if w.refused || w.halted() {
		return nil, 0, errHalted
	}
	tables, size, err = readManifest(f.Name())
	if err != nil {
		return nil, 0, err
	}
	written, _, err := w.keysOf(tables, w.tables)
	if err != nil {
		return nil, 0, err
	}
	read, replaced, err := w.keysOf(w.tables, tables)
	if err == nil && len(replaced) > 0 { // a compaction; a flush replaces nothing
		err = w.account(written, read, replaced)
	}
	return tables, size, err
}

// keysOf returns the number of keys of the SSTables that are listed in one MANIFEST and not in the other, and their ids.
func (w *watch) keysOf(in, notIn map[uint64]badger.TableManifest) (keys uint64, ids []uint64, err error) {
	for id := range in {
		if _, both := notIn[id]; both {
			continue
		}
		ids = append(ids, id)
		err := checkTable(table.NewFilename(id, w.dir), w.verifier.key, func(t *sstable) error { keys += t.keys(); return nil })
		if err != nil {
			return 0, nil, fmt.Errorf("SSTable %d: %w", id, err)
		}
	}
	return keys, ids, nil
}

// account returns an error unless the calling compactor has written SSTables with that number of keys, and then forgets those. It verifies
// the SSTables that are replaced if the compaction has not seen all of their keys, and those that have not been verified since the
// start: Badger compacts a damaged SSTable without an error, and deletes it.
func (w *watch) account(written, read uint64, replaced []uint64) error {
	compactor, _ := goroutines()
	w.mu.Lock()
	b := w.built[compactor]
	delete(w.built, compactor)
	w.mu.Unlock()
	if b.written != written {
		return fmt.Errorf("a compaction lost an SSTable: it has written %d keys and lists %d", b.written, written)
	}
	for _, id := range replaced {
		if err := w.verifier.replace(id, b.written+b.skipped == read); err != nil {
			return err
		}
	}
	return nil
}

// goroutines returns the numbers of the calling goroutine and of the one that has started it, as a stack trace shows them. Badger's log
// has the number of a compactor, and Badger syncs the MANIFEST in the goroutine of a compactor: only this joins the two. That two
// compactors write equally many keys at the same time is common.
func goroutines() (own, parent string) {
	stack := make([]byte, 16<<10)
	text := string(stack[:runtime.Stack(stack, false)])
	own, _, _ = strings.Cut(strings.TrimPrefix(text, "goroutine "), " ")
	_, parent, _ = strings.Cut(text, " in goroutine ")
	parent, _, _ = strings.Cut(parent, "\n")
	return own, parent
}

// readManifest returns the SSTables that a MANIFEST lists, and its length. It returns an error if the last change is incomplete.
// A missing file lists none.
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
		err = fmt.Errorf("its last %d bytes are incomplete", info.Size()-size)
	}
	return m.Tables, size, err
}

// Badger's log messages when a compactor begins an SSTable, when a compaction fails, and when a flush will be retried, as of
// version 4.9.6. TestBackgroundErrors fails if they are others.
const (
	saysTable     = "[%d] LOG Compact. Added %d keys. Skipped %d keys. Iteration took: %v"
	saysCompact   = "[Compactor: %d] LOG Compact FAILED with error: %+v: %+v"
	saysCompacted = "While running doCompact: %v\n"
	saysFlush     = "error flushing memtable to disk: %v, retrying"

	// saysRace is in the error of a compaction that another one has made unnecessary. It is harmless.
	saysRace = "there is a non-empty level"
)

// fail stops the database and all changes of the MANIFEST.
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

// Errorf implements badger.Logger. It treats every error as an I/O error.
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
		_, compactor := goroutines()
		w.mu.Lock()
		b := w.built[compactor]
		w.built[compactor] = built{b.written + args[1].(uint64), b.skipped + args[2].(uint64)}
		w.mu.Unlock()
	}
}

// tell formats a log message of Badger without the keys in it, which may be confidential.
func (w *watch) tell(format string, args []any) error {
	if format == saysCompact {
		args = append(args[:2:2], "…")
	}
	return errors.New("durable: " + unquoted(w.dir, fmt.Sprintf(format, args...)))
}

// quoted matches from the first key in a message of Badger, as text, in hexadecimal or as a dump, to the message's end.
var quoted = regexp.MustCompile(`(?s)(\n.|\[left=|\b(test|prod|all)/|\b[0-9a-fA-F]{16}).*`)

func unquoted(dir, text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), dir+string(filepath.Separator), "")
	return quoted.ReplaceAllString(strings.ReplaceAll(text, dir, "the directory"), "…")
}
