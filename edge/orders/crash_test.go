package orders_test

import (
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// flows are the ways that an order can go; together they take every step of the state machine.
var flows = map[string][]step{
	"order":            {submit{Country: "DE"}},
	"order again":      {submit{Country: "DE"}, submit{Country: "DE"}},
	"double click":     {submit{Country: "DE", Racing: true}, submit{Country: "DE"}},
	"lost answer":      {fail{[]sandbox.Fault{"lost_response", "lost_response"}}, submit{Country: "DE"}, pass{20 * time.Second}},
	"refused":          {fail{[]sandbox.Fault{"400"}}, submit{Country: "DE"}, submit{Country: "DE"}},
	"stuck":            {fail{[]sandbox.Fault{"500_side_effect"}}, submit{Country: "DE"}, submit{Country: "DE"}},
	"supersede":        {submit{Country: "DE"}, submit{Country: "FR"}},
	"supersede late":   {submit{Country: "DE"}, fail{[]sandbox.Fault{"expire.lost_response"}}, submit{Country: "FR"}, pass{12 * time.Second}},
	"too late to edit": {submit{Country: "DE"}, fail{[]sandbox.Fault{"lost"}}, buy{Outcome: "succeeds"}, submit{Country: "FR"}},
	"pay":              {submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}},
	"pay first":        {fail{[]sandbox.Fault{"first"}}, submit{Country: "DE"}, pass{time.Second}},
	"pay later":        {submit{Country: "DE"}, buy{Outcome: "later"}, pass{12 * time.Second}},
	"pay never":        {submit{Country: "DE"}, buy{Outcome: "later_fails"}, pass{12 * time.Second}, submit{Country: "DE"}},
	"decline, pay":     {submit{Country: "DE"}, buy{Outcome: "declined"}, buy{Outcome: "succeeds"}, pass{time.Second}},
	"unresolved":       {fail{[]sandbox.Fault{"timeout", "timeout", "timeout"}}, submit{Country: "DE"}, pass{40 * time.Second}},
	"given up":         {fail{[]sandbox.Fault{"timeout", "timeout", "timeout"}}, submit{Country: "DE"}, pass{10 * time.Second}, leap{31 * time.Minute}},
	"expire":           {submit{Country: "DE"}, leap{63 * time.Minute}},
	"expire unheard":   {submit{Country: "DE"}, fail{[]sandbox.Fault{"lost"}}, leap{63 * time.Minute}},
	"paid unheard":     {submit{Country: "DE"}, fail{[]sandbox.Fault{"lost"}}, buy{Outcome: "succeeds"}, leap{63 * time.Minute}},
}

// I11: a crash at every commit and call boundary of every flow, followed by the sweeper, leaves everything as it has to be.
// This is exhaustive: a flow is played with a crash at its first boundary, its second, and so on, until it ends before the
// crash comes.
func TestCrashAtEveryBoundary(t *testing.T) {
	for name, flow := range flows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 1
			for ; ; n++ {
				r := play(t, mutant{}, append([]step{crash{n}}, flow...))
				if len(r.violations) > 0 {
					t.Errorf("a crash at boundary %d: %v\n%s", n, r.violations, r.log)
				}
				if r.crashes == 0 {
					break
				}
			}
			if n < 4 {
				t.Errorf("%d boundaries only: the flow is not played", n-1)
			}
			t.Logf("%d boundaries", n-1)
		})
	}
}
