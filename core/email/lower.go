package email

//go:generate node gen.mjs

// A table is a string of runs in ascending order. A run starts with two base-128 numbers: the gap between the end of the
// previous run and its first code point, and twice its length plus a flag. The last run is after the last code point. Tables
// are read from the start, which takes up to two microseconds for rare letters; an index would cost more bytes than it is
// worth.

// next reads a base-128 number, low bits first, and returns the rest of the table.
func next(s string) (n rune, rest string) {
	for shift := 0; ; shift += 7 {
		b := s[0]
		s = s[1:]
		n |= rune(b&0x7f) << shift
		if b < 0x80 {
			return n, s
		}
	}
}

// isIdeographic reports whether r is in the planes 2 to 13, which have only ideographs: two thirds of all code points, which
// need no table lookup.
func isIdeographic(c rune) bool { return 0x20000 <= c && c < 0xe0000 }

// toLower is the simple lower case mapping: σ for Σ, and for İ only the first of its two code points. A run of its table has
// the flag if upper and lower case alternate, and a third number: twice the distance to the lower case if it is upwards,
// otherwise twice the distance less one.
func toLower(c rune) rune {
	if c < 0x80 {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}
	if isIdeographic(c) {
		return c
	}
	for s, at := lowerRuns, rune(0); ; {
		var n rune
		n, s = next(s)
		at += n
		if c < at {
			return c
		}
		n, s = next(s)
		length, step := n>>1, n&1+1
		n, s = next(s)
		if end := at + (length-1)*step + 1; c >= end {
			at = end
			continue
		}
		if (c-at)%step != 0 {
			return c
		}
		return c + (n>>1 ^ -(n & 1))
	}
}

// class is the role of a character for the form of a sigma near it.
type class uint8

const (
	uncased class = iota
	cased
	ignorable // Case_Ignorable, whether cased or not
)

// classOf returns the class of a character.
func classOf(c rune) class { return find(classRuns, c) }

// find reads a table whose runs have the flag if their characters are ignorable. A character in no run is uncased.
func find(s string, c rune) class {
	if isIdeographic(c) {
		return uncased
	}
	for at := rune(0); ; {
		var n rune
		n, s = next(s)
		at += n
		if c < at {
			return uncased
		}
		n, s = next(s)
		at += n >> 1
		if c < at {
			return cased + class(n&1)
		}
	}
}
