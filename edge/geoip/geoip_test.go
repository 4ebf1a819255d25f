package geoip

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
)

//go:generate go run -C testdata .

func open(t testing.TB, name string) *DB {
	t.Helper()
	db, err := Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// TestCountry looks up addresses in both record formats. The files map private, loopback and link-local addresses to the US,
// which Country must not return.
func TestCountry(t *testing.T) {
	for _, file := range []string{"country.mmdb", "flat.mmdb"} {
		db := open(t, file)
		for _, c := range []struct {
			addr string
			want country.Code
		}{
			{"192.0.2.7", "FR"}, {"198.51.100.255", "DE"}, {"::ffff:192.0.2.7", "FR"},
			{"2001:db8:f::7", "FR"}, {"2001:db8:d:1::", "DE"},
			{"8.8.8.8", ""}, {"2001:db8:a::1", ""}, // not in the file
			{"203.0.113.1", ""}, {"203.0.113.200", ""}, // XK and EU
			{"10.1.2.3", ""}, {"127.0.0.1", ""}, {"169.254.1.1", ""}, {"::ffff:10.1.2.3", ""},
			{"::1", ""}, {"fd00::1", ""}, {"fe80::1", ""}, {"0.0.0.0", ""}, {"::", ""}, {"224.0.0.1", ""},
		} {
			if got := db.Country(netip.MustParseAddr(c.addr)); got != c.want {
				t.Errorf("%s: %s is in %q, want %q", file, c.addr, got, c.want)
			}
		}
	}
}

func TestCountryUnknown(t *testing.T) {
	var none *DB
	if got := none.Country(netip.MustParseAddr("192.0.2.7")); got != "" {
		t.Errorf("without a file: %q", got)
	}
	if got := open(t, "flat.mmdb").Country(netip.Addr{}); got != "" {
		t.Errorf("the zero address is in %q", got)
	}
}

// TestOpenRefuses checks that each error names the file and the remedy.
func TestOpenRefuses(t *testing.T) {
	whole, err := os.ReadFile("testdata/country.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(whole, []byte("\x47country"), []byte("\xffcountry"), 1)
	for name, c := range map[string]struct {
		content []byte
		remedy  string
	}{
		"missing.mmdb": {nil, "no such file or directory; name a country database"},
		"empty.mmdb":   {[]byte{}, "unpack it, or download it again"},
		"table.csv":    {[]byte("192.0.2.0,192.0.2.255,FR\n"), "unpack it, or download it again"},
		"half.mmdb":    {whole[:len(whole)/2], "unpack it, or download it again"},
		"damaged.mmdb": {damaged, "is damaged"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if c.content != nil {
			if err := os.WriteFile(path, c.content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		refuses(t, path, c.remedy)
	}
	refuses(t, "testdata/asn.mmdb", `of type "Test-asn", has no countries; use a country or city database`)
	refuses(t, "testdata", "name a country database")
}

func refuses(t *testing.T, path, remedy string) {
	t.Helper()
	_, err := Open(path)
	if err == nil {
		t.Errorf("%s is accepted", path)
	} else if text := err.Error(); !strings.Contains(text, path) || !strings.Contains(text, remedy) {
		t.Errorf("%s: %s", path, text)
	}
}

// TestDamage inverts each byte of a file. Open refuses it, or lookups return valid countries; nothing panics.
func TestDamage(t *testing.T) {
	whole, err := os.ReadFile("testdata/flat.mmdb")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.mmdb")
	refused := 0
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0xff
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path)
		if err != nil {
			refused++
			continue
		}
		for _, addr := range []string{"192.0.2.7", "2001:db8:f::7", "8.8.8.8"} {
			code := db.Country(netip.MustParseAddr(addr))
			if _, known := country.Parse(string(code)); code != "" && !known {
				t.Errorf("byte %d: %s is in %q", i, addr, code)
			}
		}
	}
	if refused == 0 {
		t.Error("no damage was detected")
	}
	t.Logf("%d of %d damaged files are refused", refused, len(whole))
}

func BenchmarkCountry(b *testing.B) {
	l := Locator{DB: open(b, "country.mmdb"), Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	forwarded := [][]byte{[]byte("198.51.100.1, 192.0.2.7")}
	b.ReportAllocs()
	for b.Loop() {
		if l.Country("", []byte{127, 0, 0, 1}, forwarded) != "FR" {
			b.Fatal("wrong country")
		}
	}
}
