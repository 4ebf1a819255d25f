package meter

import (
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// reader reads a part of a module. Its methods panic with a *Fault, which Instrument recovers.
type reader struct {
	module  []byte
	at, end int // of the part
}

func fail(offset int, format string, values ...any) {
	panic(&Fault{offset, fmt.Sprintf(format, values...)})
}

func (r *reader) more() bool { return r.at < r.end }

func (r *reader) byte() byte {
	if r.at >= r.end {
		fail(r.at, "the module ends in the middle of something")
	}
	r.at++
	return r.module[r.at-1]
}

// peek returns the next byte, or 0 at the end.
func (r *reader) peek() byte {
	if r.at >= r.end {
		return 0
	}
	return r.module[r.at]
}

func (r *reader) skip(n int) []byte {
	if n > r.end-r.at {
		fail(r.at, "%d bytes are announced, and %d follow", n, r.end-r.at)
	}
	r.at += n
	return r.module[r.at-n : r.at]
}

// u32 reads a number, as LEB128 of up to five bytes.
func (r *reader) u32() int {
	start, n := r.at, uint64(0)
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if bits.Len64(n) > 32 {
				break
			}
			return int(n)
		}
	}
	fail(start, "a number has more than 32 bits")
	return 0
}

// signed reads a number with a sign, of some bits, as LEB128.
func (r *reader) signed(size int) (n int64) {
	start := r.at
	for shift := 0; shift < size; shift += 7 {
		b := r.byte()
		n |= int64(b&0x7f) << shift
		if left := size - shift; left < 7 { // what does not fit must repeat the sign
			if rest := int8(b<<1) >> left; b < 0x80 && (rest == 0 || rest == -1) {
				return n
			}
			break
		}
		if b < 0x80 {
			return n << (57 - shift) >> (57 - shift)
		}
	}
	fail(start, "a number has more than %d bits", size)
	return 0
}

// count reads the number of elements that follow, each of which takes a byte at least.
func (r *reader) count(limit int, of string) int {
	start := r.at
	n := r.u32()
	if n > limit {
		fail(start, "%d %s; at most %d are allowed", n, of, limit)
	}
	if n > r.end-r.at {
		fail(start, "%d %s are announced, and %d bytes follow", n, of, r.end-r.at)
	}
	return n
}

// index reads the index of one of count things.
func (r *reader) index(count int, of string) int {
	start := r.at
	n := r.u32()
	if n >= count {
		fail(start, "there is no %s %d", of, n)
	}
	return n
}

func (r *reader) name() string {
	start := r.at
	name := r.skip(r.count(maxName, "bytes of a name"))
	if !utf8.Valid(name) {
		fail(start, "a name is not UTF-8")
	}
	return string(name)
}

// The types of values.
const (
	i32       = 0x7f
	i64       = 0x7e
	f32       = 0x7d
	f64       = 0x7c
	funcref   = 0x70
	externref = 0x6f
	nothing   = 0x40 // the type of a block without results
)

func (r *reader) valueType() byte {
	switch b := r.byte(); b {
	case i32, i64, f32, f64, funcref, externref:
		return b
	case 0x7b:
		fail(r.at-1, "a vector (v128); rules use WebAssembly 2.0 without vectors")
	default:
		fail(r.at-1, "type %#x is not one of WebAssembly 2.0", b)
	}
	return 0
}

func (r *reader) refType() byte {
	b := r.valueType()
	if b != funcref && b != externref {
		fail(r.at-1, "type %#x is no reference", b)
	}
	return b
}

func (r *reader) zero(of string) {
	if b := r.byte(); b != 0 {
		fail(r.at-1, "%s: %#x, and not 0", of, b)
	}
}
