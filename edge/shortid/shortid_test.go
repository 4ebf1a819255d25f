package shortid

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// The published pair of the contract.
const (
	publishedUUID  = "550e8400-e29b-41d4-a716-446655440000"
	publishedShort = "STO_2aUyqjCzEIiEcYMKj7TZtw"
)

func TestPublishedPair(t *testing.T) {
	u, ok := ParseUUID(publishedUUID)
	if !ok {
		t.Fatalf("ParseUUID(%q) refuses", publishedUUID)
	}
	if got := Format(Store, u); got != publishedShort {
		t.Errorf("Format = %s, want %s", got, publishedShort)
	}
	if got, ok := Parse(Store, publishedShort); !ok || got != u {
		t.Errorf("Parse(%s) = %s, %t; want %s", publishedShort, got, ok, u)
	}
	if got := FormatSession(u); got != "cs_"+publishedUUID {
		t.Errorf("FormatSession = %s", got)
	}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct{ uuid, body string }{
		{"00000000-0000-0000-0000-000000000000", "0000000000000000000000"},
		{"00000000-0000-0000-0000-00000000003d", "000000000000000000000z"},
		{"00000000-0000-0000-0000-00000000003e", "0000000000000000000010"},
		{"00000000-0000-0001-0000-000000000000", "00000000000LygHa16AHYG"}, // 2^64
		{"ffffffff-ffff-ffff-ffff-ffffffffffff", "7n42DGM5Tflk9n8mt7Fhc7"}, // 2^128-1
	} {
		u, _ := ParseUUID(c.uuid)
		if got := Format(Product, u); got != "PROD_"+c.body {
			t.Errorf("Format(%s) = %s, want PROD_%s", c.uuid, got, c.body)
		}
		if got, ok := Parse(Product, "PROD_"+c.body); !ok || got != u {
			t.Errorf("Parse(PROD_%s) = %s, %t; want %s", c.body, got, ok, c.uuid)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"",
		"STO",
		"STO_",
		publishedShort[4:],
		publishedShort[:25],               // one character less
		publishedShort + "0",              // one more
		"STO_" + "0" + publishedShort[4:], // padded too far
		"PROD" + publishedShort[3:],       // another kind of thing
		"sto" + publishedShort[3:],        // the prefix is in capitals
		"STO-" + publishedShort[4:],
		"STO_7n42DGM5Tflk9n8mt7Fhc8", // 2^128
		"STO_zzzzzzzzzzzzzzzzzzzzzz", // 62^22-1
		"STO_2aUyqjCzEIiEcYMKj7TZt_", // outside the alphabet
		"STO_2aUyqjCzEIiEcYMKj7TZt\x00",
		"STO_2aUyqjCzEIiEcYMKj7TZé", // two bytes
		" " + publishedShort,
		"STO_550e8400-e29b-41d4-a716-4466",
	} {
		if u, ok := Parse(Store, s); ok {
			t.Errorf("Parse(%q) = %s", s, u)
		}
	}
}

func TestParseUUIDRefuses(t *testing.T) {
	for _, s := range []string{
		"",
		publishedUUID[1:],
		publishedUUID + "0",
		strings.ToUpper(publishedUUID),
		strings.ReplaceAll(publishedUUID, "-", ""),
		"{" + publishedUUID[1:35] + "}",
		"550e8400e-29b-41d4-a716-446655440000",
		"550e8400-e29b-41d4-a716-44665544000g",
	} {
		if u, ok := ParseUUID(s); ok {
			t.Errorf("ParseUUID(%q) = %s", s, u)
		}
	}
}

func TestNewV7(t *testing.T) {
	at := time.UnixMilli(0x0123_4567_89ab)
	ones := bytes.Repeat([]byte{0xff}, 16)
	if got, want := NewV7(at, bytes.NewReader(ones)).String(), "01234567-89ab-7fff-bfff-ffffffffffff"; got != want {
		t.Errorf("NewV7 = %s, want %s", got, want)
	}
	earlier, later := NewV7(at, rand.Reader), NewV7(at.Add(time.Millisecond), rand.Reader)
	if slices.Compare(earlier[:], later[:]) >= 0 {
		t.Errorf("%s is not before %s", earlier, later)
	}
	if Format(Order, earlier) >= Format(Order, later) {
		t.Error("short ids do not sort by time")
	}
}

func TestNewV4(t *testing.T) {
	if got, want := NewV4(bytes.NewReader(make([]byte, 16))).String(), "00000000-0000-4000-8000-000000000000"; got != want {
		t.Errorf("NewV4 = %s, want %s", got, want)
	}
	if one, other := NewV4(rand.Reader), NewV4(rand.Reader); one == other {
		t.Error("the same twice")
	}
}

func TestNoRandomnessPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an identifier was made without randomness")
		}
	}()
	NewV4(iotest.HalfReader(bytes.NewReader(make([]byte, 15))))
}

// FuzzRoundTrip: parsing a formatted UUID returns it, and formatting a parsed text returns the text.
func FuzzRoundTrip(f *testing.F) {
	f.Add(publishedShort, make([]byte, 16))
	f.Add("STO_7n42DGM5Tflk9n8mt7Fhc8", bytes.Repeat([]byte{0xff}, 16))
	f.Add("STO_0000000000000000000000", []byte(publishedUUID)[:16])
	f.Fuzz(func(t *testing.T, text string, octets []byte) {
		if u, ok := Parse(Store, text); ok && Format(Store, u) != text {
			t.Errorf("Parse(%q) = %s, which is written %s", text, u, Format(Store, u))
		}
		if u, ok := ParseUUID(text); ok && u.String() != text {
			t.Errorf("ParseUUID(%q) = %s", text, u)
		}
		if len(octets) < 16 {
			return
		}
		u := UUID(octets[:16])
		if back, ok := Parse(Store, Format(Store, u)); !ok || back != u {
			t.Errorf("%s comes back from %s as %s", u, Format(Store, u), back)
		}
		if back, ok := ParseUUID(u.String()); !ok || back != u {
			t.Errorf("%s comes back as %s", u, back)
		}
	})
}
