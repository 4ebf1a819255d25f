// Package filefault runs a program under ptrace and counts its operations on the files of one directory. At any of these operations
// it can kill the program or inject an I/O error, so that a test can try each of them. It is for tests, on Linux and amd64.
package filefault

import "os/exec"

// Op is an operation on a file below the directory.
type Op struct {
	N    int    // from 1
	Call string // the system call: openat (that creates or truncates), write, pwrite64, ftruncate, fallocate, mmap, msync, fsync, fdatasync, renameat, linkat, unlinkat, mkdirat
	Path string // relative to the directory; of a renaming the old one
}

// Action says what to do at an operation.
type Action int

// Go executes the operation, Kill kills the program before it, and Fail lets it fail with EIO, without effect.
const (
	Go Action = iota
	Kill
	Fail
)

// Program is a program to run under the tracer.
type Program struct {
	*exec.Cmd        // its standard streams must be files or nil
	Dir       string // the traced directory

	Decide func(Op) Action // called before each operation
	After  func(Op)        // called after each operation that succeeded; nil is allowed
}
