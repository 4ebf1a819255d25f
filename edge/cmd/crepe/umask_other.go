//go:build !unix

package main

// keepFilesPrivate does nothing: other systems have no umask.
func keepFilesPrivate() {}
