// Package shortid formats and parses the identifiers of the published API: a [UUID] as a short id ("STO_" and 22 base62
// characters), as the id of a checkout session ("cs_" and the hyphenated form), or bare.
//
// Each form of a UUID has exactly one spelling, and parsing refuses all others. So ids can be compared, and used as keys, as
// strings.
package shortid

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/bits"
	"strings"
	"time"
)

// The prefixes of short ids.
const (
	Merchant       = "MER"
	Store          = "STO"
	Product        = "PROD"
	ProductVersion = "PVER"
	Order          = "ORD"
	Payment        = "PAY"
	Refund         = "REF"
	Ticket         = "TKT"
)

const (
	alphabet   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	bodyLength = 22 // 62^22 > 2^128 > 62^21

	sessionPrefix = "cs_"
)

// Format formats u as a short id: the prefix, "_", and the 128 bits as a big-endian number in base 62 of 0-9A-Za-z, padded
// with "0" on the left.
func Format(prefix string, u UUID) string {
	var body [bodyLength]byte
	high, low := u.halves()
	for i := bodyLength - 1; i >= 0; i-- {
		var digit uint64
		high, digit = high/62, high%62
		low, digit = bits.Div64(digit, low, 62)
		body[i] = alphabet[digit]
	}
	return prefix + "_" + string(body[:])
}

// Parse parses the result of [Format] with the same prefix and a UUID of any version. It refuses numbers above 2^128-1.
func Parse(prefix, s string) (UUID, bool) {
	s, found := strings.CutPrefix(s, prefix)
	if !found || len(s) != 1+bodyLength || s[0] != '_' {
		return UUID{}, false
	}
	var high, low uint64
	for i := 1; i < len(s); i++ {
		digit := strings.IndexByte(alphabet, s[i])
		if digit < 0 {
			return UUID{}, false
		}
		overflow, top := bits.Mul64(high, 62)
		carry, bottom := bits.Mul64(low, 62)
		var carried uint64
		low, carried = bits.Add64(bottom, uint64(digit), 0)
		high, carried = bits.Add64(top, carry, carried)
		if overflow|carried != 0 {
			return UUID{}, false
		}
	}
	return fromHalves(high, low), true
}

// FormatSession formats the id of a checkout session. The id is a capability, so u must be from [NewV4].
func FormatSession(u UUID) string { return sessionPrefix + u.String() }

// UUID is a universally unique identifier (RFC 9562) of any version, in network byte order.
type UUID [16]byte

// NewV7 returns an identifier that sorts by its time in milliseconds (RFC 9562 §5.7), with 74 random bits. It panics if random
// returns an error, as crypto/rand does.
func NewV7(now time.Time, random io.Reader) UUID {
	u := read(random)
	milli := uint64(now.UnixMilli())
	binary.BigEndian.PutUint32(u[:], uint32(milli>>16))
	binary.BigEndian.PutUint16(u[4:], uint16(milli))
	return u.stamped(7)
}

// NewV4 returns an unguessable identifier of 122 random bits (RFC 9562 §5.4). It panics as [NewV7] does.
func NewV4(random io.Reader) UUID { return read(random).stamped(4) }

// Named returns the identifier of a name: the first 122 bits of its SHA-256 (RFC 9562 §5.8). It is guessable by whoever can guess the name.
func Named(name string) UUID {
	sum := sha256.Sum256([]byte(name))
	return UUID(sum[:len(UUID{})]).stamped(8)
}

func read(random io.Reader) (u UUID) {
	if _, err := io.ReadFull(random, u[:]); err != nil {
		panic("shortid: no randomness: " + err.Error())
	}
	return u
}

// stamped sets the version and the variant of RFC 9562 §4.
func (u UUID) stamped(version byte) UUID {
	u[6] = u[6]&0x0f | version<<4
	u[8] = u[8]&0x3f | 0x80
	return u
}

func (u UUID) halves() (high, low uint64) {
	return binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
}

func fromHalves(high, low uint64) (u UUID) {
	binary.BigEndian.PutUint64(u[:8], high)
	binary.BigEndian.PutUint64(u[8:], low)
	return u
}

const hexDigits = "0123456789abcdef"

// String returns the hyphenated form in lower case, "550e8400-e29b-41d4-a716-446655440000".
func (u UUID) String() string {
	b := make([]byte, 0, 36)
	for i, octet := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			b = append(b, '-')
		}
		b = append(b, hexDigits[octet>>4], hexDigits[octet&15])
	}
	return string(b)
}

// ParseUUID parses the result of [UUID.String]. It refuses other spellings: capitals, braces, missing hyphens.
func ParseUUID(s string) (u UUID, ok bool) {
	if len(s) != 36 {
		return UUID{}, false
	}
	digit := 0
	for i := 0; i < len(s); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if s[i] != '-' {
				return UUID{}, false
			}
			continue
		}
		value := strings.IndexByte(hexDigits, s[i])
		if value < 0 {
			return UUID{}, false
		}
		u[digit/2] = u[digit/2]<<4 | byte(value)
		digit++
	}
	return u, true
}
