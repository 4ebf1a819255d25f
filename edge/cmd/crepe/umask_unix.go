//go:build unix

package main

import "syscall"

// keepFilesPrivate lets no other user of the machine read what this process writes.
func keepFilesPrivate() { syscall.Umask(0o077) }
