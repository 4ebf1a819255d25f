// Package arena frees the memory of a call in a module that has TinyGo's "leaking" allocator, which only moves a pointer forward.
// [Reset], at the start of a call, moves the pointer back to where it was before the first call. So no garbage collector is needed,
// which would be a fifth of checkout.wasm. A module must keep nothing between calls but variables that need no allocation, what it
// allocated before the first Reset, and one text ([Keep]).
//
// Only TinyGo compiles its functions.
package arena
