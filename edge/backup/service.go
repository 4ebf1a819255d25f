package backup

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/durable"
)

const (
	// chainLife is the age of a full backup after which the next backup is a full one.
	chainLife = 24 * time.Hour
	// After restAfter of work a backup rests restShare times as long, so that it takes a small share of the machine.
	restAfter, restShare = time.Millisecond, 5
)

// Config configures a [Service]. DB, Deployment, Now and Log are required.
type Config struct {
	DB         *durable.DB
	Deployment string // the id of the deployment, which no other database has
	Now        func() time.Time
	Log        *slog.Logger
	Hurry      bool // a command makes the backup, and no server runs: it takes all of the machine
}

// Service makes the backups of a database, one at a time. It is safe for concurrent use.
type Service struct {
	config  Config
	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	status Status
	base   *base // the last backup, of this process
}

// base is a backup that an incremental one can follow.
type base struct {
	directory string
	point     Point
	sum       string // the last SHA-256 of its file
	moment    *durable.Moment
}

// Status is how far a backup is, or what became of the last one.
type Status struct {
	Number   int           `json:"number"` // of the backup, from 1; 0 before the first one
	Running  bool          `json:"running"`
	File     string        `json:"file,omitempty"` // "" before the first one
	Full     bool          `json:"full"`
	Records  int           `json:"records"`
	Bytes    int64         `json:"bytes"`
	Point    time.Time     `json:"point"` // what it restores
	Took     time.Duration `json:"took"`  // nanoseconds
	Error    string        `json:"error,omitempty"`
	LastGood time.Time     `json:"lastGood"` // the point of the last one that is complete; zero for none since the start
}

// Request is a backup to make.
type Request struct {
	Directory string        `json:"directory"` // absolute; it is created if its parent exists
	Full      bool          `json:"full"`      // not an incremental one
	Keep      time.Duration `json:"keep"`      // remove chains that no point so far back needs, in nanoseconds; 0 removes nothing
}

// ErrRunning is the error of a backup while another one is made.
var ErrRunning = errors.New("a backup is being made at this moment; try again when it is complete")

// New returns a service.
func New(c Config) *Service {
	s := &Service{config: c}
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends the backup that is being made, if any, and waits for it. Close it before the database.
func (s *Service) Close() {
	s.stop()
	s.running.Wait()
}

// Status returns the state of the last backup. Its error is that of the last one, too.
func (s *Service) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Start begins to make a backup, which Status then follows until the next one begins, and returns its status.
func (s *Service) Start(r Request) (Status, error) {
	begun, err := s.begin()
	if err == nil {
		s.running.Go(func() { s.make(r) })
	}
	return begun, err
}

// begin claims the service for one backup.
func (s *Service) begin() (Status, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Running {
		return s.status, ErrRunning
	}
	if err := s.ctx.Err(); err != nil {
		return s.status, err
	}
	s.status = Status{Number: s.status.Number + 1, Running: true, LastGood: s.status.LastGood}
	return s.status, nil
}

// Run makes a backup every so often until ctx ends, the first when the newest one in the directory is that old. A backup that fails is an
// error in the log, and the next one follows at its time.
func (s *Service) Run(ctx context.Context, r Request, every time.Duration) {
	for wait := s.untilDue(r.Directory, every); ; wait = every {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		if _, err := s.begin(); err == nil {
			s.make(r)
		} else if s.ctx.Err() == nil {
			s.config.Log.Error("no backup was made", "directory", r.Directory, "error", err)
		}
	}
}

// untilDue returns how long the newest backup in a directory suffices.
func (s *Service) untilDue(directory string, every time.Duration) time.Duration {
	d, err := Open(directory)
	if err != nil {
		return 0
	}
	last, err := d.last()
	if err != nil || last == nil || last.Deployment != s.config.Deployment {
		return 0
	}
	s.update(func(status *Status) { status.LastGood = last.Time })
	return min(every, max(0, every-s.config.Now().Sub(last.Time)))
}

func (s *Service) update(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}

// make makes a backup, and logs what became of it. The caller has begun it.
func (s *Service) make(r Request) {
	began := time.Now()
	err := s.into(r)
	var made Status
	s.update(func(status *Status) {
		if status.Running, status.Took = false, time.Since(began); err != nil {
			status.Error = err.Error()
		} else {
			status.LastGood = status.Point
		}
		made = *status
	})
	switch {
	case s.config.Hurry: // the command prints it
	case err == nil:
		s.config.Log.Info("backup made", "file", made.File, "full", made.Full, "records", made.Records, "bytes", made.Bytes)
	case s.ctx.Err() == nil:
		s.config.Log.Error("no backup was made", "directory", r.Directory, "error", err)
	}
}

func (s *Service) into(r Request) error {
	d, err := s.prepare(r.Directory)
	if err != nil {
		return err
	}
	follows := s.base
	if r.Full || !s.continues(d) {
		follows = nil
	}
	if err := s.take(d, follows); err != nil || r.Keep == 0 {
		return err
	}
	if d, err = Open(r.Directory); err != nil {
		return err
	}
	if err := d.prune(s.config.Now().Add(-r.Keep)); err != nil {
		s.config.Log.Error("the backup is complete, and an old one could not be removed", "directory", r.Directory, "error", err)
	}
	return nil
}

// prepare opens a directory of this deployment's backups, removes what an interrupted backup has left, and creates the directory if
// necessary.
func (s *Service) prepare(path string) (*Directory, error) {
	if err := CheckPlace(path, s.config.DB.Dir()); err != nil {
		return nil, err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	d, err := Open(path)
	if err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(path, "*"+extension+unfinished))
	for _, name := range left {
		s.config.Log.Warn("an interrupted backup has left this file, which is removed", "file", name)
		err = errors.Join(err, os.Remove(name))
	}
	if err != nil {
		return nil, err
	}
	last, err := d.last()
	if errors.Is(err, ErrDamaged) {
		s.config.Log.Error("the newest backup is damaged; a full one is made", "error", err)
		return d, nil
	}
	if err == nil && last != nil && last.Deployment != s.config.Deployment {
		err = fmt.Errorf("%s holds the backups of another deployment; choose another directory", path)
	}
	return d, err
}

// CheckPlace refuses a directory of backups that is the database's own directory, or in it: its files are the database's.
func CheckPlace(directory, database string) error {
	directory, err := filepath.Abs(directory)
	if err != nil {
		return err
	}
	if database, err = filepath.Abs(database); err != nil {
		return err
	}
	if inside, err := filepath.Rel(database, directory); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("%s is in the database itself; name a directory on another disk", directory)
	}
	return nil
}

