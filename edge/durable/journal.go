package durable

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// journalFile holds the last two batches in two slots, so that a torn write destroys at most the batch that is not acknowledged
// yet. The file is preallocated: writing a batch takes no more disk space.
//
//	slot   number u64 | length u32 | CRC-32C of all else u32 | writes
//	write  key length, key, expiry in Unix seconds or 0, value length + 1 or 0 for a deletion, value; numbers are uvarints
//
// With encryption the writes of a slot are a nonce and what AES-GCM makes of them.
const (
	journalFile = "HEAD"
	slotHeader  = 16
	slotSize    = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrInUse is the error of opening a directory that another process, or another DB of this one, has open.
var ErrInUse = errors.New("durable: the directory is in use")

// writes are the writes of one batch, encoded as a slot. The header is filled in by seal.
type writes struct {
	number uint64 // from 1
	slot   []byte
}

func newWrites(number uint64) *writes {
	return &writes{number, make([]byte, slotHeader, 8<<10)}
}

// add appends a write. It returns [ErrTooBig] if the slot has no space for it.
func (w *writes) add(e *badger.Entry) error {
	w.slot = appendBytes(w.slot, e.Key)
	w.slot = binary.AppendUvarint(w.slot, e.ExpiresAt)
	if e.Value == nil {
		w.slot = append(w.slot, 0)
	} else {
		w.slot = binary.AppendUvarint(w.slot, uint64(len(e.Value))+1)
		w.slot = append(w.slot, e.Value...)
	}
	if len(w.slot) > slotSize-sealOverhead {
		return ErrTooBig
	}
	return nil
}

func appendBytes(b, text []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func (w *writes) empty() bool { return len(w.slot) == slotHeader }

// seal fills in the header and returns the slot.
func (w *writes) seal() []byte {
	binary.BigEndian.PutUint64(w.slot, w.number)
	binary.BigEndian.PutUint32(w.slot[8:], uint32(len(w.slot)-slotHeader))
	binary.BigEndian.PutUint32(w.slot[12:], w.checksum())
	return w.slot
}

func (w *writes) checksum() uint32 {
	return crc32.Update(crc32.Checksum(w.slot[:12], castagnoli), castagnoli, w.slot[slotHeader:])
}

// readWrites reads a slot; nil if its checksum is wrong.
func readWrites(slot []byte) *writes {
	length := binary.BigEndian.Uint32(slot[8:])
	if length > slotSize-slotHeader {
		return nil
	}
	w := &writes{binary.BigEndian.Uint64(slot), slot[:slotHeader+length]}
	if w.checksum() != binary.BigEndian.Uint32(slot[12:]) {
		return nil
	}
	return w
}

// entries decodes the writes of a batch that was read.
func (j *journal) entries(w *writes) (entries []*badger.Entry, err error) {
	text, err := j.open(w.slot[slotHeader:])
	if err != nil {
		return nil, err
	}
	r := bytes.NewReader(text)
	for r.Len() > 0 {
		e := new(badger.Entry)
		if e.Key, err = readBytes(r, 0); err != nil {
			return nil, err
		}
		if e.ExpiresAt, err = binary.ReadUvarint(r); err != nil {
			return nil, err
		}
		if e.Value, err = readBytes(r, 1); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// readBytes reads a length-prefixed byte string. The stored length is len+bias; below bias the result is nil.
func readBytes(r *bytes.Reader, bias uint64) ([]byte, error) {
	length, err := binary.ReadUvarint(r)
	if err != nil || length < bias {
		return nil, err
	}
	if length-bias > uint64(r.Len()) {
		return nil, io.ErrUnexpectedEOF
	}
	text := make([]byte, length-bias)
	_, err = io.ReadFull(r, text)
	return text, err
}

// journal is the open journal file. Its lock is the directory's.
type journal struct {
	file *os.File
	wipe bool        // a batch overwrites all of its slot
	aead cipher.AEAD // encrypts the writes; nil for no encryption
}

// sealOverhead is how many bytes encryption adds to a batch: a nonce before it and a tag after it.
const sealOverhead = 12 + 16

// encrypt encrypts the writes of a batch, once, under a random nonce.
func (j *journal) encrypt(w *writes) {
	if j.aead == nil || w.empty() {
		return
	}
	nonce := make([]byte, j.aead.NonceSize())
	rand.Read(nonce)
	slot := append(slices.Clone(w.slot[:slotHeader]), nonce...)
	w.slot = j.aead.Seal(slot, nonce, w.slot[slotHeader:], nil)
}

// open decrypts the writes of a batch.
func (j *journal) open(text []byte) ([]byte, error) {
	if j.aead == nil || len(text) == 0 {
		return text, nil
	}
	size := j.aead.NonceSize()
	if len(text) < size {
		return nil, io.ErrUnexpectedEOF
	}
	return j.aead.Open(nil, text[:size], text[size:], nil)
}

// openJournal opens the journal and locks the directory. The journal is the first file of a new database and is created
// atomically: if it is short, or missing beside other files, the database is damaged. With NoSync the journal is empty.
func openJournal(dir string, o Options) (*journal, error) {
	name := filepath.Join(dir, journalFile)
	f, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return createJournal(dir, o)
	}
	if err != nil {
		return nil, err
	}
	j, err := take(f)
	if err != nil || o.NoSync || o.acceptLoss {
		return j, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() != 2*slotSize {
		err = damaged("the file HEAD has %d bytes instead of %d, so whether acknowledged writes are missing cannot be checked", info.Size(), 2*slotSize)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// take locks the file of a journal.
func take(f *os.File) (*journal, error) {
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrInUse, filepath.Dir(f.Name())), f.Close())
	}
	return &journal{file: f}, nil
}

// createJournal creates the journal of a new database. It writes a file of another name and renames that.
func createJournal(dir string, o Options) (*journal, error) {
	name := filepath.Join(dir, journalFile)
	f, err := os.OpenFile(name+".new", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j, err := take(f)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(name); err == nil { // another process has created it
		return nil, errors.Join(fmt.Errorf("%w: %s", ErrInUse, dir), f.Close())
	}
	err = j.fill(dir, o)
	if err == nil {
		err = errors.Join(os.Rename(name+".new", name), syncDir(dir))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// fill writes a new journal.
func (j *journal) fill(dir string, o Options) error {
	if o.NoSync {
		return nil
	}
	if !o.acceptLoss && hasDatabase(dir) {
		return damaged("the file HEAD is missing, so whether acknowledged writes are missing cannot be checked")
	}
	return j.begin(0)
}

// Exists reports whether a directory has a database, of which files may be missing. One that [Open] is creating is open there before
// Exists is true.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, journalFile))
	return err == nil || hasDatabase(dir)
}

// hasDatabase reports whether a directory has files of Badger.
func hasDatabase(dir string) bool {
	for _, pattern := range []string{badger.ManifestFilename, "*.mem", "*.sst", "*.vlog", keptDir} {
		if names, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(names) > 0 {
			return true
		}
	}
	return false
}

// begin allocates both slots and records a batch as the last one, without its writes. It writes zeros instead of leaving a
// hole: overwriting zeros changes no metadata of the file, which would double the time of a sync.
func (j *journal) begin(number uint64) error {
	slots := make([]byte, 2*slotSize)
	copy(slots[(1-number%2)*slotSize:], newWrites(0).seal())
	copy(slots[number%2*slotSize:], newWrites(number).seal())
	if _, err := j.file.WriteAt(slots, 0); err != nil {
		return err
	}
	return errors.Join(j.file.Truncate(2*slotSize), j.file.Sync())
}

// write makes a batch durable.
func (j *journal) write(w *writes) error {
	j.encrypt(w)
	slot := w.seal()
	if j.wipe {
		slot = append(slot, make([]byte, slotSize-len(slot))...)
	}
	if _, err := j.file.WriteAt(slot, int64(w.number%2)*slotSize); err != nil {
		return err
	}
	return syncData(j.file)
}

// last returns the latest readable batch; nil if both slots are damaged.
func (j *journal) last() (*writes, error) {
	var last *writes
	for i := range int64(2) {
		slot := make([]byte, slotSize)
		if _, err := j.file.ReadAt(slot, i*slotSize); err != nil {
			return nil, err
		}
		if w := readWrites(slot); w != nil && (last == nil || w.number > last.number) {
			last = w
		}
	}
	return last, nil
}
