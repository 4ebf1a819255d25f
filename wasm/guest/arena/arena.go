//go:build tinygo

package arena

import "unsafe"

// next is the address of the allocator's next free byte, in gc_leaking.go. The allocator expects the memory there to be
// zero.
//
//go:extern runtime.heapptr
var next uintptr

// base is the value of next at the first Reset; 0 before that. The kept text lies between base and start.
var base, start uintptr

// Reset frees what was allocated since the previous Reset.
func Reset() {
	if base == 0 {
		base, start = next, next
	}
	clear(unsafe.Slice((*byte)(unsafe.Pointer(start)), next-start))
	next = start
}

// Keep returns a copy of text that later calls of Reset do not free. It replaces the previous one. Allocations since the last Reset that
// are older than text become invalid; those that are newer stay valid until the next Reset.
func Keep(text string) string {
	kept := unsafe.Slice((*byte)(unsafe.Pointer(base)), len(text))
	copy(kept, text)
	start = base + (uintptr(len(kept))+15)&^15
	return unsafe.String(unsafe.SliceData(kept), len(kept))
}
