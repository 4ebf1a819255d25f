package ops

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestLinear checks that eight times as many members take about eight times as long, in any order; a quadratic reader takes
// 64 times. The fastest of several runs counts, because other load only slows a run down.
func TestLinear(t *testing.T) {
	object := func(n int, name func(i int) int) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%05d":0`, name(i))
		}
		return []byte("{" + b.String()[1:] + "}")
	}
	quickest := func(text []byte) time.Duration {
		least := time.Duration(1<<63 - 1)
		for range 30 {
			begin := time.Now()
			if !Valid(text) {
				t.Fatal("not valid")
			}
			least = min(least, time.Since(begin))
		}
		return least
	}
	const few, many = 800, 6400
	shuffled := rand.New(rand.NewPCG(1, 2)).Perm(many)
	for order, name := range map[string]func(int) int{
		"rising":   func(i int) int { return i },
		"falling":  func(i int) int { return 99999 - i },
		"shuffled": func(i int) int { return shuffled[i] },
	} {
		small, large := quickest(object(few, name)), quickest(object(many, name))
		t.Logf("%s: %v and %v", order, small, large)
		if large > 24*small {
			t.Errorf("%s: %d members take %v, %d take %v", order, few, small, many, large)
		}
	}
}
