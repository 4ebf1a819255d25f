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

// Repairs configure [Repair]. The zero value loses no acknowledged write. Tell must not be nil.
type Repairs struct {
	Options

	// AcceptLoss accepts the loss of acknowledged writes: SSTables that are missing or damaged are dropped, and a new HEAD is
	// begun.
	AcceptLoss bool

	Tell func(step string) // called with each finding and each action
}

// manifestCopy is the copy of the MANIFEST from before a repair.
const manifestCopy = "MANIFEST.before-repair"

// Repair repairs a database that [Open] refuses, and opens it to check it. A missing SSTable is removed from the MANIFEST if its
// data is elsewhere: in a memtable's WAL, or in the SSTables that a compaction was to replace. If acknowledged writes are still
// missing, Repair restores all files and returns [ErrDamaged].
func Repair(dir string, o Repairs) error {
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	o.acceptLoss, o.verifyAll = o.AcceptLoss, true
	j, err := openJournal(dir, o.Options)
	if err != nil {
		return err
	}
	key, err := dataKey(dir, o.EncryptionKey)
	mended := false
	if err == nil {
		mended, err = mendManifest(dir, key, o)
	}
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
		o.Tell(fmt.Sprintf("it opens; its content up to batch %d counts as complete from now on", db.number))
	default:
		o.Tell(fmt.Sprintf("it opens and holds every batch of writes up to the last, %d", db.number))
	}
	return db.Close()
}

// setAside renames keptDir, so that the next start does not take its files for the current ones.
func setAside(dir string) error {
	kept := filepath.Join(dir, keptDir)
	err := errors.Join(os.RemoveAll(kept+".before-repair"), os.Rename(kept, kept+".before-repair"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// mendManifest copies the MANIFEST and appends a change that removes SSTables without a file.
func mendManifest(dir string, key []byte, o Repairs) (mended bool, err error) {
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
	h.key = key
	mend, err := h.mend(dir, o)
	if err != nil || len(mend) == 0 {
		return false, err
	}
	if err := os.WriteFile(filepath.Join(dir, manifestCopy), text, 0o600); err != nil {
		return false, err
	}
	return true, appendChanges(name, h.size, mend)
}

// putBack undoes a repair: it restores the kept files and removes those that Badger has created since.
func putBack(dir string) error {
	kept := filepath.Join(dir, keptDir)
	files, err := os.ReadDir(kept)
	if err == nil {
		err = removeUnkept(dir)
	} else if errors.Is(err, os.ErrNotExist) { // Open failed before it kept the files
		err = nil
	}
	for _, f := range files {
		err = errors.Join(err, os.Rename(filepath.Join(kept, f.Name()), filepath.Join(dir, f.Name())))
	}
	return errors.Join(err, os.RemoveAll(kept),
		os.Rename(filepath.Join(dir, manifestCopy), filepath.Join(dir, badger.ManifestFilename)), syncDir(dir))
}

// removeUnkept removes WALs and SSTables that are not in keptDir.
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

// history is the content of a MANIFEST, one set of changes after the other.
type history struct {
	sets   []*pb.ManifestChangeSet
	listed map[uint64]listing // SSTables that are listed at its end
	gone   map[uint64]listing // SSTables that were listed before
	size   int64              // length of the complete part, in bytes
	key    []byte             // of the SSTables
}

// listing says which set of changes added an SSTable, or removed it if it is gone.
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

// mend returns the changes after which all listed SSTables have a file.
func (h *history) mend(dir string, o Repairs) (mend []*pb.ManifestChange, err error) {
	undone := make(map[int]bool)
	for id, l := range h.listed {
		_, missing := os.Stat(table.NewFilename(id, dir))
		switch {
		case missing == nil && !(o.AcceptLoss && checkTable(table.NewFilename(id, dir), h.key, (*sstable).verifyAll) != nil):
		case o.AcceptLoss:
			o.Tell(fmt.Sprintf("SSTable %d is missing or damaged: dropped, with its data", id))
			mend = append(mend, drop(id))
		case h.replaces(l.set):
			undone[l.set] = true
		case l.create.Level == 0:
			o.Tell(fmt.Sprintf("SSTable %d was never completed: dropped; its data must be in a memtable's WAL or another SSTable", id))
			mend = append(mend, drop(id))
		default:
			return nil, damaged("SSTable %d is missing, and its data is nowhere else", id)
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

// replaces reports whether a set of changes is that of a compaction.
func (h *history) replaces(set int) bool {
	return slices.ContainsFunc(h.sets[set].Changes, func(c *pb.ManifestChange) bool { return c.Op == pb.ManifestChange_DELETE })
}

// undo returns the changes that revert a compaction: its outputs are removed and its inputs are listed again.
func (h *history) undo(dir string, set int, tell func(string)) (mend []*pb.ManifestChange, err error) {
	tell(fmt.Sprintf("compaction %d was never completed: the SSTables that it was to replace are listed again", set))
	for _, c := range h.sets[set].Changes {
		l, listed := h.listed[c.Id]
		gone := h.gone[c.Id]
		switch {
		case c.Op == pb.ManifestChange_CREATE && listed && l.set == set:
			mend = append(mend, drop(c.Id))
		case c.Op == pb.ManifestChange_CREATE:
			return nil, damaged("compaction %d has lost an SSTable, and others of its SSTables have been replaced since", set)
		case gone.set != set: // replaced by a later compaction
		case checkTable(table.NewFilename(c.Id, dir), h.key, (*sstable).verifyAll) != nil:
			return nil, damaged("compaction %d has lost an SSTable, and its input SSTable %d is missing, too", set, c.Id)
		default:
			mend = append(mend, gone.create)
		}
	}
	return mend, nil
}

// appendChanges writes a set of changes at the end of the complete part of a MANIFEST.
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
