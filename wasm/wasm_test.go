package wasm_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/data"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

var (
	update = flag.Bool("update", false, "write the vectors' answers anew; read the diff before it is committed")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the inputs in TestHostile")
	inputs = flag.Int("inputs", 20_000, "how many inputs TestHostile tries")
	calls  = flag.Int("calls", 20_000, "how many calls TestMemory makes")
)

const vectorsDir = "../core/testdata/vectors"

// vector is one case: an operation, an input and the answer of every host. Text is for inputs that are not a JSON object.
type vector struct {
	Op   string          `json:"op"`
	In   json.RawMessage `json:"in,omitempty"`
	Text *string         `json:"text,omitempty"`
	Out  json.RawMessage `json:"out"`

	file string
}

func (v *vector) input() []byte {
	if v.Text != nil {
		return []byte(*v.Text)
	}
	return compact(v.In)
}

func compact(text []byte) []byte {
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		return text
	}
	return b.Bytes()
}

func vectors(t testing.TB) []*vector {
	t.Helper()
	files, err := filepath.Glob(vectorsDir + "/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d vectors in %s, %v", len(files), vectorsDir, err)
	}
	var all []*vector
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := &vector{file: file}
		if err := json.Unmarshal(text, v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, v)
	}
	return all
}

// native is an instance in plain Go.
type native struct{ ops.Instance }

// call runs an operation. It panics if there is none of that name.
func (n *native) call(operation string, input []byte) []byte {
	for _, o := range ops.Operations {
		if o.Name == operation {
			return o.Run(&n.Instance, string(input))
		}
	}
	panic("there is no operation " + operation)
}

// TestVectors checks that native Go and the builds in wazero answer each vector with the same bytes. web/e2e does so for the
// page's in a browser.
func TestVectors(t *testing.T) {
	h := newHosts(t)
	var n native
	for _, v := range vectors(t) {
		got := n.call(v.Op, v.input())
		n = native{} // the next vector knows nothing of an operator's rates
		if *update {
			v.write(t, got)
			continue
		}
		if want := compact(v.Out); !bytes.Equal(got, want) {
			t.Errorf("%s natively:\n%s\n%s wanted", v.file, got, want)
		}
		h.agree(t, v.Op, v.input(), got)
		if v.Op == "rates" {
			h.agree(t, v.Op, []byte("{}"), n.call(v.Op, []byte("{}")))
		}
	}
}

// TestVectorsCoverEverything checks that the vectors have every operation, every problem that one can answer with, every
// jurisdiction of the tax table, and every reason.
func TestVectorsCoverEverything(t *testing.T) {
	var answers strings.Builder
	operations := make(map[string]bool)
	for _, v := range vectors(t) {
		operations[v.Op] = true
		answers.Write(compact(v.Out))
	}
	said := func(format string, a ...any) {
		if text := fmt.Sprintf(format, a...); !strings.Contains(answers.String(), text) {
			t.Errorf("no vector answers with %s", text)
		}
	}
	for _, o := range ops.Operations {
		if !operations[o.Name] {
			t.Errorf("no vector is about %s", o.Name)
		}
	}
	codes := problemCodes(t)
	if len(codes) < 30 {
		t.Errorf("found the codes %v only", codes)
	}
	for _, code := range codes {
		said(`"code":%q`, code)
	}
	for reason := tax.Unsupported; reason <= tax.NotCollecting; reason++ {
		said(`"reason":%q`, reason)
	}
	places := jurisdictions(t)
	if len(places) < 140 {
		t.Errorf("found the jurisdictions %v only", places)
	}
	for _, place := range places {
		said(`"%s-`, strings.ToLower(place))
	}
}

