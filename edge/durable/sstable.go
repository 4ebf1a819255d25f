package durable

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sort"

	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/proto"
)

// sstable is an SSTable of Badger, opened to verify it. Its file is read and not mapped into memory: here a sector that cannot be
// read is an error, there it kills the process. It takes the memory of its index and of one block.
//
//	file   blocks | index | its length u32 | its checksum | the checksum's length u32
//	block  compressed: entries | their offsets | their number u32 | checksum of all before | the checksum's length u32
//
// If it is encrypted, so are index and compressed block, each with its initialisation vector after it.
type sstable struct {
	file      *os.File
	key       []byte // see [encryption.key]
	index     *fb.TableIndex
	raw, data []byte // buffers of a block
}

// maxBlock is more than the size of any block in bytes: a block ends after the value that fills it.
const maxBlock = 16 << 20

// openTable opens an SSTable and verifies its index. key is nil if it is not encrypted.
func openTable(name string, key []byte) (*sstable, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	t := &sstable{file: f, key: key}
	if err := t.readIndex(); err != nil {
		return nil, errors.Join(fmt.Errorf("its index is unreadable: %w", err), f.Close())
	}
	return t, nil
}

func (t *sstable) Close() error { return t.file.Close() }

var errFormat = errors.New("it has another format")

func (t *sstable) readIndex() error {
	info, err := t.file.Stat()
	if err != nil {
		return err
	}
	end := info.Size()
	part := func(size int64) ([]byte, error) { // the last bytes before end
		if size < 0 || size > end {
			return nil, errFormat
		}
		text := make([]byte, size)
		end -= size
		_, err := t.file.ReadAt(text, end)
		return text, err
	}
	prefixed := func() ([]byte, error) {
		length, err := part(4)
		if err != nil {
			return nil, err
		}
		return part(int64(binary.BigEndian.Uint32(length)))
	}
	checksum, err := prefixed()
	if err != nil {
		return err
	}
	index, err := prefixed()
	if err != nil {
		return err
	}
	if len(index) < 8 {
		return errFormat
	}
	if err := verifyChecksum(index, checksum); err != nil {
		return err
	}
	if index, err = t.decrypt(index); err != nil {
		return err
	}
	t.index = fb.GetRootAsTableIndex(index, 0)
	if t.index.OffsetsLength() == 0 {
		return errFormat
	}
	return nil
}

func verifyChecksum(text, checksum []byte) error {
	expected := new(pb.Checksum)
	if err := proto.Unmarshal(checksum, expected); err != nil {
		return err
	}
	if _, known := pb.Checksum_Algorithm_name[int32(expected.Algo)]; !known {
		return errFormat
	}
	return y.VerifyChecksum(text, expected)
}

// keys returns the number of keys, versions counted apart.
func (t *sstable) keys() uint64 { return uint64(t.index.KeyCount()) }

// verifyAll verifies every block.
func (t *sstable) verifyAll() error {
	for i := range t.index.OffsetsLength() {
		if _, err := t.verifyBlock(i); err != nil {
			return err
		}
	}
	return nil
}

// verifySlowly is verifyAll. It calls read with the size of each block in bytes, and stops with its error.
func (t *sstable) verifySlowly(read func(size int) error) error {
	for i := range t.index.OffsetsLength() {
		size, err := t.verifyBlock(i)
		if err == nil {
			err = read(size)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// verifyBetween verifies the blocks that Badger reads to find the keys from low to high.
func (t *sstable) verifyBetween(low, high string) error {
	first := t.search(func(key []byte) bool { return bytes.Compare(key, []byte(low)) >= 0 })
	last := t.search(func(key []byte) bool { return bytes.Compare(key, []byte(high)) > 0 })
	for i := max(first-1, 0); i <= min(last, t.index.OffsetsLength()-1); i++ {
		if _, err := t.verifyBlock(i); err != nil {
			return err
		}
	}
	return nil
}

// verifyLast verifies the last block, which Badger reads when it opens the SSTable.
func (t *sstable) verifyLast() error {
	_, err := t.verifyBlock(t.index.OffsetsLength() - 1)
	return err
}

// search returns the number of blocks whose first key does not satisfy a condition that later keys satisfy, too.
func (t *sstable) search(satisfied func(key []byte) bool) int {
	var at fb.BlockOffset
	return sort.Search(t.index.OffsetsLength(), func(i int) bool {
		return t.index.Offsets(&at, i) && satisfied(y.ParseKey(at.KeyBytes()))
	})
}

// verifyBlock verifies a block and returns its size in the file.
func (t *sstable) verifyBlock(i int) (size int, err error) {
	var at fb.BlockOffset
	t.index.Offsets(&at, i)
	t.raw = grow(t.raw, int(at.Len()))
	if _, err := t.file.ReadAt(t.raw, int64(at.Offset())); err != nil {
		return 0, fmt.Errorf("block %d: %w", i, err)
	}
	if err := t.verifyRead(); err != nil {
		return 0, fmt.Errorf("block %d: %w", i, err)
	}
	return len(t.raw), nil
}

// verifyRead verifies the block that has been read.
func (t *sstable) verifyRead() error {
	packed, err := t.decrypt(t.raw)
	if err != nil {
		return err
	}
	size, err := snappy.DecodedLen(packed)
	if err != nil {
		return err
	}
	if size > maxBlock {
		return errFormat
	}
	t.data = grow(t.data, size)
	block, err := snappy.Decode(t.data, packed)
	if err != nil {
		return err
	}
	end := len(block) - 4
	if end < 0 {
		return errFormat
	}
	length := int(binary.BigEndian.Uint32(block[end:]))
	if length > end {
		return errFormat
	}
	return verifyChecksum(block[:end-length], block[end-length:end])
}

// decrypt decrypts a part of the file in place.
func (t *sstable) decrypt(text []byte) ([]byte, error) {
	if t.key == nil {
		return text, nil
	}
	end := len(text) - aes.BlockSize
	if end < 0 {
		return nil, errFormat
	}
	return text[:end], y.XORBlock(text[:end], text[:end], t.key, text[end:])
}

// grow returns a slice of the given length, in the memory of b if it suffices.
func grow(b []byte, length int) []byte {
	if cap(b) < length {
		return make([]byte, length)
	}
	return b[:length]
}
