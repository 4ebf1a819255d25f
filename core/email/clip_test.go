package email

import (
	"strings"
	"testing"
)

// TestClip checks that clipping does not change whether an address is valid, and limits the length.
func TestClip(t *testing.T) {
	longest := strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 63)+".", 2) + strings.Repeat("b", 56) + ".io"
	for _, s := range []string{"", "  ada@example.com\t", strings.Repeat(" ", 1<<16) + "ada@example.com", "ada@example.com" + strings.Repeat("\u3000", 1<<14),
		longest, longest + strings.Repeat(" ", 1<<16), strings.Repeat("\ufffd", 1<<15), strings.Repeat("\u212a", 300) + "@example.com",
		"a@" + strings.Repeat("b.", 1<<14), strings.Repeat("İ", 1<<14)} {
		clipped := Clip(s)
		if Valid(Normalize(clipped)) != Valid(Normalize(s)) || len(clipped) > maxTyped || Clip(clipped) != Trim(clipped) {
			t.Errorf("%.40q of %d bytes is clipped to %.40q of %d", s, len(s), clipped, len(clipped))
		}
	}
	if !Valid(longest) {
		t.Error("the longest address is none")
	}
}
