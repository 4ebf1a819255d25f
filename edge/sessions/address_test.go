package sessions

import (
	"strings"
	"testing"
)

func TestAddressClean(t *testing.T) {
	for _, c := range []struct{ typed, want string }{
		{"", ""}, {"  Torstraße  1 ", "Torstraße 1"}, {"Torstraße 1\r\nHinterhaus", "Torstraße 1 Hinterhaus"}, {"a\x00b\x7f\u0085c", "abc"},
		{"\u202eefas\u2066\u200f", "efas"}, {"1-1-2 丸の内", "1-1-2 丸の内"}, {"شارع \u061cالنيل", "شارع النيل"}, {"\xff\xfea", "a"},
		{strings.Repeat("é", MaxStreet+1), strings.Repeat("é", MaxStreet)},
		{strings.Repeat("x", MaxStreet-1) + " yz", strings.Repeat("x", MaxStreet-1)},
	} {
		if got := (Address{Street: c.typed}).Clean(); got != (Address{Street: c.want}) {
			t.Errorf("%q became %q, want %q", c.typed, got.Street, c.want)
		}
	}
	long := strings.Repeat("n", 1000)
	if got := (Address{long, long, long}).Clean(); len(got.Name) != MaxAddressName || len(got.Street) != MaxStreet || len(got.City) != MaxCity || got.Clean() != got {
		t.Errorf("%+v", got)
	}
}
