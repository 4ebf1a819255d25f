package server

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// compareCPU makes TestCosts compare CPU time, too.
var compareCPU = flag.Bool("cpu-costs", false, "let TestCosts compare CPU time, which takes a minute")

// How TestCosts measures. With so many rounds the CPU time of the same program differs by less than cpuTolerance on a busy machine.
const (
	cpuRounds        = 120
	allocationRounds = 4
	cpuTolerance     = 0.15
	allocTolerance   = 0.05 // and one allocation
)

// TestCosts compares the costs of the operations with costs.txt: the allocations, and with -cpu-costs the CPU time. CPU time is in
// proportion to that of [calibrate], which is measured before and after the operation, so that a slower or a busy machine changes both.
// An operation that seems slower is measured for longer before it fails. -update writes the file.
func TestCosts(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // wake-ups of other threads would be counted, and depend on the load
	all, rounds, baseline := operations(t), allocationRounds, readCosts(t)
	if *compareCPU {
		rounds = cpuRounds
		tellsSlower(t)
	}
	measure(t, all, rounds)
	if *compareCPU && !*shoptest.Update {
		measure(t, slices.DeleteFunc(slices.Clone(all), func(o *operation) bool { return !baseline[o.name].slower(o.cost()) }), 2*rounds)
	}
	table := new(strings.Builder)
	fmt.Fprintf(table, "\n%-10s %12s %10s %7s %12s %10s\n", "operation", "CPU, ratio", "baseline", "change", "allocations", "baseline")
	for _, o := range all {
		now, before := o.cost(), baseline[o.name]
		ratio, change := "-", "-"
		if *compareCPU {
			ratio, change = fmt.Sprintf("%.2f", now.cpu), fmt.Sprintf("%+.0f%%", (now.cpu/before.cpu-1)*100)
		} else {
			now.cpu = before.cpu
		}
		baseline[o.name] = now
		fmt.Fprintf(table, "%-10s %12s %10.2f %7s %12.0f %10.0f\n", o.name, ratio, before.cpu, change, now.allocations, before.allocations)
		if *shoptest.Update {
			continue
		}
		if before.slower(now) {
			t.Errorf("%s takes %.2f times the CPU time of %s; find the cause with -cpuprofile", o.name, now.cpu/before.cpu, costsFile)
		}
		if before.allocatesOtherwise(now) {
			t.Errorf("%s: %.0f allocations, and %s says %.0f; find the cause with -memprofile -memprofilerate 1", o.name, now.allocations, costsFile, before.allocations)
		}
	}
	t.Log(table)
	if *shoptest.Update {
		writeCosts(t, all, baseline)
	} else if t.Failed() {
		t.Logf("if the change is wanted, write %s with ./build.sh bench-check -update, and give the reason in the commit", costsFile)
	}
}

// TestComparison: what counts as slower, and as other allocations.
func TestComparison(t *testing.T) {
	c := cost{cpu: 2, allocations: 100}
	for cpu, want := range map[float64]bool{1: false, 2: false, 2.29: false, 2.31: true} {
		if c.slower(cost{cpu: cpu}) != want {
			t.Errorf("%.2f counts as slower than %.2f: %t", cpu, c.cpu, !want)
		}
	}
	for allocations, want := range map[float64]bool{93: true, 94: false, 100: false, 106: false, 107: true} {
		if c.allocatesOtherwise(cost{allocations: allocations}) != want {
			t.Errorf("%.0f allocations count as other than %.0f: %t", allocations, c.allocations, !want)
		}
	}
}

// tellsSlower checks that an operation that takes half as much again is found, and that one that takes as much is not.
func tellsSlower(t *testing.T) {
	twice := &operation{calls: 1, prepare: func(int) func() { return func() { calibrate(); calibrate() } }}
	thrice := &operation{calls: 1, prepare: func(int) func() { return func() { calibrate(); calibrate(); calibrate() } }}
	measure(t, []*operation{twice, thrice}, 40)
	baseline := cost{cpu: 2 * calibrations}
	if baseline.slower(twice.cost()) || !baseline.slower(thrice.cost()) {
		t.Errorf("%+v and %+v beside %+v", twice.cost(), thrice.cost(), baseline)
	}
}

