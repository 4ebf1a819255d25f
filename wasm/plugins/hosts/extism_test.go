package hosts

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	extism "github.com/extism/go-sdk"

	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/wasm/ops"
	"github.com/crepe-checkout/crepe/wasm/plugins"
)

func openExtism(t testing.TB, config extism.PluginConfig) *extism.Plugin {
	t.Helper()
	p, err := extism.NewPlugin(context.Background(), extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: plugins.Extism}}}, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	return p
}

// vector is a case of core/testdata/vectors; see wasm/wasm_test.go.
type vector struct {
	Op   string
	In   json.RawMessage
	Text *string
	Out  json.RawMessage
}

func (v *vector) input() []byte {
	if v.Text != nil {
		return []byte(*v.Text)
	}
	return compact(v.In)
}

func compact(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return text
	}
	return b.Bytes()
}

// vectors returns all vectors; those of rates are the last, because they change what a quote without rates answers.
func vectors(t testing.TB) (all []*vector) {
	t.Helper()
	files, err := filepath.Glob("../../../core/testdata/vectors/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	var rates []*vector
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v := new(vector)
		if err := json.Unmarshal(text, v); err != nil {
			t.Fatal(err)
		}
		if v.Op == "rates" {
			rates = append(rates, v)
		} else {
			all = append(all, v)
		}
	}
	return append(all, rates...)
}

// TestExtism compares the plugin with the vectors, in Extism's host for Go, without WASI and with it.
func TestExtism(t *testing.T) {
	for name, config := range map[string]extism.PluginConfig{"without WASI": {}, "with WASI": {EnableWasi: true}} {
		t.Run(name, func(t *testing.T) {
			p := openExtism(t, config)
			for _, v := range vectors(t) {
				if code, got, err := p.Call(v.Op, v.input()); err != nil || code != 0 || !bytes.Equal(got, compact(v.Out)) {
					t.Errorf("%s of %s: %d %v\n%s\n%s wanted", v.Op, v.input(), code, err, got, compact(v.Out))
				}
			}
		})
	}
}

// TestExtismState checks that rates apply to later calls, and that the longest inputs neither trap nor remain in memory.
func TestExtismState(t *testing.T) {
	p := openExtism(t, extism.PluginConfig{})
	call := func(operation, input string) string {
		t.Helper()
		_, got, err := p.Call(operation, []byte(input))
		if err != nil {
			t.Fatalf("%s of %.60q: %v", operation, input, err)
		}
		return string(got)
	}
	own, wrong := table.Parse("id\tjurisdiction\ttax\trate\tpostcode\nr1\tUS-TX\tsales\t8.25\t73001\n")
	if wrong != nil {
		t.Fatal(wrong)
	}
	text, err := json.Marshal(map[string]string{"rates": own.Text()})
	if err != nil {
		t.Fatal(err)
	}
	call("rates", string(text))
	if got := call("version", "{}"); !strings.Contains(got, "+") {
		t.Errorf("the version after rates is %s", got)
	}
	call("rates", "{}")
	long := strings.Repeat("[", ops.MaxInput+9)
	var n ops.Instance
	for _, o := range ops.Operations {
		for _, input := range []string{long, long[:ops.MaxInput], `{"country":"` + strings.Repeat("é", ops.MaxInput/2-8) + `"}`, "", "1234567", "12345678", "123456789"} {
			if got, want := call(o.Name, input), string(o.Run(&n, input)); got != want {
				t.Errorf("%s of %.60q: %s, want %s", o.Name, input, got, want)
			}
		}
	}
}

// installNode installs Extism's host for JavaScript, once.
func installNode(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("node/node_modules/.package-lock.json"); err != nil {
		npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		npm.Dir = "node"
		if out, err := npm.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s\nthe test needs npm (apt-get install npm) and, once, its registry", err, out)
		}
	}
}

// TestExtismNode runs the vectors in Extism's host for JavaScript.
func TestExtismNode(t *testing.T) {
	installNode(t)
	all := vectors(t)
	var lines bytes.Buffer
	for _, v := range all {
		line, err := json.Marshal([2]string{v.Op, string(v.input())})
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	for _, wasi := range []string{"false", "true"} {
		script := exec.CommandContext(t.Context(), "node", "node/vectors.mjs", "../extism/plugin.wasm", wasi)
		script.Env = append(os.Environ(), "NODE_NO_WARNINGS=1") // WASI is experimental in Node
		script.Stdin, script.Stderr = bytes.NewReader(lines.Bytes()), os.Stderr
		out, err := script.Output()
		if err != nil {
			t.Fatalf("%v; the tests need Node 20 (apt-get install nodejs)", err)
		}
		answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if len(answers) != len(all) {
			t.Fatalf("%d answers to %d calls", len(answers), len(all))
		}
		for i, v := range all {
			if want := string(compact(v.Out)); answers[i] != want {
				t.Errorf("%s of %s, WASI %s:\n%s\n%s wanted", v.Op, v.input(), wasi, answers[i], want)
			}
		}
	}
}
