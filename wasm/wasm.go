// Package wasm holds the core as a WebAssembly module, as it goes to browsers, to Node and to plugin hosts. The folders
// below make and use it:
//
//   - call: the operations of the core by JSON text, in plain Go;
//   - guest: the program that TinyGo compiles into the module, its target, and the one of the tests;
//   - host: the module in wazero with typed calls, for Go programs;
//   - build.sh and tools: the toolchain. ABI.md: what a host of its own needs to know.
//
// The module is committed like generated code, so that nobody needs a WebAssembly toolchain to use this one; make wasm
// builds it again, to the byte.
package wasm

import _ "embed"

// Module is checkout.wasm. It imports nothing: no clock, no randomness, no files, no network. Nobody may change it.
//
//go:embed checkout.wasm
var Module []byte
