package meter

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/hostile.txt")

// hostile is a module that wants to stop or to confuse its host, and the start of what comes of it.
type hostile struct {
	name   string
	module string
	want   string
}

const fuel = 1_000_000

// TestHostile runs every hostile module in wazero and in V8, by its baseline and by its optimising compiler: all end in the same way,
// with the same fuel left, in bounded time. testdata/hostile.txt has the outcomes.
func TestHostile(t *testing.T) {
	hosts := map[string]*v8{
		"V8": startV8(t), "V8's baseline": startV8(t, "--liftoff", "--no-wasm-tier-up"), "V8's optimiser": startV8(t, "--no-liftoff", "--no-wasm-tier-up"),
		"V8 with half a stack": startV8(t, "--stack-size=490"),
	}
	var golden strings.Builder
	for _, h := range corpus() {
		begin := time.Now()
		instrumented, err := Instrument([]byte(h.module), Rule)
		var got string
		if err == nil {
			got = outcome(t.Context(), instrumented, fuel, "validate", 0)
			for name, host := range hosts {
				if other := host.outcome(t, instrumented, fuel, "validate", 0); other != got {
					t.Errorf("%s: %q in %s, and %q in wazero", h.name, other, name, got)
				}
			}
		} else if fault := new(Fault); errors.As(err, &fault) {
			got = "refused at " + strings.TrimPrefix(err.Error(), "offset ")
		} else {
			t.Errorf("%s: %v is no Fault", h.name, err)
		}
		if !strings.HasPrefix(got, h.want) {
			t.Errorf("%s: %q, and not %q", h.name, got, h.want)
		}
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("%s: took %v", h.name, took)
		} else if took > 500*time.Millisecond {
			t.Logf("%s: took %v", h.name, took)
		}
		fmt.Fprintf(&golden, "%s: %s\n", h.name, got)
	}
	const file = "testdata/hostile.txt"
	if *update {
		if err := os.WriteFile(file, []byte(golden.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if known, err := os.ReadFile(file); err != nil || string(known) != golden.String() {
		t.Errorf("%s is not what came of the modules: %v; see why, then go test ./wasm/meter -run TestHostile -update", file, err)
	}
}
