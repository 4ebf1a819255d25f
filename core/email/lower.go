package email

//go:generate node gen.mjs

// A table is a string of runs in ascending order. A run begins with two base-128 numbers, the gap between the end of the
// run before it and its first code point, and twice its length plus a flag; the last run lies behind the last code point.
// It is read from its beginning: that takes a microsecond or two at its end, where hardly a buyer's letter lies, and an
// index would not be worth its bytes.

// next reads a base-128 number, low bits first, and returns what follows it.
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

// isIdeographic holds for the planes 2 to 13, where Unicode has ideographs and nothing else: two thirds of all code points, which
// need no look at a table.
func isIdeographic(c rune) bool { return 0x20000 <= c && c < 0xe0000 }

// toLower is the simple lower case mapping: σ for Σ, and for İ only the first of its two code points. A run of its table
// has the flag where upper and lower case alternate, and a third number, the distance to the lower case: twice the
// distance when that is upwards, else twice its size less one.
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

// class is what a character means to a sigma near it.
type class uint8

const (
	uncased class = iota
	cased
	ignorable // Case_Ignorable, whether cased or not
)

// classOf is the class of a character.
func classOf(c rune) class { return find(classRuns, c) }

// find reads a table whose runs have the flag where they are ignorable, and is uncased for a character in none of them.
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
