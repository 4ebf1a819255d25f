package civil_test

import (
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/civil"
)

// TestDateMatchesTime compares every day of two and a half thousand years with the standard library.
func TestDateMatchesTime(t *testing.T) {
	for day := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2500; day = day.AddDate(0, 0, 1) {
		d, text := civil.DateOf(day.UnixMilli()), day.Format(time.DateOnly)
		if d.String() != text {
			t.Fatalf("DateOf(%s) = %s", text, d)
		}
		if parsed, ok := civil.ParseDate(text); !ok || parsed != d {
			t.Fatalf("ParseDate(%q) = %d, %t, not %d", text, parsed, ok, d)
		}
		if end := civil.DateOf(day.UnixMilli() + 86_399_999); end != d {
			t.Fatalf("the last millisecond of %s is on %s", text, end)
		}
	}
}

func TestParseDateRefuses(t *testing.T) {
	for _, s := range []string{
		"", "2026", "2026-1-2", "2026-11-23 ", "2026/11/23", "2026-11-2x", "x026-11-23",
		"2026-00-10", "2026-13-01", "2026-04-31", "2026-02-29", "2100-02-29", "2026-01-00", "2026-99-99", "+026-01-01",
	} {
		if d, ok := civil.ParseDate(s); ok {
			t.Errorf("ParseDate(%q) = %s", s, d)
		}
	}
}

// FuzzParseDate compares with the standard library's parser of the same form.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-11-23", "2024-02-29", "2023-02-29", "1900-02-29", "0000-01-01", "9999-12-31", "2026-13-01", "2026-1-1", "", "2026-11-23 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := time.Parse(time.DateOnly, s)
		d, ok := civil.ParseDate(s)
		if ok != (err == nil) || ok && (d.String() != s || int64(d)*86_400 != want.Unix()) {
			t.Fatalf("%q: %d, %t; the library says %v, %v", s, d, ok, want, err)
		}
	})
}
