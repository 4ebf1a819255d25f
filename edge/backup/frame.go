package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/durable"
)

const firstLine = "crepe backup 1\n"

// The kinds of parts.
const (
	partPoint   = 'P'
	partChanges = 'C'
	partEnd     = 'E'
)

// A part of changes is closed when it has fullPart bytes. A change is a megabyte at most, so that maxPart is never exceeded.
const (
	fullPart = 256 << 10
	maxPart  = 4 << 20
	syncPart = 32 // so many parts are synced at once, so that a backup never has much to write at its end
)

// ErrDamaged is the error of a file that is not what a backup has written, and of a chain in which one is missing. The text names the file.
var ErrDamaged = errors.New("the backup is damaged")

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%w: %s "+format, append([]any{ErrDamaged, file}, args...)...)
}

type digest [sha256.Size]byte

// after returns the digest of a part that follows d.
func (d digest) after(kind byte, body []byte) (next digest) {
	h := sha256.New()
	h.Write(d[:])
	h.Write(head(kind, len(body)))
	h.Write(body)
	h.Sum(next[:0])
	return next
}

func head(kind byte, length int) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, uint32(length))
}

// end is the body of the last part.
type end struct {
	Changes int `json:"changes"`
}

// writer writes a file.
type writer struct {
	file    *os.File
	sum     digest
	body    []byte // of the part of changes that is not written yet
	changes int
	parts   int
	bytes   int64
}

func newWriter(file *os.File, p *Point) (*writer, error) {
	w := &writer{file: file, sum: sha256.Sum256([]byte(firstLine))}
	if _, err := file.WriteString(firstLine); err != nil {
		return nil, err
	}
	w.bytes = int64(len(firstLine))
	return w, w.json(partPoint, p)
}

func (w *writer) json(kind byte, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.part(kind, body)
}

func (w *writer) part(kind byte, body []byte) error {
	w.sum = w.sum.after(kind, body)
	for _, text := range [][]byte{head(kind, len(body)), body, w.sum[:]} {
		n, err := w.file.Write(text)
		w.bytes += int64(n)
		if err != nil {
			return err
		}
	}
	if w.parts++; w.parts%syncPart == 0 {
		return w.file.Sync()
	}
	return nil
}

// change adds a change. It reports whether it has written a part.
func (w *writer) change(c *durable.Change) (wrote bool, err error) {
	w.changes++
	w.body = binary.AppendUvarint(w.body, uint64(len(c.Key)))
	w.body = append(w.body, c.Key...)
	w.body = binary.AppendUvarint(w.body, c.Expires)
	if c.Value == nil {
		w.body = append(w.body, 0)
	} else {
		w.body = binary.AppendUvarint(w.body, uint64(len(c.Value))+1)
		w.body = append(w.body, c.Value...)
	}
	if len(w.body) < fullPart {
		return false, nil
	}
	return true, w.flush()
}

func (w *writer) flush() error {
	if len(w.body) == 0 {
		return nil
	}
	err := w.part(partChanges, w.body)
	w.body = w.body[:0]
	return err
}

// finish completes the file and makes it durable.
func (w *writer) finish() error {
	return errors.Join(w.flush(), w.json(partEnd, end{w.changes}), w.file.Sync())
}

// reader reads a file and verifies each part before it returns anything of it.
type reader struct {
	name string
	file *os.File
	in   *bufio.Reader
	sum  digest
	read int64 // bytes
}

// open opens a file and reads its point.
func open(path, name string) (*reader, *Point, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	r := &reader{name: name, file: file, in: bufio.NewReaderSize(file, 1<<16), sum: sha256.Sum256([]byte(firstLine))}
	p, err := r.point()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return r, p, nil
}

func (r *reader) close() error { return r.file.Close() }

func (r *reader) point() (*Point, error) {
	line := make([]byte, len(firstLine))
	if _, err := io.ReadFull(r.in, line); err != nil || string(line) != firstLine {
		return nil, damaged(r.name, "does not begin as a backup of this version of crepe does")
	}
	kind, body, err := r.part()
	if err != nil {
		return nil, err
	}
	p := new(Point)
	if kind != partPoint || json.Unmarshal(body, p) != nil {
		return nil, damaged(r.name, "does not begin with its point in time")
	}
	return p, nil
}

// part reads and verifies a part. The body is the caller's.
func (r *reader) part() (kind byte, body []byte, err error) {
	prefix := make([]byte, len(head(0, 0)))
	if _, err := io.ReadFull(r.in, prefix); err != nil {
		return 0, nil, r.short(err)
	}
	length := binary.BigEndian.Uint32(prefix[1:])
	if length > maxPart {
		return 0, nil, damaged(r.name, "is changed at byte %d", r.read)
	}
	rest := make([]byte, int(length)+sha256.Size)
	if _, err := io.ReadFull(r.in, rest); err != nil {
		return 0, nil, r.short(err)
	}
	body = rest[:length:length]
	r.sum = r.sum.after(prefix[0], body)
	if r.sum != digest(rest[length:]) {
		return 0, nil, damaged(r.name, "is changed between byte %d and %d", r.read, r.read+int64(len(prefix)+len(rest)))
	}
	r.read += int64(len(prefix) + len(rest))
	return prefix[0], body, nil
}

func (r *reader) short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damaged(r.name, "is cut short")
	}
	return fmt.Errorf("%s: %w", r.name, err)
}

// changes calls visit with the changes of the file, the complete rest of which it reads.
func (r *reader) changes(visit func(durable.Change) error) error {
	for n := 0; ; {
		kind, body, err := r.part()
		if err != nil {
			return err
		}
		switch kind {
		case partChanges:
			in := decoder{body}
			for len(in.rest) > 0 {
				c, ok := in.change()
				if !ok {
					return damaged(r.name, "holds a change that cannot be read")
				}
				if err := visit(c); err != nil {
					return err
				}
				n++
			}
		case partEnd:
			return r.end(body, n)
		default:
			return damaged(r.name, "has a part of an unknown kind %q", kind)
		}
	}
}

func (r *reader) end(body []byte, changes int) error {
	var e end
	if json.Unmarshal(body, &e) != nil || e.Changes != changes {
		return damaged(r.name, "holds %d changes, and its end says otherwise", changes)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return damaged(r.name, "has bytes after its end")
	}
	return nil
}

// decoder reads changes.
type decoder struct{ rest []byte }

func (d *decoder) change() (c durable.Change, ok bool) {
	length, ok1 := d.number()
	key, ok2 := d.bytes(length)
	expires, ok3 := d.number()
	length, ok4 := d.number()
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return c, false
	}
	c.Key, c.Expires = key, expires
	if length > 0 {
		c.Value, ok = d.bytes(length - 1)
		return c, ok
	}
	return c, true
}

func (d *decoder) number() (uint64, bool) {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		return 0, false
	}
	d.rest = d.rest[size:]
	return n, true
}

func (d *decoder) bytes(length uint64) ([]byte, bool) {
	if length > uint64(len(d.rest)) {
		return nil, false
	}
	text := d.rest[:length:length]
	d.rest = d.rest[length:]
	return text, true
}
