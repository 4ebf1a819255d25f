package catalog

import "testing"

// TestOpenLastsUntil: the page may extend a session to ten times its life, and not beyond a day.
func TestOpenLastsUntil(t *testing.T) {
	for lifetime, want := range map[int64]int64{600: 6000, 2700: 27_000, 10_000: 86_400, 604_800: 86_400} {
		r := everything()
		r.ExpiresInSeconds = &lifetime
		got, refused := Open(opening(), r)
		if refused != nil {
			t.Fatal(refused)
		}
		if lasts := (got.LastsUntil - now) / 1000; lasts != want {
			t.Errorf("a session of %d s can last %d s, not %d", lifetime, lasts, want)
		}
	}
}
