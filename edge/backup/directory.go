package backup

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// Point is a point in time that can be restored: what one file is.
type Point struct {
	Deployment string    `json:"deployment"`         // the id of the database's deployment
	Chain      string    `json:"chain"`              // the time of the chain's full backup
	Number     int       `json:"number"`             // in the chain; 0 is the full backup
	Previous   string    `json:"previous,omitempty"` // the last SHA-256 of the file before, in hexadecimal; "" of the full backup
	Time       time.Time `json:"time"`               // when the database was as the backup has it
	Batch      uint64    `json:"batch"`              // number of the last batch of writes
}

// File returns the name of the point's file.
func (p *Point) File() string { return fmt.Sprintf("%s-%05d%s", p.Chain, p.Number, extension) }

const (
	extension  = ".backup"
	unfinished = ".unfinished"
	chainTime  = "20060102T150405.000Z"
)

var fileName = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{3}Z)-(\d{5})\.backup$`)

// Directory is a directory of backups.
type Directory struct {
	path   string
	chains []chain // by time
}

// chain is the files of a chain by their names, sorted by their numbers.
type chain struct {
	name  string
	files []link
}

// link is a file by its name.
type link struct {
	name   string
	number int
}

// Open lists a directory. It reads no file. A name that ends with .backup and is no backup's is an error.
func Open(path string) (*Directory, error) {
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	d := &Directory{path: path}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != extension {
			continue
		}
		match := fileName.FindStringSubmatch(e.Name())
		if match == nil {
			return nil, damaged(filepath.Join(path, e.Name()), "has a name that no backup has; move it away")
		}
		if last := len(d.chains) - 1; last < 0 || d.chains[last].name != match[1] {
			d.chains = append(d.chains, chain{name: match[1]})
		}
		c := &d.chains[len(d.chains)-1]
		number, _ := strconv.Atoi(match[2])
		c.files = append(c.files, link{e.Name(), number})
	}
	return d, nil
}

// Empty reports whether there is no backup.
func (d *Directory) Empty() bool { return len(d.chains) == 0 }

// begun returns the time of the full backup that a chain is named after.
func (c *chain) begun() time.Time {
	at, _ := time.Parse(chainTime, c.name) // the name has this form; another one, such as the 99th of a month, sorts first
	return at
}

// open opens the i-th file of a chain, which must be the chain's number i.
func (d *Directory) open(c *chain, i int) (*reader, *Point, error) {
	want := Point{Chain: c.name, Number: i}
	if i >= len(c.files) || c.files[i].number != i {
		return nil, nil, damaged(filepath.Join(d.path, want.File()), "is missing")
	}
	path := filepath.Join(d.path, want.File())
	r, p, err := open(path, path)
	if err != nil {
		return nil, nil, err
	}
	if p.Chain != c.name || p.Number != i {
		return nil, nil, errors.Join(damaged(path, "has the content of %s: it was renamed or copied", p.File()), r.close())
	}
	return r, p, nil
}

// point reads the point of the i-th file of a chain.
func (d *Directory) point(c *chain, i int) (*Point, error) {
	r, p, err := d.open(c, i)
	if err != nil {
		return nil, err
	}
	return p, r.close()
}

// last returns the newest point, nil for none.
func (d *Directory) last() (*Point, error) {
	if d.Empty() {
		return nil, nil
	}
	c := &d.chains[len(d.chains)-1]
	return d.point(c, c.files[len(c.files)-1].number)
}

// Restorable is a point that can be restored, with the chain up to it.
type Restorable struct {
	Point
	Bytes int64 // of all files of it
	d     *Directory
	chain *chain
}

// Begun returns the time of the chain's full backup.
func (r *Restorable) Begun() time.Time { return r.chain.begun() }

// Find returns the last point at or before a time; with the zero time the last of all. It reads the files' beginnings only.
func (d *Directory) Find(to time.Time) (*Restorable, error) {
	if d.Empty() {
		return nil, fmt.Errorf("there is no backup in %s", d.path)
	}
	if err := d.oneDeployment(); err != nil {
		return nil, err
	}
	i := len(d.chains) - 1
	for !to.IsZero() && i >= 0 && d.chains[i].begun().After(to) {
		i--
	}
	if i < 0 {
		return nil, fmt.Errorf("the first backup in %s is of %s; there is none before", d.path, d.chains[0].begun().Format(time.RFC3339Nano))
	}
	return d.find(&d.chains[i], to)
}

// find finds the last point of a chain at or before a time.
func (d *Directory) find(c *chain, to time.Time) (*Restorable, error) {
	found := &Restorable{d: d, chain: c}
	last := c.files[len(c.files)-1].number
	for i := 0; i <= last; i++ {
		p, err := d.point(c, i)
		if err == nil && i > 0 && p.Deployment != found.Deployment {
			err = damaged(filepath.Join(d.path, p.File()), "is of another deployment")
		}
		if err != nil && i > 0 {
			err = fmt.Errorf("%w\nthe last point before it can be restored with --to %s", err, found.Time.Format(time.RFC3339Nano))
		}
		if err != nil {
			return nil, err
		}
		if !to.IsZero() && p.Time.After(to) {
			break
		}
		found.Point = *p
		if p.Time.Equal(to) {
			break
		}
	}
	return found, nil
}

// oneDeployment refuses the backups of two databases. A full backup that cannot be read is left to those who need it.
func (d *Directory) oneDeployment() error {
	var first *Point
	for i := range d.chains {
		p, err := d.point(&d.chains[i], 0)
		if errors.Is(err, ErrDamaged) {
			continue
		}
		if err != nil {
			return err
		}
		if first = cmp.Or(first, p); p.Deployment != first.Deployment {
			return damaged(filepath.Join(d.path, p.File()), "is of another deployment than %s: give each a directory of its own", first.File())
		}
	}
	return nil
}

// Changes verifies each file of the point's chain and calls visit with its changes, one file after the other.
func (r *Restorable) Changes(visit func(durable.Change) error) error {
	previous := ""
	for i := range r.Number + 1 {
		sum, err := r.file(i, previous, visit)
		if err != nil {
			return err
		}
		previous = sum
	}
	return nil
}

// file reads a file that follows one with the SHA-256 previous, and returns its own.
func (r *Restorable) file(i int, previous string, visit func(durable.Change) error) (sum string, err error) {
	in, p, err := r.d.open(r.chain, i)
	if err != nil {
		return "", err
	}
	defer in.close()
	switch {
	case p.Previous != previous:
		return "", damaged(in.name, "does not follow the file before it, which is another one than when it was made")
	case p.Deployment != r.Deployment:
		return "", damaged(in.name, "is of another deployment")
	}
	if err := in.changes(visit); err != nil {
		return "", err
	}
	r.Bytes += in.read
	return hex.EncodeToString(in.sum[:]), nil
}

// All returns the last point of each chain, by time: with their changes all files are verified. A file that belongs to no point is an error.
func (d *Directory) All() ([]*Restorable, error) {
	if err := d.oneDeployment(); err != nil {
		return nil, err
	}
	var all []*Restorable
	for i := range d.chains {
		r, err := d.find(&d.chains[i], time.Time{})
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// prune removes the chains that no point after a time needs: those before the last chain that had begun by then. The files of a chain
// go in reverse order, so that an interruption leaves a shorter chain.
func (d *Directory) prune(before time.Time) error {
	for i := range len(d.chains) - 1 {
		if d.chains[i+1].begun().After(before) {
			return nil
		}
		for _, file := range slices.Backward(d.chains[i].files) {
			if err := os.Remove(filepath.Join(d.path, file.name)); err != nil {
				return err
			}
		}
	}
	return nil
}
