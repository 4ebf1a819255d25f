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

// Writes that are under way when the reserve is reached, flushes and compactions among them, use the reserve. The ballast is for
// a disk that other programs have filled: it is removed, so that the database can be opened and read.
const (
	ballastSize = 12 * memTableSize // space to open this database and another one beside it

	lookEvery   = 250 * time.Millisecond
	ballastFile = "BALLAST"
)

// ErrDiskFull is the error of a write that was refused before it began because the disk is nearly full. Reads continue. Writes do
// as soon as there is space.
var ErrDiskFull = problem.New(problem.Unavailable, "storage-full", "", "Nothing can be stored at the moment, please retry")

// disk watches the free space of a directory's file system.
type disk struct {
	dir     string
	reserve uint64
	ballast uint64 // 0 for none
	room    uint64 // space that opening may take: copies of the WALs, a new WAL, and an SSTable for each old one
	log     *slog.Logger
	began   time.Time
	looked  atomic.Int64 // time of the last look, in nanoseconds since began
	space   atomic.Int32 // a [space]
}

// space says which writes the free space allows.
type space int32

const (
	roomy space = iota // all
	tight              // urgent ones
	full               // none
)

func newDisk(dir string, o Options) *disk {
	d := &disk{dir: dir, reserve: o.Reserve, ballast: ballastSize, room: 8 * o.memTable(), log: o.Log, began: time.Now()}
	if d.reserve == 0 {
		d.reserve = 16 * o.memTable()
	}
	if o.NoSync {
		d.ballast = 0
	}
	return d
}

// left returns the current space. It looks at the disk if the last look is older than lookEvery.
func (d *disk) left() space {
	last, now := d.looked.Load(), int64(time.Since(d.began))
	if now-last >= int64(lookEvery) && d.looked.CompareAndSwap(last, now) {
		d.look()
	}
	return space(d.space.Load())
}

// Full reports whether Update is refused with [ErrDiskFull] at the moment.
func (db *DB) Full() bool { return db.disk.left() != roomy }

// makeRoom removes the ballast if the disk is nearly full. It returns an error if opening the database could fill the disk.
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

// look updates the space.
func (d *disk) look() {
	free, err := d.free()
	if err != nil {
		d.log.Error("the free disk space is unknown", "error", err)
		return
	}
	before := space(d.space.Load())
	now := d.judge(free, before)
	if d.space.Swap(int32(now)) != int32(now) {
		d.log.Warn("the free disk space has crossed the reserve", "dir", d.dir, "writes", now == roomy, "urgent writes", now != full,
			"free MiB", free>>20, "reserve MiB", d.reserve>>20)
	}
	if err := d.trim(free); err != nil {
		d.log.Error("cannot create or remove the ballast", "error", err)
	}
}

// judge compares the free space with the reserve and with half of it. A shortage ends an eighth of the reserve above the limit
// at which it began (hysteresis).
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

// trim removes the ballast when half of the reserve is used, and allocates it again when there is ample space.
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

func (d *disk) free() (uint64, error) { return FreeSpace(d.dir) }
