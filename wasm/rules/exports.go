//go:build tinygo

package rules

import (
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/guest/arena"
)

// alloc starts a call: it frees the memory of the previous one and returns size bytes for the input.
//
//go:wasmexport alloc
func allocate(size uint32) *byte {
	arena.Reset()
	return unsafe.SliceData(make([]byte, size))
}

//go:wasmexport validate
func exportedValidate(input *byte, size uint32) uint64 { return run(validate, input, size) }

//go:wasmexport adjust
func exportedAdjust(input *byte, size uint32) uint64 { return run(adjust, input, size) }

// run returns the answer's address in the high half and its size in the low half.
func run(operation func(string) string, input *byte, size uint32) uint64 {
	answer := operation(unsafe.String(input, size))
	return uint64(uintptr(unsafe.Pointer(unsafe.StringData(answer))))<<32 | uint64(len(answer))
}
