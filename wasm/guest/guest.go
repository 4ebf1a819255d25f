//go:build tinygo

// Command guest is the WebAssembly module: it exports the operations of package ops with the ABI of ../ABI.md.
//
// Its memory is one arena. TinyGo's "leaking" allocator only moves a pointer forward. alloc, which starts every call, resets
// it to its position before the first call, which frees the memory of the previous call. So no garbage collector is needed,
// which would be a fifth of the module. This works because the module keeps nothing between calls except the rates, which
// are moved out of the arena. A test makes a hundred thousand calls and checks the size of the memory.
package main

import (
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/ops"
)

// next is the address of the allocator's next free byte, in gc_leaking.go. The allocator expects the memory there to be
// zero.
//
//go:extern runtime.heapptr
var next uintptr

// base is the value of next at the first call, after the packages' variables; 0 before that. What the instance keeps lies
// between base and the arena.
var base, arena uintptr

var instance ops.Instance

func main() {}

//go:wasmexport crepe_abi
func abi() uint32 { return ops.ABI }

// alloc starts a call: it frees the memory of the previous one and returns size bytes for the input, at most ops.MaxInput+1.
// It traps if asked for more.
//
//go:wasmexport alloc
func alloc(size uint32) *byte {
	if base == 0 {
		base, arena = next, next
	}
	clear(unsafe.Slice((*byte)(unsafe.Pointer(arena)), next-arena))
	next = arena
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

// rates moves the instance's rates to base, and the start of the arena behind them. The answer is at a higher address than
// the input, which contains the rates.
//
//go:wasmexport rates
func rates(input *byte, size uint32) uint64 {
	answer := run((*ops.Instance).Load, input, size)
	kept := unsafe.Slice((*byte)(unsafe.Pointer(base)), len(instance.Rates))
	copy(kept, instance.Rates)
	instance.Rates = unsafe.String(unsafe.SliceData(kept), len(kept))
	arena = base + (uintptr(len(kept))+15)&^15
	return answer
}

// run returns the answer's address in the high half and its size in the low half.
func run(operation ops.Operation, input *byte, size uint32) uint64 {
	answer := operation(&instance, unsafe.String(input, size))
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(answer))))<<32 | uint64(len(answer))
}
