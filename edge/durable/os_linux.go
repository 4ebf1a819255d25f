package durable

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// syncData makes a file's data durable, and the metadata needed to read it.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }

// allocate allocates disk space for an empty file.
func allocate(f *os.File, size int64) error { return syscall.Fallocate(int(f.Fd()), 0, 0, size) }

// copyData copies a file and preserves its holes.
func copyData(out, in *os.File) error {
	const seekData, seekHole = 3, 4 // lseek(2)
	end, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	for at := int64(0); ; {
		data, err := in.Seek(at, seekData)
		if errors.Is(err, syscall.ENXIO) { // the rest is a hole
			return out.Truncate(end)
		} else if err != nil {
			return err
		}
		if at, err = in.Seek(data, seekHole); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(out, data), io.NewSectionReader(in, data, at-data)); err != nil {
			return err
		}
	}
}
