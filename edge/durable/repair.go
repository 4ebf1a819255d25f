package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"google.golang.org/protobuf/proto"
)

// Repairs say what Repair may do. The zero value loses nothing that was acknowledged.
type Repairs struct {
	Options

	// AcceptLoss takes what can be read for complete, although acknowledged writes may be missing from it: tables that are
	// missing or damaged are dropped, and HEAD begins anew.
	AcceptLoss bool

	Tell func(step string) // called with each thing found or done
}

// manifestCopy is the MANIFEST as it was before a repair.
const manifestCopy = "MANIFEST.before-repair"

// Repair mends a database that [Open] refuses, and opens it to see whether it is complete. A table that the MANIFEST lists
// and that does not exist is dropped from it if what it held is elsewhere: in a memtable's log, or in the tables that a
// compaction was to replace. It leaves everything as it was, and returns [ErrDamaged], if acknowledged writes are missing.
func Repair(dir string, o Repairs) error {
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	o.acceptLoss = o.AcceptLoss
	j, err := openJournal(dir, o.Options)
	if err != nil {
		return err
	}
	mended, err := mendManifest(dir, o)
	if err = errors.Join(err, j.file.Close()); err != nil {
		return err
	}
	if o.AcceptLoss {
		if err := setAside(dir); err != nil {
			return err
		}
	}
	db, err := Open(dir, o.Options)
	if err != nil {
		if mended {
			err = errors.Join(err, putBack(dir))
		}
		return err
	}
	switch {
	case o.NoSync:
		o.Tell("it opens")
	case o.AcceptLoss:
		o.Tell(fmt.Sprintf("it opens; what it holds up to batch %d counts as complete from now on", db.number))
	default:
		o.Tell(fmt.Sprintf("it opens and holds every batch of writes up to the last, %d", db.number))
	}
	return db.Close()
}

