//go:build !linux && !darwin

package server

// OpenFiles returns 0: other systems have no such limit, or none that is known.
func OpenFiles() uint64 { return 0 }
