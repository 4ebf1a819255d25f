package wasm_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/crepe-checkout/crepe/wasm"
	"github.com/crepe-checkout/crepe/wasm/plugins"
)

// budgets is a file with a line for each cost of the module: a name, its limit and the last figure.
const budgets = "budgets.txt"

// budget matches the line of a name in the file. Its submatches are the text before the figure, the limit and the figure.
func budget(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(` + name + ` +([0-9.]+)) +([0-9.]+)`)
}

// record writes a figure into the file.
func record(t testing.TB, name, figure string) {
	t.Helper()
	text, err := os.ReadFile(budgets)
	if err != nil {
		t.Fatal(err)
	}
	line := budget(name).ReplaceAllFunc(text, func(line []byte) []byte {
		head := budget(name).FindSubmatch(line)[1]
		return fmt.Appendf(nil, "%s%*s", head, len(line)-len(head), figure)
	})
	if err := os.WriteFile(budgets, line, 0o644); err != nil {
		t.Fatal(err)
	}
}

// hold fails if a number of bytes exceeds its limit or differs from the figure in the file.
func hold(t *testing.T, name string, got int) {
	t.Helper()
	text, err := os.ReadFile(budgets)
	if err != nil {
		t.Fatal(err)
	}
	line := budget(name).FindSubmatch(text)
	if line == nil {
		t.Fatalf("%s has no %s", budgets, name)
	}
	t.Logf("%s: %d bytes of %s", name, got, line[2])
	if limit, err := strconv.Atoi(string(line[2])); err != nil || got > limit {
		t.Errorf("%s: %d bytes exceed the budget of %s", name, got, line[2])
	}
	if *update {
		record(t, name, strconv.Itoa(got))
	} else if figure := strconv.Itoa(got); figure != string(line[3]) {
		t.Errorf("%s: %s bytes, and %s says %s; see why, then go test ./wasm -run 'TestSize|TestMemory' -update",
			name, figure, budgets, line[3])
	}
}

// TestSize checks the size of both builds, of the compressed copy for the page, and of the plugins.
func TestSize(t *testing.T) {
	hold(t, "raw", len(wasm.Module))
	hold(t, "fast", len(wasm.Fast))
	files, err := filepath.Glob("../web/dist/checkout-*.wasm")
	if err != nil || len(files) != 1 {
		t.Fatalf("%d modules in web/dist, %v", len(files), err)
	}
	served, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(served, wasm.Module) {
		t.Fatal("the page has another module; run make web")
	}
	compressed, err := os.ReadFile(files[0] + ".br")
	if err != nil {
		t.Fatal(err)
	}
	hold(t, "brotli", len(compressed))
	for name, module := range map[string][]byte{"httpwasm": plugins.HTTPWasm, "extism": plugins.Extism} {
		hold(t, name, len(module))
	}
}
