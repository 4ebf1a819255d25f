package checkout

import (
	"net/netip"
	"strings"
	"testing"
)

// FuzzValidIP compares with the standard library's parser: an address is accepted exactly when it is one without a zone.
func FuzzValidIP(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3", "1.2.3.4.5", "::", "::1", "1::", "1::8",
		"2001:db8::1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1::2::3", ":::", "::ffff:192.0.2.1",
		"1:2:3:4:5:6:1.2.3.4", "::1.2.3.4:5", "fe80::1%eth0", "12345::", "g::", "1:", ":1", "", " 1.2.3.4", "::ffff:1.2.3", "1.2.3.4::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := netip.ParseAddr(s)
		want := err == nil && !strings.Contains(s, "%")
		if got := validIP(s); got != want {
			t.Fatalf("%q: got %t, want %t (%v)", s, got, want, err)
		}
	})
}

func BenchmarkPlace(b *testing.B) {
	s, r := goodSession(), goodRequest()
	b.ReportAllocs()
	for b.Loop() {
		if _, refused := Place(s, r, testNow); refused != nil {
			b.Fatal(refused)
		}
	}
}
