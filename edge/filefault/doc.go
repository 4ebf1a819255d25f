// Package filefault runs a program under ptrace and counts what it does to the files of one directory. It can end the program
// at any of these operations, or let one fail, so that a test can try every place at which a program may die, or a disk may
// refuse. It is for tests, on Linux and amd64.
package filefault

import "os/exec"

// Op is an operation on a file below the directory, about to happen.
type Op struct {
	N    int    // from 1
	Call string // the system call: openat (that creates or truncates), write, pwrite64, ftruncate, fallocate, mmap, msync, fsync, fdatasync, renameat, linkat, unlinkat, mkdirat
	Path string // relative to the directory; of a renaming the old one
}

// Action is what becomes of an operation.
type Action int

// The actions. Fail is an input/output error (EIO), without effect.
const (
	Go Action = iota
	Kill
	Fail
)

// Program is a program to run, and what to do with it.
type Program struct {
	*exec.Cmd        // its standard streams must be files or nil
	Dir       string // the directory whose files count

	Decide func(Op) Action // is asked before each operation
	After  func(Op)        // is told of each operation that succeeded; nil for nobody
}
