package pgstore

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestKeptCounts: a long count is returned for a minute, and renewed once in the meantime. A short one is never kept.
func TestKeptCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept keptCounts
		expect := func(when string, wantCount int, wantRenew bool) {
			t.Helper()
			if n, renew := kept.find("q", time.Now()); n != wantCount || renew != wantRenew {
				t.Errorf("%s: %d, renew %v", when, n, renew)
			}
		}
		expect("none", 0, false)
		kept.keep("q", 9, time.Now(), 10)
		expect("a short one", 0, false)
		kept.keep("q", 10, time.Now(), 10)
		expect("at once", 10, false)
		time.Sleep(freshCount + 1)
		expect("not fresh", 10, true)
		expect("being renewed", 10, false)
		time.Sleep(oldCount - freshCount)
		expect("old", 0, false)
		kept.keep("q", 11, time.Now(), 10)
		expect("renewed", 11, false)
		kept.keep("q", 9, time.Now(), 10)
		expect("short now", 0, false)
		for i := range 3 * mostCounts {
			kept.keep(string(rune(i)), 10, time.Now(), 10)
		}
		if len(kept.all) > mostCounts {
			t.Errorf("%d are kept", len(kept.all))
		}
	})
}
