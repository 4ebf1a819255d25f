//go:build tinygo

package main

import (
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/guest/arena"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

var instance ops.Instance

//go:wasmexport crepe_abi
func abi() uint32 { return ops.ABI }

// alloc starts a call: it frees the memory of the previous one and returns size bytes for the input, at most ops.MaxInput+1.
// It traps if asked for more.
//
//go:wasmexport alloc
func alloc(size uint32) *byte {
	arena.Reset()
	if size > ops.MaxInput+1 {
		panic("alloc: more than an operation reads")
	}
	return unsafe.SliceData(make([]byte, size))
}

//go:wasmexport billing
func billing(input *byte, size uint32) uint64 { return run((*ops.Instance).Billing, input, size) }

//go:wasmexport email
func email(input *byte, size uint32) uint64 { return run((*ops.Instance).Email, input, size) }

//go:wasmexport fields
func fields(input *byte, size uint32) uint64 { return run((*ops.Instance).Fields, input, size) }

//go:wasmexport place
func place(input *byte, size uint32) uint64 { return run((*ops.Instance).Place, input, size) }

//go:wasmexport quote
func quote(input *byte, size uint32) uint64 { return run((*ops.Instance).Quote, input, size) }

//go:wasmexport taxid
func taxID(input *byte, size uint32) uint64 { return run((*ops.Instance).TaxID, input, size) }

//go:wasmexport version
func version(input *byte, size uint32) uint64 { return run((*ops.Instance).Version, input, size) }

// rates keeps the instance's rates. They are part of the input, and the answer is newer than that, so it stays valid.
//
//go:wasmexport rates
func rates(input *byte, size uint32) uint64 {
	answer := run((*ops.Instance).Load, input, size)
	instance.Rates = arena.Keep(instance.Rates)
	return answer
}

// run returns the answer's address in the high half and its size in the low half.
func run(operation ops.Operation, input *byte, size uint32) uint64 {
	answer := operation(&instance, unsafe.String(input, size))
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(answer))))<<32 | uint64(len(answer))
}
