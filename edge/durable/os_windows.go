package durable

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a byte beyond the end of the file, because Windows does not let others read a locked range.
func lockFile(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1})
}

func FreeSpace(dir string) (free uint64, err error) {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	err = windows.GetDiskFreeSpaceEx(name, &free, nil, nil)
	return free, err
}

// syncDir does nothing: Windows cannot sync a directory, and NTFS journals changes of names.
func syncDir(string) error { return nil }
