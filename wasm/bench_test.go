package wasm_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/wasm"
	"github.com/crepe-checkout/crepe/wasm/host"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// BenchmarkHosts validates the billing details of the vectors with the core natively, with the builds of the module in wazero and in V8,
// and with alternatives in JavaScript. It prints the table of BENCHMARKS.md; -update writes it there and the times into
// budgets.txt. Short rounds alternate between all of them, and the fastest counts, because other load only slows one down.
func BenchmarkHosts(b *testing.B) {
	details := billingDetails(b)
	v8 := startNode(b, details)
	inHost := hostRow(b, "`checkout-fast.wasm` in `wasm/host`, metered", details, wasm.Fast)
	inV8 := &row{name: "`checkout.wasm` in V8, with its loader", text: v8.run(b, "text"), object: v8.run(b, "core"), bundle: v8.loaded()}
	rows := []*row{
		nativeRow(details),
		inHost,
		wazeroRow(b, "`checkout-fast.wasm` in wazero, without a limit", details, wazero.NewRuntimeConfig()),
		wazeroRow(b, "the same, with wazero's own deadline", details, wazero.NewRuntimeConfig().WithCloseOnContextDone(true)),
		hostRow(b, "`checkout.wasm` in `wasm/host`, metered", details, wasm.Module),
		inV8,
		{name: "zod and jsvat-next", object: v8.run(b, "zod"), bundle: v8.Bundles["zod"]},
		{name: "ajv, compiled ahead; no check digits", object: v8.run(b, "ajv"), bundle: v8.Bundles["ajv"]},
	}
	const rounds = 100
	for range rounds {
		for _, r := range rows {
			r.texts, r.objects = append(r.texts, perCall(r.text)), append(r.objects, perCall(r.object))
		}
	}
	table := v8.table(rows, len(details))
	fmt.Print("\n", table)
	if *update {
		record(b, "v8-start", fmt.Sprintf("%.1f", v8.Compile))
		record(b, "v8-billing", micros(inV8.texts))
		record(b, "wazero-billing", micros(inHost.texts))
		writeTable(b, table)
	}
}

// timer makes n calls, with every input in turn, and measures the time. With text the input and output are JSON, otherwise a
// struct in Go or a plain object in JavaScript.
type timer func(n int) time.Duration

type row struct {
	name           string
	text, object   timer
	texts, objects []time.Duration
	bundle         *bundle // what a page has to load
}

// perCall returns the time of a call, from as many calls as take a minimum time. Without a timer it returns nothing.
func perCall(run timer) time.Duration {
	if run == nil {
		return 0
	}
	for n := 250; ; n *= 2 {
		if took := run(n); took > 2*time.Millisecond {
			return took / time.Duration(n)
		}
	}
}

func micros(times []time.Duration) string {
	least := slices.Min(times)
	if least == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(least)/1e3)
}

// billingDetails are the inputs of the vectors, valid or invalid, whose members have the right types, so that typed callers
// can have them.
func billingDetails(b *testing.B) (details []billing.Input) {
	for _, v := range vectors(b) {
		if v.Op != "billing" || v.Text != nil {
			continue
		}
		var d billing.Input
		if json.Unmarshal(v.In, &d) == nil {
			details = append(details, d)
		}
	}
	return details
}

// texts returns the details as JSON, without absent members.
func texts(details []billing.Input) (all []string) {
	for _, d := range details {
		fields := map[string]any{}
		for name, value := range map[string]string{"country": d.Country, "postcode": d.Postcode, "state": d.State,
			"businessName": d.BusinessName, "taxId": d.TaxID} {
			if value != "" {
				fields[name] = value
			}
		}
		if d.IsBusiness != nil {
			fields["isBusiness"] = *d.IsBusiness
		}
		text, _ := json.Marshal(fields)
		all = append(all, string(text))
	}
	return all
}

// each returns the timer of a function of one input.
func each[T any](inputs []T, f func(T)) timer {
	return func(n int) time.Duration {
		begin := time.Now()
		for i := range n {
			f(inputs[i%len(inputs)])
		}
		return time.Since(begin)
	}
}

func nativeRow(details []billing.Input) *row {
	var instance ops.Instance
	return &row{
		name:   "core, natively",
		text:   each(texts(details), func(text string) { instance.Billing(text) }),
		object: each(details, func(d billing.Input) { billing.Check(d) }),
	}
}

func hostRow(b *testing.B, name string, details []billing.Input, build []byte) *row {
	m, err := host.New(b.Context(), host.Config{Wasm: build})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close(b.Context()) })
	var inputs [][]byte
	for _, text := range texts(details) {
		inputs = append(inputs, []byte(text))
	}
	return &row{
		name: name,
		text: each(inputs, func(text []byte) {
			if _, err := m.Call(b.Context(), "billing", text); err != nil {
				b.Fatal(err)
			}
		}),
		object: each(details, func(d billing.Input) {
			if _, _, err := m.Billing(b.Context(), d); err != nil {
				b.Fatal(err)
			}
		}),
	}
}

