package wasm_test

import (
	"bytes"
	_ "embed"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
)

//go:embed testdata/copy.wasm
var copyModule []byte

// TestCopy: the functions of copy.wat, by which the plugins copy memory, do what memory.copy and memory.fill do, also with areas that
// overlap, at the end of the memory and beyond it.
func TestCopy(t *testing.T) {
	ctx := t.Context()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer runtime.Close(ctx)
	m, err := runtime.Instantiate(ctx, copyModule)
	if err != nil {
		t.Fatal(err)
	}
	const page, most = 64 << 10, 300
	memory, _ := m.Memory().Read(0, page) // the memory itself
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	want := make([]byte, page)
	for range 20_000 {
		for range 20 {
			memory[page-1-r.IntN(3*most)] = byte(r.Uint32())
		}
		copy(want, memory)
		n := r.IntN(most)
		to, from := page-n-r.IntN(most), page-n-r.IntN(most)
		name, second := "copy", uint64(from)
		if r.IntN(5) == 0 {
			name, second = "fill", uint64(r.IntN(256))
			copy(want[to:to+n], bytes.Repeat([]byte{byte(second)}, n))
		} else {
			copy(want[to:to+n], want[from:from+n])
		}
		if _, err := m.ExportedFunction(name).Call(ctx, uint64(to), second, uint64(n)); err != nil || !bytes.Equal(memory, want) {
			t.Fatalf("%s(%d, %d, %d): another memory, %v", name, to, second, n, err)
		}
	}
	for _, beyond := range [][]uint64{{page - 4, 0, 5}, {0, page - 4, 5}, {page + 1, 0, 1}, {1 << 31, 0, most}, {0, 1<<32 - 1, 8}} {
		if _, err := m.ExportedFunction("copy").Call(ctx, beyond...); err == nil {
			t.Errorf("copy(%d) beyond the memory does not trap", beyond)
		}
	}
}
