// Package meter instruments WebAssembly modules, so that every call of them ends after a known amount of work, at the same instruction in
// every host. wazero has no such limit of its own, and neither has V8.
//
// [Instrument] reads a module, refuses what it cannot bound, and returns the module with a counter, the exported global [Fuel]. The host
// sets the counter before each call. The module takes from it before it executes, and traps instead of going below zero; README.md
// has the units. The counter and all that the module returns depend on nothing but the module, its input and the counter's first value.
package meter

import "fmt"

// Fuel is the name of a global that Instrument adds and exports: a mutable i64, the number of units that are left. A host sets it before
// each call. It is negative after a trap that ended a call for want of fuel, and at most [TooDeep] after one for recursion.
const Fuel = "crepe_fuel"

// TooDeep is what the counter is set to by a call that would have more frames on the stack than a browser has room for.
const TooDeep = -1 << 62

// Limits are the bounds of a module.
type Limits struct {
	// Size is the number of bytes of a module, before Instrument adds to it.
	Size int

	// Pages is the limit of the memory, in pages of 64 KiB. A module that declares no maximum, or a higher one, gets this one.
	Pages uint32

	// Start is the counter's first value: the units for the start function, which runs before a host can set it.
	Start int64

	// Operations are names of functions of the type (i32, i32) → i64, of which the module must export at least one. Empty means any name.
	Operations []string
}

// growth bounds what Instrument adds: an instrumented module has at most so many times Limits.Size bytes. The core grows by a half.
const growth = 4

// Rule is the limits of a merchant's rules. Its units are at most a millisecond.
var Rule = Limits{Size: 256 << 10, Pages: 16, Start: 1_000_000, Operations: []string{"validate", "adjust"}}

// Fault says why a module is refused, and where.
type Fault struct {
	Offset int // from the start of the module, in bytes
	Reason string
}

func (f *Fault) Error() string { return fmt.Sprintf("offset %#x: %s", f.Offset, f.Reason) }

// Instrument returns the module with the counter. The module must follow wasm/ABI.md: it has no imports, and exports memory and
// alloc(i32) → i32. Custom sections are left out. The error is a *Fault.
//
// Instrument checks the structure of a module and all that the limits depend on, but not the types of operands, which every host checks
// when it compiles: what is valid stays valid.
func Instrument(module []byte, l Limits) (instrumented []byte, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			fault, ok := caught.(*Fault)
			if !ok {
				panic(caught)
			}
			instrumented, err = nil, fault
		}
	}()
	if len(module) > l.Size {
		fail(l.Size, "the module has %d bytes; at most %d are allowed", len(module), l.Size)
	}
	if instrumented = read(module, l).write(); len(instrumented) > growth*l.Size {
		fail(len(module), "the module would have %d bytes with its counter; at most %d are allowed", len(instrumented), growth*l.Size)
	}
	return instrumented, nil
}