// setAside renames the files that a refused start has kept, so that no start takes them for the current ones.
func setAside(dir string) error {
	kept := filepath.Join(dir, keptDir)
	err := errors.Join(os.RemoveAll(kept+".before-repair"), os.Rename(kept, kept+".before-repair"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// mendManifest appends a change that takes tables without a file from the MANIFEST, after copying that.
func mendManifest(dir string, o Repairs) (mended bool, err error) {
	name := filepath.Join(dir, badger.ManifestFilename)
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	h, err := readHistory(text)
	if err != nil {
		return false, err
	}
	mend, err := h.mend(dir, o)
	if err != nil || len(mend) == 0 {
		return false, err
	}
	if err := os.WriteFile(filepath.Join(dir, manifestCopy), text, 0o600); err != nil {
		return false, err
	}
	return true, appendChanges(name, h.size, mend)
}

// putBack undoes a repair that did not help: it restores the files and removes those that Badger has made since.
func putBack(dir string) error {
	kept := filepath.Join(dir, keptDir)
	files, err := os.ReadDir(kept)
	if err == nil {
		err = removeUnkept(dir)
	} else if errors.Is(err, os.ErrNotExist) { // the tables were not readable
		err = nil
	}
	for _, f := range files {
		err = errors.Join(err, os.Rename(filepath.Join(kept, f.Name()), filepath.Join(dir, f.Name())))
	}
	return errors.Join(err, os.RemoveAll(kept),
		os.Rename(filepath.Join(dir, manifestCopy), filepath.Join(dir, badger.ManifestFilename)), syncDir(dir))
}

// removeUnkept removes logs and tables that are not among the kept ones.
func removeUnkept(dir string) error {
	var errs []error
	for _, pattern := range []string{"*.mem", "*.sst"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		errs = append(errs, err)
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(dir, keptDir, filepath.Base(name))); errors.Is(err, os.ErrNotExist) {
				errs = append(errs, os.Remove(name))
			}
		}
	}
	return errors.Join(errs...)
}

// history is the content of the MANIFEST, change by change.
type history struct {
	sets   []*pb.ManifestChangeSet
	listed map[uint64]listing // tables at its end
	gone   map[uint64]listing // tables that are listed no more
	size   int64              // of the part that is whole
}

// listing says in which set of changes a table came, or went if it is gone.
type listing struct {
	set    int
	create *pb.ManifestChange
}

func readHistory(text []byte) (*history, error) {
	h := &history{listed: make(map[uint64]listing), gone: make(map[uint64]listing), size: 8}
	for rest := text[min(8, len(text)):]; len(rest) >= 8; {
		length := int(binary.BigEndian.Uint32(rest))
		if length > len(rest)-8 {
			break
		}
		set := new(pb.ManifestChangeSet)
		body := rest[8 : 8+length]
		if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(rest[4:]) || proto.Unmarshal(body, set) != nil {
			return nil, damaged("the file MANIFEST is unreadable from byte %d on", h.size)
		}
		h.add(set)
		h.size += int64(8 + length)
		rest = rest[8+length:]
	}
	return h, nil
}

func (h *history) add(set *pb.ManifestChangeSet) {
	for _, c := range set.Changes {
		if c.Op == pb.ManifestChange_CREATE {
			h.listed[c.Id] = listing{len(h.sets), c}
			continue
		}
		if l, ok := h.listed[c.Id]; ok {
			h.gone[c.Id] = listing{len(h.sets), l.create}
			delete(h.listed, c.Id)
		} else if l, ok := h.gone[c.Id]; ok { // replaced once more, after a compaction that failed
			h.gone[c.Id] = listing{len(h.sets), l.create}
		}
	}
	h.sets = append(h.sets, set)
}

// mend finds the changes that leave only tables with a file on the list.
func (h *history) mend(dir string, o Repairs) (mend []*pb.ManifestChange, err error) {
	undone := make(map[int]bool)
	for id, l := range h.listed {
		_, missing := os.Stat(table.NewFilename(id, dir))
		switch {
		case missing == nil && !(o.AcceptLoss && checkTable(table.NewFilename(id, dir)) != nil):
		case o.AcceptLoss:
			o.Tell(fmt.Sprintf("table %d is missing or damaged: dropped, with what only it held", id))
			mend = append(mend, drop(id))
		case h.replaces(l.set):
			undone[l.set] = true
		case l.create.Level == 0:
			o.Tell(fmt.Sprintf("table %d was never completed: dropped; what it was to hold must be in a memtable's log or another table", id))
			mend = append(mend, drop(id))
		default:
			return nil, damaged("table %d is missing, and nothing else holds what was in it", id)
		}
	}
	for set := range undone {
		changes, err := h.undo(dir, set, o.Tell)
		if err != nil {
			return nil, err
		}
		mend = append(mend, changes...)
	}
	return mend, nil
}

func drop(id uint64) *pb.ManifestChange {
	return &pb.ManifestChange{Id: id, Op: pb.ManifestChange_DELETE}
}

// replaces reports whether a set of changes is a compaction's.
func (h *history) replaces(set int) bool {
	return slices.ContainsFunc(h.sets[set].Changes, func(c *pb.ManifestChange) bool { return c.Op == pb.ManifestChange_DELETE })
}

// undo takes a compaction back: the tables that it made go, those that it was to replace come back.
func (h *history) undo(dir string, set int, tell func(string)) (mend []*pb.ManifestChange, err error) {
	tell(fmt.Sprintf("compaction %d was never completed: the tables that it was to replace count again", set))
	for _, c := range h.sets[set].Changes {
		l, listed := h.listed[c.Id]
		gone := h.gone[c.Id]
		switch {
		case c.Op == pb.ManifestChange_CREATE && listed && l.set == set:
			mend = append(mend, drop(c.Id))
		case c.Op == pb.ManifestChange_CREATE:
			return nil, damaged("compaction %d has lost a table, and others of its tables have been replaced since", set)
		case gone.set != set: // replaced by a later compaction
		case checkTable(table.NewFilename(c.Id, dir)) != nil:
			return nil, damaged("compaction %d has lost a table, and table %d from which it was made is gone, too", set, c.Id)
		default:
			mend = append(mend, gone.create)
		}
	}
	return mend, nil
}

// appendChanges writes a set of changes where the MANIFEST's readable part ends.
func appendChanges(name string, at int64, changes []*pb.ManifestChange) error {
	body, err := proto.Marshal(&pb.ManifestChangeSet{Changes: changes})
	if err != nil {
		return err
	}
	set := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	set = binary.BigEndian.AppendUint32(set, crc32.Checksum(body, castagnoli))
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = f.Truncate(at)
	if err == nil {
		_, err = f.WriteAt(append(set, body...), at)
	}
	return errors.Join(err, f.Sync(), f.Close())
}
