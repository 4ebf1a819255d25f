//go:build unix

package main

import "syscall"

// keepFilesPrivate makes the files that this process creates readable by its user only.
func keepFilesPrivate() { syscall.Umask(0o077) }
