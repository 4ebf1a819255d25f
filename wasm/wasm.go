// Package wasm has the core as a WebAssembly module for browsers, Node and other hosts. README.md shows how to use it.
//
// The module is generated code, committed so that building it needs no WebAssembly toolchain; make wasm rebuilds it.
package wasm

import _ "embed"

// Module is checkout.wasm. It has no imports. Callers must not modify it.
//
//go:embed checkout.wasm
var Module []byte
