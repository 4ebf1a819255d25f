package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTransferProgress: a copy that is no terminal's prints a line every ten seconds, of the step's own rate; a short one prints none.
func TestTransferProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := newTransferProgress(&out)
		for n := 1; n <= 25; n++ {
			p.show("copied", n*1000, 30_000)
			time.Sleep(time.Second)
		}
		for n := 1; n <= 5; n++ {
			p.show("compared", n*5000, 30_000)
			time.Sleep(time.Second)
		}
		p.end()
		const want = "11000 of about 30000 records copied, 1100 a second, 17s left\n21000 of about 30000 records copied, 1050 a second, 9s left\n"
		if out.String() != want {
			t.Errorf("printed\n%swant\n%s", &out, want)
		}
	})
	if line := progressLine("copied", 31, 30, 0); !strings.HasPrefix(line, "31 of about 31 records copied") || !strings.HasSuffix(line, " 0s left") {
		t.Error(line)
	}
}
