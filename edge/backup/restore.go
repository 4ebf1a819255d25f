package backup

import (
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// errStopped ends reading when the receiver wants no more.
var errStopped = errors.New("backup: stopped")

// Restore verifies the point's files, then creates a database of them in dir, which must not exist, and verifies them again meanwhile. It
// calls progress now and then with the number of changes that were read. After an error what it has written is of no use.
func (r *Restorable) Restore(dir string, o durable.Options, progress func(step string, changes int)) error {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s exists already", dir))
	}
	if err := r.Verify(func(n int) { progress("verified", n) }, func(durable.Change) error { return nil }); err != nil {
		return err
	}
	return durable.Fill(dir, o, r.Batch, r.each(func(n int) { progress("written", n) }))
}

// Verify reads the point's files as [Restorable.Changes] does, and calls progress now and then.
func (r *Restorable) Verify(progress func(changes int), visit func(durable.Change) error) error {
	n := 0
	r.Bytes = 0
	return r.Changes(func(c durable.Change) error {
		if n++; n%1000 == 0 {
			progress(n)
		}
		return visit(c)
	})
}

// each returns the changes one after the other.
func (r *Restorable) each(progress func(changes int)) iter.Seq2[durable.Change, error] {
	return func(yield func(durable.Change, error) bool) {
		err := r.Verify(progress, func(c durable.Change) error {
			if !yield(c, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(durable.Change{}, err)
		}
	}
}
