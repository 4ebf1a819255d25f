// Package hosts runs the plugins in the hosts that they are for. Those of http-wasm and Extism are libraries, which the tests use here. The
// folders traefik and dapr have programs that run the plugin for gateways with Traefik's and Dapr's own code, in modules of their own, with
// the versions of everything that these require. Package prove has the tests that every gateway passes, and package gate what they share
// with the programs.
package hosts
