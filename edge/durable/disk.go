package durable

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
)

// Badger maps its files into memory, so a disk that is full shows as a signal that kills the process. These keep away from
// that: below the reserve nothing new is written, and what is under way, tables being flushed and compacted among it, has
// the reserve to end in. The ballast is for a disk that other programs have filled: it is removed, so that the database
// can be opened and read.
const (
	ballastSize = 6 * memTableSize // room to open this database, and that of the sandbox beside it

	lookEvery   = 250 * time.Millisecond
	ballastFile = "BALLAST"
)

// ErrDiskFull: a write was refused before anything of it began, because the disk is nearly full. Reads go on, and so do
// writes once there is space again.
var ErrDiskFull = problem.New(problem.Unavailable, "storage-full", "", "Nothing can be stored at the moment, please retry")

// disk knows the free space of the file system that a directory is on.
type disk struct {
	dir     string
	reserve uint64
	ballast uint64 // 0 for none
	room    uint64 // that opening may take: the logs that are kept, a new one, and a table for each old one
	log     *slog.Logger
	began   time.Time
	looked  atomic.Int64 // when last, in nanoseconds since it began
	space   atomic.Int32 // a [space]
}

// space is what may be written at the moment.
type space int32

const (
	roomy space = iota // everything
	tight              // only what completes something: half of the reserve is for payments of orders that exist
	full               // nothing
)

func newDisk(dir string, o Options) *disk {
	d := &disk{dir: dir, reserve: o.Reserve, ballast: ballastSize, room: 4 * o.memTable(), log: o.Log, began: time.Now()}
	if d.reserve == 0 {
		d.reserve = 8 * o.memTable()
	}
	if o.NoSync {
		d.ballast = 0
	}
	return d
}

// left is asked before every write. It looks at the disk again when the last look was a while ago.
func (d *disk) left() space {
	last, now := d.looked.Load(), int64(time.Since(d.began))
	if now-last >= int64(lookEvery) && d.looked.CompareAndSwap(last, now) {
		d.look()
	}
	return space(d.space.Load())
}

// Full reports whether writes that begin something new are refused with [ErrDiskFull] at the moment.
func (db *DB) Full() bool { return db.disk.left() != roomy }

// makeRoom refuses to open a database where opening it would already fill the disk.
func (d *disk) makeRoom() error {
	free, err := d.free()
	if err == nil && free < d.reserve {
		err = d.dropBallast()
		free, _ = d.free()
	}
	if err != nil {
		return fmt.Errorf("durable: %w", err)
	}
	if free < d.room {
		return fmt.Errorf("durable: the disk is full: %d MiB are free, and opening %s may take %d; free some and start again",
			free>>20, d.dir, d.room>>20)
	}
	return nil
}

// look decides what there is space for.
func (d *disk) look() {
	free, err := d.free()
	if err != nil {
		d.log.Error("the disk's free space is unknown", "error", err)
		return
	}
	before := space(d.space.Load())
	now := d.judge(free, before)
	if d.space.Swap(int32(now)) != int32(now) {
		d.log.Warn("the disk's free space crosses the reserve", "dir", d.dir, "new records", now == roomy, "payments", now != full,
			"free MiB", free>>20, "reserve MiB", d.reserve>>20)
	}
	if err := d.trim(free); err != nil {
		d.log.Error("the ballast cannot be set right", "error", err)
	}
}

// judge compares the free space with the reserve and with half of it. A shortage ends an eighth of the reserve above where
// it begins, so that small changes do not switch it on and off.
func (d *disk) judge(free uint64, before space) space {
	margin := func(s space) uint64 {
		if before >= s {
			return d.reserve / 8
		}
		return 0
	}
	switch {
	case free < d.reserve/2+margin(full):
		return full
	case free < d.reserve+margin(tight):
		return tight
	default:
		return roomy
	}
}

// trim gives the ballast back when half of the reserve has gone, and takes it again when there is more than enough.
func (d *disk) trim(free uint64) error {
	if free < d.reserve/2 {
		return d.dropBallast()
	}
	if d.ballast == 0 || free < 2*d.reserve+d.ballast {
		return nil
	}
	f, err := os.OpenFile(d.ballastPath(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(allocate(f, int64(d.ballast)), f.Close())
}

func (d *disk) dropBallast() error {
	err := os.Remove(d.ballastPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (d *disk) ballastPath() string { return filepath.Join(d.dir, ballastFile) }

func (d *disk) free() (uint64, error) { return freeSpace(d.dir) }
