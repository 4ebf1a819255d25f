package orders_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

var (
	faultRuns    = flag.Int("fault-runs", 1, "how many schedules TestFaults plays for each fault")
	faultSeed    = flag.Int("fault-seed", 1, "of the first schedule of TestFaults")
	crashTwice   = flag.Bool("crash-twice", false, "TestCrashAtEveryBoundary: crash again, at every boundary of the recovery")
	updateFaults = flag.Bool("update", false, "write the rows of the fault table anew")
)

// columns are what has to hold whatever goes wrong, and the invariants that say so.
var columns = []struct {
	name       string
	invariants []string
}{
	{"order kept", []string{"I2", "I3"}},
	{"one payable checkout", []string{"I1", "I9"}},
	{"price frozen", []string{"I8", "I10"}},
	{"URL durable", []string{"I5", "I6", "I13"}},
	{"webhook order irrelevant", []string{"I7"}},
	{"recovered unaided", []string{"I4"}},
	{"refunded once", []string{"I15", "I16", "I17"}},
	{"merchant told", []string{"I14", "I18"}},
	{"answers documented", []string{"answers"}},
	{"nothing secret told", []string{"I12"}},
}

// TestFaults plays schedules that have one fault each, of every kind that the sandbox knows, and counts what held.
func TestFaults(t *testing.T) {
	t.Logf("-fault-runs=%d -fault-seed=%d", *faultRuns, *faultSeed)
	head := []string{"fault", "runs"}
	for _, c := range columns {
		head = append(head, c.name)
	}
	table := newTable("Faults of the payment provider", "Random schedules of orders, edits, payments, crashes, stalls, second processes, "+
		"lost commits and leaps of the clock, in which this is what goes wrong at the provider. The longest recovery is in the time "+
		"of a virtual clock, from the last fault until nothing was in doubt.", append(head, "longest recovery")...)
	t.Run("kinds", func(t *testing.T) {
		for _, kind := range fault.All() {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				table.add(tally(t, kind)...)
			})
		}
	})
	table.write(t, "provider")
}

// tally is the row of one kind of fault. Every schedule begins with an order that meets it.
func tally(t *testing.T, kind fault.Spec) []string {
	broken, longest := make(map[string]int), time.Duration(0)
	anything := schedule(append([]fault.Spec{kind}, variants[kind]...))
	for i := range *faultRuns {
		steps := []step{fail{[]fault.Spec{kind}}, submit{Country: "DE"}, pass{5 * time.Second}, buy{Outcome: "succeeds"}}
		r := play(t, mutant{}, append(steps, anything.Example(*faultSeed+i)...))
		if len(r.violations) > 0 {
			t.Errorf("-fault-seed=%d: %v\n%s", *faultSeed+i, r.violations, r.log)
		}
		longest = max(longest, r.recovered)
		for _, c := range columns {
			if slices.ContainsFunc(c.invariants, r.saw) {
				broken[c.name]++
			}
		}
	}
	line := []string{string(kind), strconv.Itoa(*faultRuns)}
	for _, c := range columns {
		line = append(line, strconv.Itoa(*faultRuns-broken[c.name]))
	}
	return append(line, longest.Round(time.Second).String())
}

// table is a part of edge/FAULTS.md. Tests add its rows at once.
type table struct {
	mutex sync.Mutex
	head  []string // title, what it tells, and the names of the columns
	rows  []string
}

func newTable(title, about string, columns ...string) *table {
	return &table{head: []string{title, about, strings.Join(columns, "\t")}}
}

func (b *table) add(cells ...string) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.rows = append(b.rows, strings.Join(cells, "\t"))
}

// write keeps the rows for TestFaultTable of package main, which says what the file holds.
func (b *table) write(t *testing.T, name string) {
	if !*updateFaults {
		return
	}
	slices.Sort(b.rows)
	text := strings.Join(slices.Concat(b.head, b.rows), "\n") + "\n"
	if err := os.WriteFile(filepath.Join("..", "testdata", "faults", name+".tsv"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
