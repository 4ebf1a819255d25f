//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// keepFilesPrivate makes the files that this process creates readable by its user only.
func keepFilesPrivate() { syscall.Umask(0o077) }

// exposed reports whether a file belongs to this process's user and others can read or change it. Root's may be readable by its group.
func exposed(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	private := fs.FileMode(0o077)
	if os.Getuid() == 0 {
		private = 0o037
	}
	return ok && int(stat.Uid) == os.Getuid() && info.Mode()&private != 0
}

// readableByAll and changeableByAll report what every user of the machine may do with a file.
func readableByAll(info fs.FileInfo) bool   { return info.Mode()&0o004 != 0 }
func changeableByAll(info fs.FileInfo) bool { return info.Mode()&0o002 != 0 }
