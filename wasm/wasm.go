// Package wasm has the core as a WebAssembly module for browsers, Node and other hosts. README.md shows how to use it.
//
// The module is there twice, compiled for size and for speed, with the same answers. Both are generated code, committed so that building
// needs no WebAssembly toolchain; make wasm rebuilds them.
package wasm

import _ "embed"

// Module is checkout.wasm, compiled for size: pages load it. It has no imports. Callers must not modify it.
//
//go:embed checkout.wasm
var Module []byte

// Fast is checkout-fast.wasm, the same compiled for speed: package host runs it.
//
//go:embed checkout-fast.wasm
var Fast []byte
