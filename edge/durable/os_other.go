//go:build !linux

package durable

import (
	"io"
	"os"
)

func syncData(f *os.File) error { return f.Sync() }

// allocate writes zeros: extending a file allocates no space.
func allocate(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at); err != nil {
			return err
		}
	}
	return nil
}

func copyData(out, in *os.File) error {
	_, err := io.Copy(out, in)
	return err
}
