package orders_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// flows are the ways that an order can go; together they take every step of the state machine.
var flows = map[string][]step{
	"order":            {submit{Country: "DE"}},
	"order again":      {submit{Country: "DE"}, submit{Country: "DE"}},
	"double click":     {submit{Country: "DE", Racing: true}, submit{Country: "DE"}},
	"lost answer":      {fail{[]fault.Spec{"lost_response", "lost_response"}}, submit{Country: "DE"}, pass{20 * time.Second}},
	"refused":          {fail{[]fault.Spec{"400"}}, submit{Country: "DE"}, submit{Country: "DE"}},
	"stuck":            {fail{[]fault.Spec{"500_side_effect"}}, submit{Country: "DE"}, submit{Country: "DE"}},
	"supersede":        {submit{Country: "DE"}, submit{Country: "FR"}},
	"supersede late":   {submit{Country: "DE"}, fail{[]fault.Spec{"expire.lost_response"}}, submit{Country: "FR"}, pass{12 * time.Second}},
	"too late to edit": {submit{Country: "DE"}, fail{[]fault.Spec{"lost"}}, buy{Outcome: "succeeds"}, submit{Country: "FR"}},
	"pay":              {submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}},
	"pay first":        {fail{[]fault.Spec{"first"}}, submit{Country: "DE"}, pass{time.Second}},
	"pay later":        {submit{Country: "DE"}, buy{Outcome: "later"}, pass{12 * time.Second}},
	"pay never":        {submit{Country: "DE"}, buy{Outcome: "later_fails"}, pass{12 * time.Second}, submit{Country: "DE"}},
	"refund":           {submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}, moneyBack{Amount: "10.00", Again: true}, pass{20 * time.Second}},
	"refund unheard":   {submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}, fail{[]fault.Spec{"refund.lost_response", "refund.lost_response", "lost", "lost"}}, moneyBack{Amount: "10.00"}, pass{40 * time.Second}},
	"refund burned":    {submit{Country: "DE"}, buy{Outcome: "succeeds"}, pass{time.Second}, fail{[]fault.Spec{"refund.500_side_effect", "lost", "lost"}}, moneyBack{Amount: "34.51"}, pass{40 * time.Second}},
	"refund later":     {submit{Country: "DE"}, buy{Outcome: "refund_later"}, pass{time.Second}, moneyBack{Amount: "34.51"}, pass{20 * time.Second}},
	"refund fails":     {submit{Country: "DE"}, buy{Outcome: "refund_fails"}, pass{time.Second}, moneyBack{Amount: "10.00"}, pass{20 * time.Second}},
	"decline, pay":     {submit{Country: "DE"}, buy{Outcome: "declined"}, buy{Outcome: "succeeds"}, pass{time.Second}},
	"unresolved":       {fail{[]fault.Spec{"timeout", "timeout", "timeout"}}, submit{Country: "DE"}, pass{40 * time.Second}},
	"given up":         {fail{[]fault.Spec{"timeout", "timeout", "timeout"}}, submit{Country: "DE"}, pass{10 * time.Second}, leap{31 * time.Minute}},
	"expire":           {submit{Country: "DE"}, leap{63 * time.Minute}},
	"expire unheard":   {submit{Country: "DE"}, fail{[]fault.Spec{"lost"}}, leap{63 * time.Minute}},
	"ended unheard":    {submit{Country: "DE"}, end{Unheard: true}, pass{40 * time.Second}, submit{Country: "DE"}},
	"back from paying": {submit{Country: "DE"}, fail{[]fault.Spec{"lost"}}, buy{Outcome: "succeeds"}, pass{40 * time.Second}, submit{Country: "DE"}},
	"paid unheard":     {submit{Country: "DE"}, fail{[]fault.Spec{"lost"}}, buy{Outcome: "succeeds"}, leap{63 * time.Minute}},
}

// I11: a crash at every commit and call boundary of every flow, followed by the sweeper, leaves everything as it has to be.
// This is exhaustive: a flow is played with a crash at its first boundary, its second, and so on, until it ends before the
// crash comes. With -crash-twice the process dies a second time, at every boundary of what it does after the first.
func TestCrashAtEveryBoundary(t *testing.T) {
	table := newTable("A crash at every boundary", "The process dies before or after a commit, before a call of the provider leaves, or "+
		"after the provider has acted and before its answer arrives; at each such boundary of each flow, and then again at each "+
		"boundary of what it does after that. Enumerated, not sampled.", "flow", "boundaries", "crashes", "all invariants held")
	t.Run("flows", func(t *testing.T) {
		for _, name := range slices.Sorted(maps.Keys(flows)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := crashes{T: t, flow: append(flows[name], pass{10 * time.Second})}
				n := 1
				for ; c.at(n, 0); n++ {
					for again := 1; *crashTwice && c.at(n, again); again++ {
					}
				}
				if n < 4 {
					t.Errorf("%d boundaries only: the flow is not played", n-1)
				}
				table.add(name, strconv.Itoa(n-1), strconv.Itoa(c.crashed), strconv.Itoa(c.held))
			})
		}
	})
	table.write(t, "crash")
}

// crashes are those of one flow.
type crashes struct {
	*testing.T
	flow          []step
	crashed, held int
}

// at lets the process die at a boundary, and the next one at another; 0 is never. It reports whether both came.
func (c *crashes) at(n, again int) bool {
	c.Helper()
	r := play(c.T, mutant{}, append([]step{crash{n, again}}, c.flow...))
	want := 1
	if again > 0 {
		want = 2
	}
	if r.crashes < want {
		return false
	}
	c.crashed++
	if len(r.violations) == 0 {
		c.held++
	} else {
		c.Errorf("a crash at boundary %d, then %d: %v\n%s", n, again, r.violations, r.log)
	}
	return true
}
