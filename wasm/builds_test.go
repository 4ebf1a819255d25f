package wasm_test

import (
	"bytes"
	"testing"

	"github.com/crepe-checkout/crepe/wasm"
	"github.com/crepe-checkout/crepe/wasm/host"
)

// builds are the module as it is compiled for pages and for servers. Tests of the module test both.
var builds = []struct {
	file   string
	module []byte
}{
	{"checkout.wasm", wasm.Module},
	{"checkout-fast.wasm", wasm.Fast},
}

// hosts are the builds in package host, by their files.
type hosts map[string]*host.Module

// newHosts gives each build one instance, so that state from one call would affect the next, as in native Go and in Node.
func newHosts(t testing.TB) hosts {
	t.Helper()
	all := hosts{}
	for _, build := range builds {
		m, err := host.New(t.Context(), host.Config{Instances: 1, Wasm: build.module})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close(t.Context()) })
		all[build.file] = m
	}
	return all
}

// agree checks that every build gives native Go's answer.
func (h hosts) agree(t testing.TB, operation string, input, native []byte) {
	t.Helper()
	for file, m := range h {
		if got, err := m.Call(t.Context(), operation, input); err != nil || !bytes.Equal(got, native) {
			t.Fatalf("%s in %s, of %.2000q: %v\n%.2000s\n%.2000s natively", operation, file, input, err, got, native)
		}
	}
}