// wazeroRow calls the fast build as it is, in one instance of a runtime.
func wazeroRow(b *testing.B, name string, details []billing.Input, config wazero.RuntimeConfig) *row {
	runtime := wazero.NewRuntimeWithConfig(b.Context(), config)
	b.Cleanup(func() { runtime.Close(b.Context()) })
	module, err := runtime.InstantiateWithConfig(b.Context(), wasm.Fast, wazero.NewModuleConfig().WithStartFunctions("_initialize"))
	if err != nil {
		b.Fatal(err)
	}
	alloc, operation, memory := module.ExportedFunction("alloc"), module.ExportedFunction("billing"), module.Memory()
	return &row{name: name, text: each(texts(details), func(text string) {
		stack := [2]uint64{uint64(len(text))}
		if err := alloc.CallWithStack(b.Context(), stack[:]); err != nil {
			b.Fatal(err)
		}
		memory.WriteString(uint32(stack[0]), text)
		stack[1] = uint64(len(text))
		if err := operation.CallWithStack(b.Context(), stack[:]); err != nil {
			b.Fatal(err)
		}
		answer, _ := memory.Read(uint32(stack[0]>>32), uint32(stack[0]))
		bytes.Clone(answer)
	})}
}

// nodeProcess is bench/bench.mjs and what it reports at its start.
type nodeProcess struct {
	Node    string
	Compile float64 // ms, of the module
	Module  bundle
	Bundles map[string]*bundle

	in    io.Writer
	out   *bufio.Reader
	sound []bool // whether core accepts each detail
}

type bundle struct {
	Raw, Gzip, Brotli int
	Start             float64 // ms, until it can be called
	Accepts           []bool
}

func startNode(b *testing.B, details []billing.Input) *nodeProcess {
	if _, err := os.Stat("bench/node_modules/.package-lock.json"); err != nil {
		npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		npm.Dir = "bench"
		if out, err := npm.CombinedOutput(); err != nil {
			b.Fatalf("npm ci: %v\n%s\nthe benchmark needs npm (apt-get install npm) and, once, its registry", err, out)
		}
	}
	node := exec.CommandContext(b.Context(), "node", "bench/bench.mjs")
	node.Stderr = os.Stderr
	in, err := node.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := node.Start(); err != nil {
		b.Fatalf("%v: the benchmark needs Node 20 (apt-get install nodejs)", err)
	}
	b.Cleanup(func() { in.Close(); node.Wait() })
	p := &nodeProcess{in: in, out: bufio.NewReader(out)}
	for _, d := range details {
		_, problems := billing.Check(d)
		p.sound = append(p.sound, problems == nil)
	}
	p.ask(b, "["+strings.Join(texts(details), ",")+"]", p)
	if p.agrees(p.Bundles["core"]) != len(details) {
		b.Fatal("the module in V8 does not accept the same details as core")
	}
	return p
}

// ask writes a line and reads one.
func (p *nodeProcess) ask(b *testing.B, line string, answer any) {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		b.Fatalf("node: %v", err)
	}
	text, err := p.out.ReadBytes('\n')
	if err != nil {
		b.Fatalf("node: %v", err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		b.Fatalf("node: %v in %s", err, text)
	}
}

func (p *nodeProcess) run(b *testing.B, name string) timer {
	return func(n int) (took time.Duration) {
		p.ask(b, fmt.Sprint(name, " ", n), &took)
		return took
	}
}

// loaded returns the module and its loader.
func (p *nodeProcess) loaded() *bundle {
	loader := p.Bundles["core"]
	return &bundle{
		Raw: p.Module.Raw + loader.Raw, Gzip: p.Module.Gzip + loader.Gzip, Brotli: p.Module.Brotli + loader.Brotli,
		Start: p.Compile + loader.Start, Accepts: loader.Accepts,
	}
}

// agrees returns the number of details for which a bundle gives the core's verdict.
func (p *nodeProcess) agrees(of *bundle) (n int) {
	for i, accepted := range of.Accepts {
		if accepted == p.sound[i] {
			n++
		}
	}
	return n
}

func (p *nodeProcess) table(rows []*row, inputs int) string {
	var t strings.Builder
	fmt.Fprintf(&t, "Measured on %s by `make bench-wasm`, on a machine of %s: %s, Node %s.\n\n",
		time.Now().UTC().Format(time.DateOnly), machine(), runtime.Version(), p.Node)
	fmt.Fprint(&t,
		"| | JSON to JSON, µs | object to object, µs | minified / gzip / brotli, KB | ready in, ms | the same verdict |\n",
		"|---|--:|--:|--:|--:|--:|\n")
	for _, r := range rows {
		size, start, agrees := "", "", fmt.Sprintf("%d of %[1]d", inputs)
		if r.bundle != nil {
			size = fmt.Sprintf("%.1f / %.1f / %.1f", kilo(r.bundle.Raw), kilo(r.bundle.Gzip), kilo(r.bundle.Brotli))
			start, agrees = fmt.Sprintf("%.1f", r.bundle.Start), fmt.Sprintf("%d of %d", p.agrees(r.bundle), inputs)
		}
		fmt.Fprintf(&t, "| %s | %s | %s | %s | %s | %s |\n", r.name, micros(r.texts), micros(r.objects), size, start, agrees)
	}
	return t.String()
}

func kilo(bytes int) float64 { return float64(bytes) / 1e3 }

// machine returns the number of processors and their name.
func machine() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, name, _ := strings.Cut(string(text), "model name\t: ")
	name, _, _ = strings.Cut(name, "\n")
	return fmt.Sprintf("%d cores (%s)", runtime.NumCPU(), name)
}

// writeTable writes the table between its marks.
func writeTable(b *testing.B, table string) {
	const file, begin, end = "../BENCHMARKS.md", "<!-- hosts:begin -->\n", "<!-- hosts:end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		b.Fatalf("%s has no %s and %s", file, begin, end)
	}
	text = slices.Concat(before, []byte(begin+table+end), after)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		b.Fatal(err)
	}
}
