// Package plugins has the WebAssembly modules with the checkout's rules for other programs' hosts. README.md shows how to use them.
//
// The modules are generated code, committed so that building them needs no WebAssembly toolchain; make wasm rebuilds them. Callers must
// not modify them.
package plugins

import _ "embed"

// HTTPWasm is for gateways that are http-wasm hosts.
//
//go:embed httpwasm/plugin.wasm
var HTTPWasm []byte

// Extism is for hosts of Extism plugins.
//
//go:embed extism/plugin.wasm
var Extism []byte
