// Package ext stands in for a module that Traefik's own go.mod replaces by a folder of its repository, which a module that requires
// Traefik cannot have. Traefik's folder has the same two types, empty.
package ext

// HTTP has nothing.
type HTTP struct{}

// Router has nothing.
type Router struct{}
