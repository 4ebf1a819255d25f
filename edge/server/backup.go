package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/backup"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
)

// Backups configure the backups that a server makes by itself. With Directory "" it makes none.
type Backups struct {
	Directory string
	Every     time.Duration
	Keep      time.Duration // how far back points are kept
}

// backups adapts a backup service to the operator's socket.
type backups struct{ *backup.Service }

func (b backups) StartBackup(r admin.BackupRequest) (admin.BackupStatus, error) {
	status, err := b.Start(backup.Request(r))
	return admin.BackupStatus(status), err
}

func (b backups) BackupStatus() admin.BackupStatus { return admin.BackupStatus(b.Status()) }

// newBackups returns the service for a store; nil for one that is not embedded.
func newBackups(ctx context.Context, db record.Store, hurry bool, log *slog.Logger) (*backup.Service, error) {
	embedded, ok := db.(*badgerstore.DB)
	if !ok {
		return nil, nil
	}
	deployment, err := db.Deployment(ctx, rand.Text())
	if err != nil {
		return nil, err
	}
	return backup.New(backup.Config{DB: embedded.DB, Deployment: deployment, Now: time.Now, Log: log, Hurry: hurry}), nil
}

// adminBackups returns the service as the operator's socket has it.
func adminBackups(s *backup.Service) admin.Backups {
	if s == nil {
		return nil
	}
	return backups{s}
}

// makeBackups makes backups as configured until ctx ends.
func (s *server) makeBackups(ctx context.Context) {
	if s.Backups.Directory != "" {
		s.backups.Run(ctx, backup.Request{Directory: s.Backups.Directory, Keep: s.Backups.Keep}, s.Backups.Every)
	}
}

// checkBackups makes the directory absolute. It refuses backups of PostgreSQL, and backups in the database itself.
func (c *Config) checkBackups() (err error) {
	if c.Backups.Directory == "" {
		return nil
	}
	if c.Store != "" {
		return fmt.Errorf("--backup-dir: %w", admin.NoBackups)
	}
	if c.Backups.Directory, err = filepath.Abs(c.Backups.Directory); err == nil {
		err = backup.CheckPlace(c.Backups.Directory, filepath.Join(c.Data, ownDatabase))
	}
	if err != nil {
		return fmt.Errorf("--backup-dir: %w", err)
	}
	return nil
}

// restoredFile is in a data directory that was restored, until a server has compared it with the payment provider.
const restoredFile = "restored.json"

type restoredMark struct {
	Point time.Time `json:"point"` // what was done later is lost
	From  string    `json:"from"`  // the file of the backup
}

// readRestored returns the time of the backup from which a data directory was restored; zero for none.
func readRestored(data string) (time.Time, error) {
	name := filepath.Join(data, restoredFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}, nil
	}
	var mark restoredMark
	if err == nil {
		err = json.Unmarshal(text, &mark)
	}
	if err != nil {
		err = fmt.Errorf("%s, which crepe restore has written, cannot be read: %w; restore again", name, err)
	}
	return mark.Point, err
}

// catchUp compares the orders with the provider before they are accepted.
func (s *server) catchUp(ctx context.Context) {
	err := s.orders.CatchUp(ctx)
	name := filepath.Join(s.Data, restoredFile)
	if _, missing := os.Stat(name); err != nil || missing != nil {
		return
	}
	if err := os.Remove(name); err != nil {
		s.log.Error("the restored data directory was compared with the payment provider, and will be again at the next start", "error", err)
		return
	}
	s.log.Info("the restored data directory was compared with the payment provider")
}

// Restore restores a backup into a new data directory.
type Restore struct {
	Backups  string    // directory of the backups
	To       time.Time // the last point at or before it; zero for the last of all
	Data     string    // the new data directory
	Progress func(step string, entries int)
	Log      *slog.Logger

	EncryptionKey []byte // of the new directory; nil for none
}

// Restoration is a restored data directory.
type Restoration struct {
	Point   time.Time
	File    string // the name of the last file
	Files   int
	Bytes   int64
	Records Records
	Took    time.Duration
}

// Run verifies the backups, writes a directory beside Data, reads every record in it, and renames it.
func (r *Restore) Run(ctx context.Context) (*Restoration, error) {
	began := time.Now()
	point, err := findPoint(r.Backups, r.To)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(r.Data); !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(err, fmt.Errorf("%s exists already; --data names the directory to create", r.Data))
	}
	unfinished := filepath.Clean(r.Data) + ".unfinished"
	if err := r.removeUnfinished(unfinished); err != nil {
		return nil, err
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return nil, err
	}
	restored, err := r.into(ctx, unfinished, point)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(unfinished))
	}
	err = errors.Join(durable.SyncDir(unfinished), os.Rename(unfinished, r.Data), durable.SyncDir(filepath.Dir(filepath.Clean(r.Data))))
	restored.Took = time.Since(began)
	return restored, err
}

// LastBackup returns the time of the last point in a directory of backups. It reads the files' beginnings only.
func LastBackup(directory string) (time.Time, error) {
	last, err := findPoint(directory, time.Time{})
	if err != nil {
		return time.Time{}, err
	}
	return last.Time, nil
}

// findPoint finds the point to restore.
func findPoint(directory string, to time.Time) (*backup.Restorable, error) {
	d, err := backup.Open(directory)
	if err != nil {
		return nil, err
	}
	return d.Find(to)
}

// removeUnfinished removes what an interrupted restore has left.
func (r *Restore) removeUnfinished(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	left, err := durable.Open(filepath.Join(dir, ownDatabase), durable.Options{})
	if errors.Is(err, durable.ErrInUse) {
		return fmt.Errorf("is another restore running? %w", err)
	}
	if err == nil {
		err = left.Close()
	}
	_ = err // a database that is not complete is removed all the same
	r.Log.Warn("an interrupted restore has left this directory, which is removed", "directory", dir)
	return os.RemoveAll(dir)
}

