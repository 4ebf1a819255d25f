// Command httpwasm is a WebAssembly module for gateways that are http-wasm hosts: Traefik, Dapr and others. It answers create-order
// requests that the API refuses whatever their session and credential are, see package gateway, and passes all others on unchanged.
// ../README.md shows how to configure it.
//
// A host uses an instance again after a call that it has ended in the middle, because a client has ended the connection while the body is
// being read. So no state but the configuration is kept between calls, and the functions that run while the body is read have no variables
// in the stack that TinyGo keeps in memory: such an end would not give that back. A test ends tens of thousands of calls there.
package main

// main does nothing: hosts call the functions that the other files export. Only TinyGo compiles those.
func main() {}