// cost is what a call of an operation takes.
type cost struct {
	cpu         float64 // CPU time in proportion to a unit of calibrate
	allocations float64
}

func (c cost) slower(now cost) bool { return now.cpu > c.cpu*(1+cpuTolerance) }

// allocatesOtherwise holds for fewer allocations, too, so that the baseline is always that of the program.
func (c cost) allocatesOtherwise(now cost) bool {
	return math.Abs(now.allocations-c.allocations) > 1+c.allocations*allocTolerance
}

// operation is a part of the server whose costs are compared.
type operation struct {
	name, about string
	calls       int                              // in a round, a few milliseconds
	prepare     func(calls int) (perform func()) // makes the input of so many calls, and returns what performs them

	ratios, allocations []float64 // of the rounds
}

// measure measures rounds in which the operations alternate.
func measure(t *testing.T, operations []*operation, rounds int) {
	for range rounds {
		for _, o := range operations {
			o.measure(t)
		}
	}
}

// measure measures a round.
func (o *operation) measure(t *testing.T) {
	perform := o.prepare(o.calls)
	var before, after runtime.MemStats
	unit := processorTimeOf(t, calibrate)
	runtime.ReadMemStats(&before)
	took := processorTimeOf(t, perform)
	runtime.ReadMemStats(&after)
	unit += processorTimeOf(t, calibrate)
	calls := float64(o.calls)
	o.ratios = append(o.ratios, took.Seconds()/calls/(unit.Seconds()/2/calibrations))
	o.allocations = append(o.allocations, float64(after.Mallocs-before.Mallocs)/calls)
}

// cost is the median of the CPU time, and the least of the allocations: other goroutines only add some.
func (o *operation) cost() cost {
	return cost{slices.Sorted(slices.Values(o.ratios))[len(o.ratios)/2], math.Round(slices.Min(o.allocations))}
}

func processorTimeOf(t *testing.T, do func()) time.Duration {
	before := processorTime(t)
	do()
	return processorTime(t) - before
}

// calibrations are the units of work of calibrate.
const calibrations = 300

// calibrate does work of the server's kind with the standard library only: it encodes, decodes, allocates and hashes.
func calibrate() {
	value := map[string]any{"id": "ORD_0", "amount": 2900.0, "items": []any{"Notebook", "DE", true, nil}}
	for range calibrations {
		text, err := json.Marshal(value)
		if err == nil {
			err = json.Unmarshal(text, &value)
		}
		if err != nil || sha256.Sum256(text) == [sha256.Size]byte{} {
			panic(err)
		}
	}
}

// costsFile has a line for each operation.
const costsFile = "costs.txt"

const costsHead = `# What operations cost: CPU time in proportion to a unit of the loop in costs_linux_test.go, and allocations.
#
# make test fails if allocations differ from this file by more than 5 % and one; make bench-check also if an operation takes 15 % more CPU
# time. "./build.sh bench-check -update" writes the file. The commit gives the reason.
#
# operation     CPU  allocations
`

func readCosts(t *testing.T) map[string]cost {
	text, err := os.ReadFile(costsFile)
	if err != nil && !*shoptest.Update {
		t.Fatalf("%v; ./build.sh bench-check -update writes it", err)
	}
	costs := make(map[string]cost)
	for line := range strings.Lines(string(text)) {
		var name string
		var c cost
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscan(line, &name, &c.cpu, &c.allocations); err != nil {
			t.Fatalf("%s: %q: %v", costsFile, line, err)
		}
		costs[name] = c
	}
	return costs
}

func writeCosts(t *testing.T, all []*operation, costs map[string]cost) {
	text := new(strings.Builder)
	text.WriteString(costsHead)
	for _, o := range all {
		fmt.Fprintf(text, "%-10s %8.2f  %11.0f  %s\n", o.name, costs[o.name].cpu, costs[o.name].allocations, o.about)
	}
	if err := os.WriteFile(costsFile, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
