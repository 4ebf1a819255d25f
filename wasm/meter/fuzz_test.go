package meter

import (
	"context"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"
)

// FuzzInstrument checks that Instrument never panics, that its errors are Faults with an offset in the module, that a module that wazero
// compiles is one that wazero compiles afterwards, and that a call ends.
func FuzzInstrument(f *testing.F) {
	for _, h := range corpus() {
		if len(h.module) < 1000 { // a long one keeps the fuzzer busy with shortening it
			f.Add([]byte(h.module))
		}
	}
	f.Fuzz(func(t *testing.T, module []byte) {
		instrumented, err := Instrument(module, Rule)
		if err != nil {
			if fault := new(Fault); !errors.As(err, &fault) || fault.Offset < 0 || fault.Offset > len(module) || instrumented != nil {
				t.Fatalf("%v, %T", err, err)
			}
			return
		}
		if got := compiles(t.Context(), instrumented); got != compiles(t.Context(), withoutCustom(module)) {
			t.Fatalf("%x compiles: %t, and as it was: %t", module, got, !got)
		}
		if again, err := Instrument(module, Rule); err != nil || string(again) != string(instrumented) {
			t.Fatalf("%x: not the same twice, %v", module, err)
		}
		operation := "validate"
		for _, e := range read(module, Rule).exports {
			if e.name == "adjust" {
				operation = e.name
			}
		}
		outcome(t.Context(), instrumented, 100_000, operation, 8)
	})
}

func compiles(ctx context.Context, module []byte) bool {
	runtime := wazero.NewRuntime(ctx)
	defer runtime.Close(ctx)
	_, err := runtime.CompileModule(ctx, module)
	return err == nil
}

// withoutCustom leaves out custom sections: wazero allocates what they announce.
func withoutCustom(module []byte) []byte {
	r := &reader{module, len(header), len(module)}
	out := module[:len(header):len(header)]
	for r.more() {
		start := r.at
		id := r.byte()
		r.skip(r.u32())
		if id != sectionCustom {
			out = append(out, module[start:r.at]...)
		}
	}
	return out
}
