//go:build tinygo

// Command guest is the WebAssembly module: the operations of package call behind an ABI that is written down in
// ../ABI.md.
//
// Its memory is one arena. TinyGo's "leaking" allocator only ever moves a pointer forward; alloc, with which every call
// begins, moves it back to where the first call found it, so that all of the call before is gone at once and a call costs
// no collector, which would be a fifth of the module. That holds because nothing in the module remembers anything: the
// core has no state. A test makes a hundred thousand calls and looks at the size of the memory.
package main

import (
	"unsafe"

	"github.com/crepe-checkout/crepe/wasm/call"
)

// next is where the allocator of gc_leaking.go takes the next bytes from, which it takes for zero.
//
//go:extern runtime.heapptr
var next uintptr

// arena is where the first call found it, behind whatever the packages' variables hold; 0 before that.
var arena uintptr

func main() {}

//go:wasmexport crepe_abi
func abi() uint32 { return call.ABI }

// alloc begins a call: it frees the memory of the one before and returns size bytes for the input of this one, at most
// call.MaxInput+1; it traps if asked for more.
//
//go:wasmexport alloc
func alloc(size uint32) *byte {
	if arena == 0 {
		arena = next
	}
	clear(unsafe.Slice((*byte)(unsafe.Pointer(arena)), next-arena))
	next = arena
	if size > call.MaxInput+1 {
		panic("alloc: more than an operation reads")
	}
	return unsafe.SliceData(make([]byte, size))
}

//go:wasmexport billing
func billing(input *byte, size uint32) uint64 { return run(call.Billing, input, size) }

//go:wasmexport email
func email(input *byte, size uint32) uint64 { return run(call.Email, input, size) }

//go:wasmexport quote
func quote(input *byte, size uint32) uint64 { return run(call.Quote, input, size) }

// run returns where the answer lies, its address in the high half and its size in the low one.
func run(operation call.Operation, input *byte, size uint32) uint64 {
	answer := operation(unsafe.String(input, size))
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(answer))))<<32 | uint64(len(answer))
}