// jurisdictions returns all jurisdictions of the tax table, except the Union, which has supply rules only.
func jurisdictions(t *testing.T) (places []string) {
	t.Helper()
	for _, name := range []string{"eu", "territories", "world", "ca", "us"} {
		table, err := data.Files.ReadFile(name + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		for row := range strings.Lines(string(table)) {
			if place := strings.Split(row, "\t")[1]; place != "EU" && place != "jurisdiction" {
				places = append(places, place)
			}
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// problemCodes reads the codes of all problems in the sources of core and package ops, except for those of consents, which belong
// to no operation: the server checks them after Place.
func problemCodes(t *testing.T) (codes []string) {
	t.Helper()
	literal := regexp.MustCompile(`problem\.New\(problem\.\w+, "([a-z-]+)"`)
	for _, folder := range []string{"../core/billing", "../core/checkout", "../core/tax", "ops"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || files == nil {
			t.Fatal("no sources in", folder, err)
		}
		for _, file := range files {
			if filepath.Base(file) == "consent.go" {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range literal.FindAllSubmatch(text, -1) {
				codes = append(codes, string(match[1]))
			}
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func (v *vector) write(t *testing.T, answer []byte) {
	t.Helper()
	v.Out = answer
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(v.file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// node runs the module in Node's V8: a line in, a line out.
func node(t *testing.T, lines []string) []string {
	t.Helper()
	script := exec.Command("node", "testdata/node.mjs", "checkout.wasm")
	script.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var errs bytes.Buffer
	script.Stderr = &errs
	output, err := script.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s\nthe tests need Node 20 (apt-get install nodejs)", err, errs.String())
	}
	return strings.Split(strings.TrimSuffix(string(output), "\n"), "\n")
}

func line(operation string, input []byte) string {
	return operation + " " + base64.StdEncoding.EncodeToString(input)
}

// TestHostileInputs checks that random, broken, huge and nearly valid inputs get the same answer from native Go, from both builds in
// wazero and from the page's in V8, without a trap.
func TestHostileInputs(t *testing.T) {
	t.Logf("-seed=%d -inputs=%d", *seed, *inputs)
	rng := rand.New(rand.NewPCG(*seed, 1))
	base := vectors(t)
	h := newHosts(t)
	var n native
	var lines []string
	var want [][]byte
	for range *inputs {
		v := base[rng.IntN(len(base))]
		input := mutate(rng, v.input())
		answer := n.call(v.Op, input)
		h.agree(t, v.Op, input, answer)
		lines, want = append(lines, line(v.Op, input)), append(want, answer)
	}
	for _, v := range base {
		lines, want = append(lines, line(v.Op, v.input())), append(want, n.call(v.Op, v.input()))
	}
	answers := node(t, lines)
	if len(answers) != len(want) {
		t.Fatalf("V8 answered %d of %d", len(answers), len(want))
	}
	for i, answer := range answers {
		if got, err := base64.StdEncoding.DecodeString(answer); err != nil || !bytes.Equal(got, want[i]) {
			t.Fatalf("%s in V8: %v\n%s\n%s natively", lines[i], err, got, want[i])
		}
	}
}

// mutate breaks an input in one of several ways, or leaves it.
func mutate(rng *rand.Rand, input []byte) []byte {
	out := bytes.Clone(input)
	at := func() int { return rng.IntN(len(out) + 1) }
	for range rng.IntN(4) {
		i, j := at(), at()
		i, j = min(i, j), max(i, j)
		switch rng.IntN(8) {
		case 0:
			out = out[:i]
		case 1:
			out = append(out[:i:i], out[j:]...)
		case 2:
			out = append(out[:j:j], out[i:]...) // a piece twice
		case 3:
			out = append(out[:i:i], append([]byte{byte(rng.Uint32())}, out[i:]...)...)
		case 4:
			pieces := []string{`"\ud800"`, `null`, `{`, `}`, `[[`, `"`, `,`, `1e309`, `"taxId":"DE136695976",`, "\u202e", "İ", "\x00", "\xff", `\u0000`}
			out = append(out[:i:i], append([]byte(pieces[rng.IntN(len(pieces))]), out[i:]...)...)
		case 5:
			out = append(out[:i:i], append(bytes.Repeat([]byte("[{\"a\":"), rng.IntN(40)), out[i:]...)...)
		case 6:
			if rng.IntN(50) == 0 {
				out = append(out[:i:i], append(bytes.Repeat([]byte("a"), rng.IntN(80_000)), out[i:]...)...)
			}
		default:
			if i < len(out) {
				out[i] ^= 1 << rng.IntN(8)
			}
		}
	}
	return out
}

// TestNoImports checks that the module has no imports, so it cannot reach a clock, random numbers, files or the network.
func TestNoImports(t *testing.T) {
	for _, build := range builds {
		t.Run(build.file, func(t *testing.T) { testNoImports(t, build.module) })
	}
}

func testNoImports(t *testing.T, build []byte) {
	r := wazero.NewRuntime(t.Context())
	defer r.Close(t.Context())
	compiled, err := r.CompileModule(t.Context(), build)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(compiled.ImportedFunctions()) + len(compiled.ImportedMemories()); n != 0 {
		t.Errorf("%d imports", n)
	}
	want := "_initialize alloc crepe_abi"
	for _, o := range ops.Operations {
		want += " " + o.Name
	}
	for name := range compiled.ExportedFunctions() {
		if !strings.Contains(" "+want+" ", " "+name+" ") {
			t.Errorf("it exports %s, which is no part of the ABI", name)
		}
	}
	if got := len(compiled.ExportedFunctions()); got != len(strings.Fields(want)) {
		t.Errorf("%d exports, want %s", got, want)
	}
}

// TestInitialize checks that _initialize, which some hosts call and others do not, does nothing: the module has initialised itself, and
// rates that are loaded stay.
func TestInitialize(t *testing.T) {
	for _, build := range builds {
		t.Run(build.file, func(t *testing.T) { testInitialize(t, build.module) })
	}
}

func testInitialize(t *testing.T, build []byte) {
	r := wazero.NewRuntime(t.Context())
	defer r.Close(t.Context())
	module, err := r.Instantiate(t.Context(), build)
	if err != nil {
		t.Fatal(err)
	}
	call := func(name string, arguments ...uint64) uint64 {
		t.Helper()
		results, err := module.ExportedFunction(name).Call(t.Context(), arguments...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return append(results, 0)[0]
	}
	run := func(operation, input string) string {
		t.Helper()
		at := call("alloc", uint64(len(input)))
		module.Memory().WriteString(uint32(at), input)
		answer := call(operation, at, uint64(len(input)))
		text, _ := module.Memory().Read(uint32(answer>>32), uint32(answer))
		return string(text)
	}
	loaded := run("rates", fmt.Sprintf(`{"rates":%q}`, longestRates(t)))
	if !strings.Contains(loaded, "+") {
		t.Fatalf("rates: %s", loaded)
	}
	for range 3 {
		call("_initialize")
		if got := run("version", "{}"); got != loaded {
			t.Errorf("after _initialize the version is %s, before it %s", got, loaded)
		}
	}
}

// longest are the inputs that cost the most memory: they have the maximum length, grow when normalised, are escaped, or
// split into as many pieces as possible.
func longest(rng *rand.Rand) [][]byte {
	fill := func(format, piece string) []byte {
		return fmt.Appendf(nil, format, strings.Repeat(piece, (ops.MaxInput-len(format))/len(piece)))
	}
	all := [][]byte{
		bytes.Repeat([]byte("["), ops.MaxInput+1),
		bytes.Repeat([]byte("a"), ops.MaxInput+1),
		fill(`{"country":"DE","isBusiness":true,"businessName":"%s"}`, "a"),
		fill(`{"country":"GB","isBusiness":true,"businessName":"a","taxId":"%s"}`, "1"),
		fill(`{"on":"2026-11-23","step":"%s"}`, "0"),
		fill(`{"seller":{"country":"DE","registrations":[%s{}]}}`, "{},"),
		fill(`{"seller":{"country":"DE","registrations":[%s{}]}}`, `{"from":"1","jurisdiction":"DE"},`),
		[]byte("{" + members(ops.MaxInput-20) + `"x":0}`),
	}
	pieces := []string{"a", "İ", "Ⱥ", `\u0130`, `\u0001`, `\"`}
	for range 40 {
		head := "{" + members(rng.IntN(ops.MaxInput/4)) + `"email":"A` + pieces[rng.IntN(len(pieces))]
		first := strings.Repeat(pieces[rng.IntN(len(pieces))], rng.IntN(5_000))
		all = append(all, fill(head+first+`%s"}`, pieces[rng.IntN(len(pieces))]))
	}
	return all
}

// members returns as many members of an object as fit.
func members(size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%q:0,", strconv.FormatInt(int64(i), 36))
	}
	return b.String()
}

// TestLongestInputs checks that the longest inputs get the same answers within the module's memory.
func TestLongestInputs(t *testing.T) {
	t.Logf("-seed=%d", *seed)
	h := newHosts(t)
	var n native
	for _, input := range longest(rand.New(rand.NewPCG(*seed, 2))) {
		for _, o := range ops.Operations {
			h.agree(t, o.Name, input, n.call(o.Name, input))
		}
	}
}

// TestMemory checks that forms need little memory, the longest inputs somewhat more, and later calls no more. budgets.txt
// has the limits; make torture makes a million calls.
func TestMemory(t *testing.T) {
	for _, build := range builds {
		t.Run(build.file, func(t *testing.T) { testMemory(t, build.module) })
	}
}

func testMemory(t *testing.T, build []byte) {
	r := wazero.NewRuntime(t.Context())
	defer r.Close(t.Context())
	module, err := r.Instantiate(t.Context(), build)
	if err != nil {
		t.Fatal(err)
	}
	abi, err := module.ExportedFunction("crepe_abi").Call(t.Context())
	if err != nil || abi[0] != ops.ABI {
		t.Fatalf("ABI %v, %v", abi, err)
	}
	run := func(operation string, input []byte) {
		at, err := module.ExportedFunction("alloc").Call(t.Context(), uint64(len(input)))
		if err != nil {
			t.Fatal(err)
		}
		if !module.Memory().Write(uint32(at[0]), input) {
			t.Fatal("alloc answered with memory that is not there")
		}
		if _, err := module.ExportedFunction(operation).Call(t.Context(), at[0], uint64(len(input))); err != nil {
			t.Fatal(err)
		}
	}
	base := vectors(t)
	for _, v := range base {
		run(v.Op, v.input())
	}
	hold(t, "memory", int(module.Memory().Size()))
	run("rates", fmt.Appendf(nil, `{"rates":%q}`, longestRates(t)))
	for _, input := range longest(rand.New(rand.NewPCG(1, 3))) {
		for _, o := range ops.Operations {
			if o.Name != "rates" { // the longest are kept
				run(o.Name, input)
			}
		}
	}
	warm := module.Memory().Size()
	for i := range *calls {
		v := base[i%len(base)]
		run(v.Op, v.input())
	}
	hold(t, "memory-longest", int(module.Memory().Size()))
	if size := module.Memory().Size(); size != warm {
		t.Errorf("%d bytes, %d before the last %d calls", size, warm, *calls)
	}
}

// longestRates returns the largest rates that an instance keeps.
func longestRates(t *testing.T) string {
	t.Helper()
	text, rows := "", "id\tjurisdiction\ttax\trate\tpostcode\n"
	for i := 0; ; i++ {
		rows += fmt.Sprintf("r%d\tUS-TX\tsales\t8.25\t%d\n", i, 73_000+i)
		own, wrong := table.Parse(rows)
		if wrong != nil {
			t.Fatal(wrong)
		}
		if len(own.Text()) > ops.MaxRates {
			return text
		}
		text = own.Text()
	}
}
