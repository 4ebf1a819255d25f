//go:build tinygo

// Command guest is the WebAssembly module: the operations of package ops behind an ABI that is written down in
// ../ABI.md.
//
// Its memory is one arena. TinyGo's "leaking" allocator only ever moves a pointer forward; alloc, with which every call
// begins, moves it back to where the first call found it, so that all of the call before is gone at once and a call costs
// no collector, which would be a fifth of the module. That holds because nothing in the module remembers anything but the
// rates that it was given, and those are moved out of the arena. A test makes a hundred thousand calls and looks at the size
// of the memory.
package main

import (
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/ops"
)

// next is where the allocator of gc_leaking.go takes the next bytes from, which it takes for zero.
//
//go:extern runtime.heapptr
var next uintptr

// base is where the first call found it, behind whatever the packages' variables hold; 0 before that. From there to the arena
// lies what the instance keeps.
var base, arena uintptr

var instance ops.Instance

func main() {}

//go:wasmexport crepe_abi
func abi() uint32 { return ops.ABI }

// alloc begins a call: it frees the memory of the one before and returns size bytes for the input of this one, at most
// ops.MaxInput+1; it traps if asked for more.
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

// rates moves what the instance keeps to the base, and the arena behind it. The answer lies higher, because the input does, and
// that has what is kept in it.
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

// run returns where the answer lies, its address in the high half and its size in the low one.
func run(operation ops.Operation, input *byte, size uint32) uint64 {
	answer := operation(&instance, unsafe.String(input, size))
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(answer))))<<32 | uint64(len(answer))
}
