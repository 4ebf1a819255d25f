package vatid

import (
	"bytes"
	"encoding/json"
	"flag"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the numbers in TestNpmValidators")

// TestNpmValidators compares Parse with two other validators. Each difference must be in knownErrors, and each known error
// must still occur.
func TestNpmValidators(t *testing.T) {
	t.Logf("-seed=%d", *seed)
	numbers := generate(*seed, 3300) // a kind: more than 100,000 in all
	for _, e := range knownErrors {
		numbers = append(numbers, e.example)
	}
	said := judge(t, numbers)
	if t.Logf("%d numbers", len(numbers)); len(numbers) < 100_000 {
		t.Error("fewer than 100,000")
	}
	for i, n := range numbers {
		_, fault := Parse(n.country(), n.prefix+n.national)
		for pkg, accepts := range said[i].all() {
			if accepts != (fault == None) && !slices.ContainsFunc(knownErrors, explains(pkg, n, accepts)) {
				t.Errorf("%s %s: Parse says %v, %s %v", n.prefix, n.national, fault, pkg, accepts)
			}
		}
	}
	for i, e := range knownErrors {
		n := e.example
		_, fault := Parse(n.country(), n.prefix+n.national)
		accepts := *said[len(numbers)-len(knownErrors)+i][e.pkg]
		if accepts != e.accepts || accepts == (fault == None) || !explains(e.pkg, n, accepts)(e) {
			t.Errorf("%s %s is no example of %q any more: Parse says %v, %s %v", n.prefix, n.national, e.why, fault, e.pkg, accepts)
		}
	}
}

// number is a national number and its prefix.
type number struct{ prefix, national string }

// MarshalJSON encodes a pair.
func (n number) MarshalJSON() ([]byte, error) {
	return json.Marshal([]string{n.prefix, n.national})
}

func (n number) country() string {
	if n.prefix == "EL" {
		return "GR"
	}
	return n.prefix
}

// verdicts are what the packages say of a number, nil if they do not know its country.
type verdicts [2]*bool

// all yields the verdicts that there are.
func (v verdicts) all() iter.Seq2[validator, bool] {
	return func(yield func(validator, bool) bool) {
		for pkg, accepts := range v {
			if accepts != nil && !yield(validator(pkg), *accepts) {
				return
			}
		}
	}
}

// judge runs the packages in testdata/npm and installs them first if they are missing.
func judge(t *testing.T, numbers []number) (list []verdicts) {
	t.Helper()
	if _, err := os.Stat("testdata/npm/node_modules/.package-lock.json"); err != nil {
		run(t, nil, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	}
	in, err := json.Marshal(numbers)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(run(t, in, "node", "judge.mjs"), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(numbers) {
		t.Fatalf("%d verdicts on %d numbers", len(list), len(numbers))
	}
	return list
}

func run(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = "testdata/npm"
	command.Stdin = bytes.NewReader(stdin)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s\nthis test needs node and npm on the PATH (apt-get install nodejs npm) and, once, npm's registry",
			command, err, &stderr)
	}
	return out
}

// generate returns count numbers for each country: a third valid, a third of these damaged, a third random.
func generate(seed uint64, count int) (numbers []number) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range rules {
		r := &rules[i]
		forms := strings.Fields(r.forms())
		for range count / 3 {
			form := forms[rng.IntN(len(forms))]
			sound := random(rng, form)
			for !r.check(sound) || isPlaceholder(sound) {
				sound = random(rng, form)
			}
			for _, n := range []string{sound, damage(rng, sound), random(rng, form)} {
				numbers = append(numbers, number{r.country(), complete(r, n)})
			}
		}
	}
	return numbers
}

// complete adds what Parse adds and the others do not.
func complete(r *rule, n string) string {
	lead, tail := r.omitted(n)
	return lead + n + tail
}

// random returns a string that fits the format.
func random(rng *rand.Rand, form string) string {
	const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+*"
	n := []byte(form)
	for i, class := range n {
		for n[i] = class; 'a' <= n[i] || !fitsClass(class, n[i]); {
			n[i] = all[rng.IntN(len(all))]
		}
	}
	return string(n)
}

// damage swaps two characters, drops one, doubles one or, mostly, replaces one with a digit.
func damage(rng *rand.Rand, n string) string {
	i := rng.IntN(len(n) - 1)
	switch rng.IntN(8) {
	case 0:
		return n[:i] + n[i+1:i+2] + n[i:i+1] + n[i+2:]
	case 1:
		return n[:i] + n[i+1:]
	case 2:
		return n[:i] + n[i:i+1] + n[i:]
	}
	return n[:i] + string("0123456789"[rng.IntN(10)]) + n[i+1:]
}
