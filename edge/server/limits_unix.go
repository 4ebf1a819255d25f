//go:build linux || darwin

package server

import "syscall"

// OpenFiles returns how many files this process may have open; 0 if that is unknown.
func OpenFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return limit.Cur
}
