package email

//go:generate node gen.mjs

// A table is a string of runs in ascending order. A run begins with two base-128 numbers, the gap between the end of the
// run before it and its first code point, and twice its length plus a flag; the last run lies behind the last code point.
//
// The index of a table has an entry of 5 bytes for every so many runs: the code point from which the next gap counts (3
// bytes, big end first) and where in the table that gap stands (2 bytes).
const indexEntry = 5

// seek returns the runs among which c must lie, and the code point from which their first gap counts.
func seek(index, runs string, c rune) (from string, at rune) {
	low, high := 0, len(index)/indexEntry
	for high-low > 1 {
		if mid := (low + high) / 2; codePoint(index[mid*indexEntry:]) <= c {
			low = mid
		} else {
			high = mid
		}
	}
	entry := index[low*indexEntry:]
	return runs[int(entry[3])<<8|int(entry[4]):], codePoint(entry)
}

func codePoint(s string) rune {
	return rune(s[0])<<16 | rune(s[1])<<8 | rune(s[2])
}

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
	for s, at := seek(lowerIndex, lowerRuns, c); ; {
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

// classOf reads a table whose runs have the flag where they are ignorable.
func classOf(c rune) class {
	for s, at := seek(classIndex, classRuns, c); ; {
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
