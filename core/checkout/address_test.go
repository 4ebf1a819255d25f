package checkout

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzValidIP compares with the standard library's parser, which must accept the same addresses, except those with a zone.
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

// FuzzValidReturnURL compares with the standard library's parser, which must accept what ValidReturnURL accepts, with the
// same scheme and host and without user info.
func FuzzValidReturnURL(f *testing.F) {
	for _, s := range []string{"https://example.com", "https://example.com:8443/a?b=c#d", "http://localhost:3000/", "http://[::1]:3000/x",
		"https://a@example.com/", "https://example.com\\@evil.example/", "https://ex\u00e4mple.com/", "https://[::1", "https://]/", "https://a:/", "",
		"javascript:alert(1)", "https://example.com/\u202e", "https://-a.example/", "https://1.2.3.4/", "https://a..b/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, env := range []Environment{Test, Prod} {
			if !ValidReturnURL(s, env) {
				continue
			}
			u, err := url.Parse(strings.ReplaceAll(s, "%", "%25")) // a browser takes a bare one, and so does this
			if err != nil {
				t.Fatalf("%q is no URL: %v", s, err)
			}
			host := strings.ToLower(u.Hostname())
			local := env == Test && (slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host) || strings.HasSuffix(host, ".localhost"))
			if u.User != nil || u.Hostname() == "" || u.Scheme != "https" && !(u.Scheme == "http" && local) {
				t.Fatalf("%q is accepted: %#v", s, u)
			}
			if _, rest, _ := strings.Cut(s, "://"); !strings.HasPrefix(rest, u.Host) {
				t.Fatalf("%q has the host %q", s, u.Host)
			}
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
