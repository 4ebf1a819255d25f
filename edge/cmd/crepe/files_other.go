//go:build !unix

package main

import "io/fs"

// keepFilesPrivate does nothing: other systems have no umask.
func keepFilesPrivate() {}

// exposed returns false: other systems have no file modes.
func exposed(fs.FileInfo) bool         { return false }
func readableByAll(fs.FileInfo) bool   { return false }
func changeableByAll(fs.FileInfo) bool { return false }
