// Command guest is the WebAssembly module: it exports the operations of package ops with the ABI of ../ABI.md.
//
// An operation's memory is freed by the next call, see package arena; only the rates are kept. A test makes a hundred thousand calls and
// checks the size of the memory.
package main

// main does nothing: hosts call the functions that the other files export. Only TinyGo compiles those.
func main() {}
