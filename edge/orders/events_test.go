package orders_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// purchases are what a buyer does on one checkout, by the outcomes that he chooses.
var purchases = map[string][]string{
	"paid":                  {"succeeds"},
	"declined, paid":        {"declined", "succeeds"},
	"paid later":            {"later"},
	"bounced":               {"later_fails"},
	"declined, paid later":  {"declined", "later"},
	"declined, bounced":     {"declined", "later_fails"},
	"declined twice, paid":  {"declined", "insufficient_funds", "succeeds"},
	"abandoned":             {},
	"declined, abandoned":   {"declined"},
	"challenged, abandoned": {"challenge"},
}

// I7: webhook application is commutative. The provider's own events of a purchase lead to the same order in every order of
// their coming, each of them coming twice.
func TestEventsInAnyOrder(t *testing.T) {
	for name, outcomes := range purchases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, n := afterEvents(t, outcomes, nil)
			for _, order := range permutations(n) {
				if got, _ := afterEvents(t, outcomes, order); !slices.Equal(got, want) {
					t.Errorf("in the order %v: %v; as they came: %v", order, got, want)
				}
			}
			t.Logf("%d events: %v", n, want)
		})
	}
}

// afterEvents lets a purchase happen, of which nothing is heard until all is over, and then all events come in an order, nil
// for their own. It returns what became of our order, and how many events there were.
func afterEvents(t *testing.T, outcomes []string, order []int) (state []string, n int) {
	inWorld(t, mutant{}, func(w *world) {
		w.deaf = true
		submit{Country: "DE"}.take(w)
		w.settle()
		for _, o := range outcomes {
			buy{Outcome: o}.take(w)
		}
		time.Sleep(15 * time.Second)
		w.leap(61 * time.Minute) // no sweep looks before two minutes more
		w.settle()
		n = len(w.events)
		if order == nil {
			for i := range n {
				order = append(order, i)
			}
		}
		for _, i := range append(order, order...) {
			must(w.current.apply(w.events[i], signedAt(w.events[i].signature)))
		}
		for _, o := range w.look().orders {
			state = append(state, string(o.State), string(o.Current().State))
			for _, p := range o.Payments {
				state = append(state, string(p.Status)+" "+p.Reason)
			}
		}
		if len(state) > 2 {
			slices.Sort(state[2:])
		}
	})
	return state, n
}

// permutations are all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for i := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), i, n-1))
		}
	}
	return all
}

// TestRepeatedDeclines: a card that is declined twice for one reason is two tries to pay, also when their events come again.
func TestRepeatedDeclines(t *testing.T) {
	inWorld(t, mutant{}, func(w *world) {
		submit{Country: "DE"}.take(w)
		w.settle()
		for range 2 {
			buy{Outcome: "declined"}.take(w)
			pass{2 * time.Second}.take(w)
		}
		w.settle()
		must(w.eventsAgainChangeNothing(rand.New(rand.NewPCG(1, 1))))
		for _, o := range w.look().orders {
			if len(o.Payments) != 2 {
				t.Errorf("recorded %+v", o.Payments)
			}
		}
	})
}
