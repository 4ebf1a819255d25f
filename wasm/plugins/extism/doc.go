// Command extism is the WebAssembly module for hosts of Extism plugins (https://extism.org): it exports the operations of package ops,
// each with the call's input and output as its JSON. A refusal is an output, as in ../../ABI.md, so every function returns 0.
package main

// main does nothing: hosts call the functions that the other files export. Only TinyGo compiles those.
func main() {}