// continues reports whether the newest backup in a directory is the last one that this service has made.
func (s *Service) continues(d *Directory) bool {
	if s.base == nil || s.base.directory != d.path || d.Empty() || s.config.Now().Sub(d.chains[len(d.chains)-1].begun()) >= chainLife {
		return false
	}
	last, err := d.last()
	return err == nil && last != nil && last.File() == s.base.point.File()
}

// take makes a backup that follows another one, or with nil a full one.
func (s *Service) take(d *Directory, follows *base) error {
	var since *durable.Moment
	if follows != nil {
		since = follows.moment
	}
	now := s.config.Now() // what was acknowledged by now is in the backup
	moment, err := s.config.DB.Moment(since)
	if err != nil {
		return err
	}
	defer moment.Close()
	if moment.Full {
		follows = nil
	}
	p := s.point(d, follows, now)
	p.Batch = moment.Batch
	sum, err := s.write(filepath.Join(d.path, p.File()), &p, moment)
	if err != nil {
		return err
	}
	moment.Keep()
	s.base = &base{d.path, p, sum, moment}
	return nil
}

// point returns the next point: its time is later than that of all others of the directory, whatever the clock says.
func (s *Service) point(d *Directory, follows *base, now time.Time) Point {
	at := now.UTC().Truncate(time.Millisecond)
	p := Point{Deployment: s.config.Deployment}
	switch {
	case follows != nil:
		at = later(at, follows.point.Time)
		p.Chain, p.Number, p.Previous = follows.point.Chain, follows.point.Number+1, follows.sum
	case !d.Empty():
		at = later(at, d.chains[len(d.chains)-1].begun())
		if last, err := d.last(); err == nil {
			at = later(at, last.Time)
		}
		fallthrough
	default:
		p.Chain = at.Format(chainTime)
	}
	p.Time = at
	return p
}

func later(at, than time.Time) time.Time {
	if at.After(than) {
		return at
	}
	return than.Add(time.Millisecond)
}

// write writes a file under a temporary name and renames it when it is complete and durable.
func (s *Service) write(name string, p *Point, m *durable.Moment) (sum string, err error) {
	s.update(func(status *Status) { status.File, status.Full, status.Point = name, p.Number == 0, p.Time })
	file, err := os.OpenFile(name+unfinished, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name()) // fails once it is renamed
	w, err := newWriter(file, p)
	if err == nil {
		err = s.copy(w, m)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	if err := errors.Join(os.Rename(file.Name(), name), durable.SyncDir(filepath.Dir(name))); err != nil {
		return "", err
	}
	return hex.EncodeToString(w.sum[:]), nil
}

// copy writes the changes, and pauses after each part.
func (s *Service) copy(w *writer, m *durable.Moment) error {
	pace := s.pace()
	err := m.Changes(func(c durable.Change) error {
		wrote, err := w.change(&c)
		if err != nil || !wrote {
			return err
		}
		s.progress(w)
		return pace()
	}, pace)
	if err == nil {
		err = w.finish()
	}
	s.progress(w)
	return err
}

// pace returns a function that sleeps in proportion to the time since it returned last. Its error says that the service is closed.
func (s *Service) pace() func() error {
	woke := time.Now()
	return func() error {
		if worked := time.Since(woke); worked > restAfter && !s.config.Hurry {
			select {
			case <-time.After(restShare * worked):
			case <-s.ctx.Done():
			}
			woke = time.Now()
		}
		return s.ctx.Err()
	}
}

func (s *Service) progress(w *writer) {
	s.update(func(status *Status) { status.Records, status.Bytes = w.changes, w.bytes })
}
