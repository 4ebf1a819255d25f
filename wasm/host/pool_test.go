package host

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
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
	p, err := NewPool(t.Context(), []byte(foreign), PoolConfig{Instances: 1, MemoryPages: 1, MaxInput: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(context.Background())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Call(ctx, "spin", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a module that never ends: %v", err)
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
