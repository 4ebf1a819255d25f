package host

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/crepe-checkout/crepe/wasm/meter"
)

// foreign is a module that is not the core's: its operation echo returns the input, and spin never ends.
const foreign = "\x00asm\x01\x00\x00\x00" +
	"\x01\x0c\x02\x60\x01\x7f\x01\x7f\x60\x02\x7f\x7f\x01\x7e" + // types: (i32) → i32, (i32, i32) → i64
	"\x03\x04\x03\x00\x01\x01" +
	"\x05\x03\x01\x00\x01" + // one page
	"\x07\x20\x04\x06memory\x02\x00\x05alloc\x00\x00\x04echo\x00\x01\x04spin\x00\x02" +
	"\x0a\x1c\x03" +
	"\x04\x00\x41\x00\x0b" + // alloc: 0
	"\x0c\x00\x20\x00\xad\x42\x20\x86\x20\x01\xad\x84\x0b" + // echo: address << 32 | size
	"\x08\x00\x03\x40\x0c\x00\x0b\x00\x0b" // spin: loop

// TestPool checks that a pool runs a module of another author within its limits.
func TestPool(t *testing.T) {
	instrumented, err := meter.Instrument([]byte(foreign), meter.Limits{Size: len(foreign), Pages: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPool(t.Context(), instrumented, PoolConfig{Instances: 1, MemoryPages: 1, MaxInput: 5, Fuel: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	if _, used, err := p.Measure(t.Context(), "spin", nil); !errors.Is(err, ErrFuel) || used != (Usage{1_000_000, 1 << 16}) {
		t.Errorf("a module that never ends: %+v, %v", used, err)
	}
	if answer, err := p.Call(t.Context(), "echo", []byte("crêpe")); err != nil || string(answer) != "crêp" {
		t.Errorf("after that: %q, %v", answer, err)
	}
	if _, err := p.Call(t.Context(), "alloc", nil); err == nil {
		t.Error("alloc is an operation")
	}
}

func TestPoolRefuses(t *testing.T) {
	for name, module := range map[string]string{
		"no module":              "crêpe",
		"an empty module":        foreign[:8],
		"no alloc":               strings.Replace(foreign, "alloc", "allot", 1),
		"no memory":              strings.Replace(foreign, "memory", "memoir", 1),
		"more memory than given": strings.Replace(foreign, "\x05\x03\x01\x00\x01", "\x05\x03\x01\x00\x02", 1),
	} {
		if p, err := NewPool(t.Context(), []byte(module), PoolConfig{MemoryPages: 1}); err == nil {
			p.Close(t.Context())
			t.Errorf("%s is compiled", name)
		}
	}
}

// metered is a module of one page with alloc, the operation validate, and more code and sections before the code's, all of them encoded.
func metered(t *testing.T, alloc, validate, sections string) []byte {
	t.Helper()
	sized := func(content string) string { return string(rune(len(content))) + content }
	module := foreign[:8] + "\x01\x0f\x03\x60\x01\x7f\x01\x7f\x60\x02\x7f\x7f\x01\x7e\x60\x00\x00" + "\x03\x04\x03\x00\x01\x02" + "\x05\x03\x01\x00\x01" +
		"\x07\x1d\x03\x06memory\x02\x00\x05alloc\x00\x00\x08validate\x00\x01" + sections +
		"\x0a" + sized("\x03"+sized("\x00"+alloc+"\x0b")+sized("\x00"+validate+"\x0b")+sized("\x00\x03\x40\x0c\x00\x0b\x0b"))
	instrumented, err := meter.Instrument([]byte(module), meter.Rule)
	if err != nil {
		t.Fatal(err)
	}
	return instrumented
}

// TestPoolFuel checks that every part of a call is limited, and that the next call has a new instance and its whole fuel.
func TestPoolFuel(t *testing.T) {
	const zero32, zero64, recursion = "\x41\x00", "\x42\x00", "\x41\x00\x41\x00\x10\x01"
	for name, c := range map[string]struct {
		module []byte
		want   error
	}{
		"a loop in alloc":          {metered(t, "\x10\x02"+zero32, zero64, ""), ErrFuel},
		"a loop in the operation":  {metered(t, zero32, "\x10\x02"+zero64, ""), ErrFuel},
		"recursion":                {metered(t, zero32, recursion, ""), ErrDepth},
		"a loop in the start":      {metered(t, zero32, zero64, "\x08\x01\x02"), nil},
		"an answer outside memory": {metered(t, zero32, "\x42\x7f", ""), errMemory},
		"input outside memory":     {metered(t, "\x41\x7f", zero64, ""), errMemory},
		"a module without counter": {[]byte(foreign), nil},
	} {
		p, err := NewPool(t.Context(), c.module, PoolConfig{Instances: 1, MemoryPages: 16, MaxInput: 5, Fuel: 10_000})
		if err != nil {
			t.Fatal(name, err)
		}
		defer p.Close(context.Background())
		for range 2 {
			if _, used, err := p.Measure(t.Context(), "validate", []byte("{}")); err == nil || c.want != nil && !errors.Is(err, c.want) || used.Fuel > 10_000 {
				t.Errorf("%s: %+v, %v", name, used, err)
			}
		}
	}
}

// TestPoolsApart checks that a pool whose calls never end by themselves keeps no other pool from its calls.
func TestPoolsApart(t *testing.T) {
	hostile, err := NewPool(t.Context(), metered(t, "\x41\x00", "\x10\x02\x42\x00", ""), PoolConfig{Instances: 2, MemoryPages: 16, Fuel: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	defer hostile.Close(context.Background())
	m := newModule(t, 1)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil {
				if _, err := hostile.Call(ctx, "validate", nil); !errors.Is(err, ErrFuel) && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for range 200 {
		if got, err := m.Email(t.Context(), "A@example.com"); err != nil || got.Address != "a@example.com" {
			t.Errorf("%q, %v", got.Address, err)
		}
	}
	stop()
	all.Wait()
}