// into restores a point into an empty directory.
func (r *Restore) into(ctx context.Context, dir string, point *backup.Restorable) (*Restoration, error) {
	database := filepath.Join(dir, ownDatabase)
	err := point.Restore(database, durable.Options{Log: r.Log, EncryptionKey: r.EncryptionKey}, func(step string, n int) { r.Progress(step, n) })
	if err != nil {
		return nil, err
	}
	restored := &Restoration{Point: point.Time, File: point.File(), Files: point.Number + 1, Bytes: point.Bytes}
	restored.Records, err = readDatabase(ctx, database, r.EncryptionKey, func(n int) { r.Progress("read again", n) }, r.Log)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(restoredMark{point.Time, point.File()})
	if err != nil {
		return nil, err
	}
	return restored, writeSynced(filepath.Join(dir, restoredFile), text)
}

// writeSynced writes a new file that a power cut does not take away.
func writeSynced(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// Records are what a database or a backup holds.
type Records struct {
	Kinds       map[record.Kind]int
	NewestOrder time.Time // zero if there is none
}

func (r *Records) add(e *record.Entry) {
	r.Kinds[e.Kind]++
	if o, ok := e.Value.(*orders.Order); ok {
		if at := time.UnixMilli(o.CreatedAt).UTC(); at.After(r.NewestOrder) {
			r.NewestOrder = at
		}
	}
}

// readDatabase opens a database and decodes every record of it.
func readDatabase(ctx context.Context, dir string, key []byte, progress func(int), log *slog.Logger) (Records, error) {
	r, n := Records{Kinds: make(map[record.Kind]int)}, 0
	db, err := durable.Open(dir, durable.Options{Log: log, EncryptionKey: key})
	if err != nil {
		return r, err
	}
	err = badgerstore.ReadAll(ctx, db, func(e record.Entry) error {
		if n++; n%1000 == 0 {
			progress(n)
		}
		r.add(&e)
		return nil
	})
	return r, errors.Join(err, db.Close())
}

// Drill restores the last backup into a temporary directory, reads every record, and removes it.
func Drill(ctx context.Context, directory string, progress func(step string, entries int), log *slog.Logger) (*Restoration, error) {
	temporary, err := os.MkdirTemp("", "crepe-drill-")
	if err != nil {
		return nil, err
	}
	r := Restore{Backups: directory, Data: filepath.Join(temporary, "data"), Progress: progress, Log: log}
	restored, err := r.Run(ctx)
	return restored, errors.Join(err, os.RemoveAll(temporary))
}

// Verification is what a verified database or directory of backups holds.
type Verification struct {
	Records
	Chains []VerifiedChain // of a directory of backups
}

// VerifiedChain is a chain of backups without a fault.
type VerifiedChain struct {
	From, To time.Time // of the first and the last point
	Points   int
	Changes  int
	Bytes    int64
}

// Verify reads a data directory whose server is stopped, or a directory of backups, and decodes every record. Its error is the first
// fault; the result is what was read before.
func Verify(ctx context.Context, path string, key []byte, progress func(entries int), log *slog.Logger) (*Verification, error) {
	if durable.Exists(filepath.Join(path, ownDatabase)) {
		records, err := openDatabase(path, ownDatabase, func(dir string) (Records, error) { return readDatabase(ctx, dir, key, progress, log) })
		if errors.Is(err, durable.ErrInUse) {
			err = fmt.Errorf("%w; of a running server verify a backup: crepe backup DIR --data %s, then crepe verify DIR", err, path)
		}
		return &Verification{Records: records}, err
	}
	return verifyBackups(ctx, path, progress)
}

func verifyBackups(ctx context.Context, path string, progress func(int)) (*Verification, error) {
	v := &Verification{Records: Records{Kinds: make(map[record.Kind]int)}}
	d, err := backup.Open(path)
	if err != nil {
		return v, err
	}
	if d.Empty() {
		return v, fmt.Errorf("%s is neither a data directory (it has no %s) nor a directory of backups", path, ownDatabase)
	}
	points, broken := d.All()
	for _, p := range points {
		chain := VerifiedChain{From: p.Begun(), To: p.Time, Points: p.Number + 1}
		err := p.Verify(progress, func(c durable.Change) error {
			chain.Changes++
			return v.decode(ctx, &c)
		})
		if chain.Bytes = p.Bytes; err != nil {
			return v, err
		}
		v.Chains = append(v.Chains, chain)
	}
	return v, broken
}

// decode decodes a record of a backup.
func (v *Verification) decode(ctx context.Context, c *durable.Change) error {
	if c.Value == nil {
		return ctx.Err()
	}
	until := time.Time{}
	if c.Expires > 0 {
		until = time.Unix(int64(c.Expires), 0)
	}
	e, err := badgerstore.Decode(string(c.Key), c.Value, until)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Key, err)
	}
	if e != nil {
		v.add(e)
	}
	return ctx.Err()
}

// Total returns the number of all records.
func (r *Records) Total() (n int) {
	for _, count := range r.Kinds {
		n += count
	}
	return n
}

// Orders returns the number of orders.
func (r *Records) Orders() int { return r.Kinds[record.Order] }

// Print prints the kinds of records that there are.
func (r *Records) Print(w io.Writer) {
	for _, kind := range record.Kinds {
		if n := r.Kinds[kind]; n > 0 {
			fmt.Fprintf(w, "%-24s %10d\n", kind, n)
		}
	}
	fmt.Fprintf(w, "%-24s %10d\n", "in all", r.Total())
}
