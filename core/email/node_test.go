package email

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random strings in TestNormalizeIsJavaScript")

// judge is a Node process that compares Normalize with JavaScript.
type judge struct {
	in       *json.Encoder
	out      *json.Decoder
	versions struct{ Unicode, Node string }
}

type batch struct {
	In  []string `json:"in"`
	Out []string `json:"out"`
}

type verdict struct {
	Judged int
	Wrong  []mistake
}

type mistake struct{ In, Out, Want, Unassigned string }

func startJudge(t *testing.T) *judge {
	t.Helper()
	node := exec.Command("node", "testdata/judge.mjs")
	node.Stderr = os.Stderr
	stdin, err := node.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatalf("this test compares with JavaScript; put node 18 or newer on the PATH (apt-get install nodejs): %v", err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := node.Wait(); err != nil {
			t.Error(err)
		}
	})
	j := &judge{in: json.NewEncoder(stdin), out: json.NewDecoder(bufio.NewReaderSize(stdout, 1<<16))}
	if err := j.out.Decode(&j.versions); err != nil {
		t.Fatal(err)
	}
	return j
}

// mistakes sends the batches and reads the verdicts concurrently, so that both processes work at once.
func (j *judge) mistakes(t *testing.T, batches [][]string) (all []mistake) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		for _, in := range batches {
			out := make([]string, len(in))
			for i, s := range in {
				out[i] = Normalize(s)
			}
			if err := j.in.Encode(batch{in, out}); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for _, in := range batches {
		var v verdict
		if err := j.out.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if v.Judged != len(in) {
			t.Fatalf("judged %d strings of %d", v.Judged, len(in))
		}
		all = append(all, v.Wrong...)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNormalizeIsJavaScript(t *testing.T) {
	t.Logf("-seed=%d", *seed)
	batches := slices.Concat(everyCodePoint(), [][]string{corpus(t), randomStrings(*seed, 50_000)})
	j := startJudge(t)
	assigned := readAssigned(t)
	excused := 0
	for _, m := range j.mistakes(t, batches) {
		if j.versions.Unicode != unicodeVersion && ofOneVersion(m, assigned) {
			excused++
			continue
		}
		t.Errorf("Normalize(%+q) = %+q, in JavaScript %+q", m.In, m.Out, m.Want)
	}
	if excused > 0 {
		t.Logf("excused: %d strings with characters that Unicode %s (the tables) and %s (node %s) do not share",
			excused, unicodeVersion, j.versions.Unicode, j.versions.Node)
	}
}

// reclassified are characters that were assigned before and have become cased, uncased or ignorable since Unicode 15.1, the
// oldest version in use (node 18): U+0295 from Ll to Lo and U+1171E from Mc to Mn, both in 16.0.
const reclassified = "\u0295\U0001171e"

// ofOneVersion reports whether the string has a character that is assigned, or has its class, in only one of the two Unicode
// versions.
func ofOneVersion(m mistake, assigned func(rune) bool) bool {
	return strings.ContainsAny(m.In, reclassified) || strings.ContainsFunc(m.In, func(r rune) bool {
		return assigned(r) == strings.ContainsRune(m.Unassigned, r)
	})
}

// readAssigned returns the set of characters in the tables' Unicode version.
func readAssigned(t *testing.T) func(rune) bool {
	t.Helper()
	var ranges [][2]rune
	for line := range strings.Lines(readFile(t, "testdata/assigned.txt")) {
		var r [2]rune
		if _, err := fmt.Sscanf(line, "%x %x\n", &r[0], &r[1]); err != nil {
			t.Fatal(err)
		}
		ranges = append(ranges, r)
	}
	return func(c rune) bool {
		return slices.ContainsFunc(ranges, func(r [2]rune) bool { return r[0] <= c && c <= r[1] })
	}
}

// everyCodePoint yields each code point except surrogates: alone, between spaces, and in each position near a sigma. For
// speed the positions share one string, separated by line feeds, which have the effect of the string's end on a sigma.
func everyCodePoint() (batches [][]string) {
	const perBatch = 2048 // which the surrogates are, too
	for first := rune(0); first <= 0x10ffff; first += perBatch {
		if first == 0xd800 {
			continue
		}
		b := make([]string, 0, 3*perBatch)
		for c := first; c < first+perBatch; c++ {
			s := string(c)
			b = append(b, s, " "+s+" ", "a"+s+"\n"+s+"a\naΣ"+s+"\naΣ"+s+"b\nΣ"+s+"\n"+s+"Σ\na"+s+"Σ")
		}
		batches = append(batches, b)
	}
	return batches
}

// randomStrings yields strings with many characters that make case mapping hard: sigmas among letters, apostrophes, marks
// and spaces.
func randomStrings(seed uint64, count int) []string {
	rng := rand.New(rand.NewPCG(seed, 0))
	hard := []rune("ΣΣΣσςAaβ.:'’- \u0301\u0345\u00ad\u200d\ufeff\u3000ʰªİIıẞ@1漢😀𐐀")
	random := make([]string, count)
	for i := range random {
		var s []rune
		for range rng.IntN(12) {
			switch c := rng.Int32N(0x110000); {
			case rng.IntN(4) > 0 || 0xd800 <= c && c <= 0xdfff:
				s = append(s, hard[rng.IntN(len(hard))])
			case c%2 == 0:
				s = append(s, c%0x2000)
			default:
				s = append(s, c)
			}
		}
		random[i] = string(s)
	}
	return random
}

// corpus is testdata/corpus.txt, a JSON string on each line.
func corpus(t testing.TB) (list []string) {
	t.Helper()
	for line := range strings.Lines(readFile(t, "testdata/corpus.txt")) {
		var s string
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, s)
	}
	return list
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
