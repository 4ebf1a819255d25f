package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/pgstore"
	"github.com/crepe-checkout/crepe/edge/record"
)

// The databases within the data directory.
const (
	ownDatabase     = "db"
	sandboxDatabase = "sandbox"
)

func (s *server) openDatabases() (err error) {
	if s.db, err = s.openRecords(); err != nil {
		return err
	}
	if len(s.Sandbox) == 0 {
		return nil
	}
	s.sandboxDB, err = openSandbox(s.Data, s.EncryptionKey, s.log) // on a full disk our own writes stop first
	if err != nil && s.Dev == nil && !errors.Is(err, durable.ErrInUse) {
		s.log.Error("the sandbox cannot be opened: the environments that it serves have no payment provider", "error", err)
		s.Sandbox, err = nil, nil
	}
	return err
}

// openRecords opens the store of all records.
func (s *server) openRecords() (record.Store, error) {
	if s.Store != "" {
		return openShared(s.Store, pgstore.Options{Log: s.log, KeepSessions: s.KeepSessions, Usable: s.mayServe, Metrics: s.metrics})
	}
	options := badgerstore.Options{Log: s.log, Reserve: s.DiskReserve, EncryptionKey: s.EncryptionKey, KeepSessions: s.KeepSessions, Metrics: s.metrics}
	db, err := retry(func() (*badgerstore.DB, error) { return openStore(s.Data, options) }, durable.ErrInUse)
	if err != nil {
		return nil, err // and no interface with a nil pointer in it
	}
	return db, nil
}

// openShared opens the records in PostgreSQL.
func openShared(url string, o pgstore.Options) (record.Store, error) {
	ctx, cancel := context.WithTimeout(context.Background(), openPatience)
	defer cancel()
	db, err := pgstore.Open(ctx, url, o)
	if err != nil {
		return nil, fmt.Errorf("--store: %w", err)
	}
	if err := db.Finished(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("--store: %w", err), db.Close())
	}
	return db, nil
}

// openPatience is how long a start waits for PostgreSQL.
const openPatience = 10 * time.Second

// retry tries for a few seconds as long as the error is one of those given, which pass: another process is starting, ending, or
// performs an operator's command.
func retry[T any](try func() (T, error), passing ...error) (T, error) {
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		result, err := try()
		passes := slices.ContainsFunc(passing, func(p error) bool { return errors.Is(err, p) })
		if !passes || time.Now().After(end) {
			return result, err
		}
	}
}

// openStore opens the server's own database.
func openStore(data string, o badgerstore.Options) (*badgerstore.DB, error) {
	return openDatabase(data, ownDatabase, func(dir string) (*badgerstore.DB, error) { return badgerstore.Open(dir, o) })
}

// openDatabase opens a database of the data directory. Its errors say what to do.
func openDatabase[DB any](data, name string, open func(dir string) (DB, error)) (db DB, err error) {
	dir := filepath.Join(data, name)
	if err := checkPrivate(data, dir); err != nil {
		return db, err
	}
	if format, err := durable.FormatOf(dir); err == nil && format != durable.Format {
		return db, fmt.Errorf("the database in %s has format %d, and this version of crepe reads %d; to move its records: crepe migrate status --data %s",
			dir, format, durable.Format, data)
	}
	db, err = open(dir)
	if errors.Is(err, durable.ErrInUse) {
		err = fmt.Errorf("is another crepe running on it? %w", err)
	}
	return db, withRepair(withKey(err, data), data, name)
}

// withKey adds to the error of a wrong encryption key what to do.
func withKey(err error, data string) error {
	switch {
	case errors.Is(err, durable.ErrKeyMissing), errors.Is(err, durable.ErrKeyWrong):
		return fmt.Errorf("%w; --encryption-key-file (CREPE_ENCRYPTION_KEY_FILE) names the file of its key", err)
	case errors.Is(err, durable.ErrNotEncrypted):
		return fmt.Errorf("%w; leave --encryption-key-file out, or make an encrypted copy of it: crepe rekey --data %s --to DIR --new-encryption-key-file FILE",
			err, data)
	}
	return err
}

// withRepair adds to the error of a damaged database what to do.
func withRepair(err error, data, name string) error {
	if !errors.Is(err, durable.ErrDamaged) {
		return err
	}
	cause := "it is damaged, or a copy of a running directory"
	if errors.Is(err, durable.ErrCopied) {
		cause = "this looks like a copy of a running directory"
	}
	return fmt.Errorf("%w\n%s is not served as it is; %s: make backups with crepe backup.\nTo check it, and to repair it where no data is lost: "+
		"crepe repair --data %s", err, filepath.Join(data, name), cause, data)
}

// unavailable reports whether a store refused a write for the moment, because its disk is full or it cannot be reached.
func unavailable(err error) bool {
	p, ok := errors.AsType[*problem.Problem](err)
	return ok && p.Kind == problem.Unavailable
}

// checkPrivate refuses a database that other users can read: it contains personal data and signing keys.
func checkPrivate(data, dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) || runtime.GOOS == "windows" { // which has no file modes
		return nil
	}
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("other users of this machine can read %s (its mode is %04o), which holds personal data and keys; "+
			"to make it private: chmod -R go= %s", dir, mode, data)
	}
	return nil
}

// use is what a data directory is for. The first start stores it in the database.
type use string

const (
	useServe use = "serve"
	useDev   use = "dev"
)

func (c *Config) use() use {
	if c.Dev != nil {
		return useDev
	}
	return useServe
}

// claim refuses a directory of the other use. A directory of crepe dev contains the private keys of its demo merchant, which
// may sell in both environments; a directory of crepe serve must not get a demo merchant.
func (s *server) claim(ctx context.Context) error {
	stored := use("")
	_, err := os.Stat(filepath.Join(s.Data, demo.FileName))
	if err == nil {
		stored = useDev
	} else if mark, err := s.db.Claim(ctx, string(s.use())); err == nil {
		stored = use(mark)
	} else if !unavailable(err) { // a full disk is reported by /readyz
		return err
	}
	return s.use().check(s.Data, stored)
}

// check compares a use with the stored one; "" is none.
func (u use) check(data string, stored use) error {
	switch {
	case u == stored || stored == "":
		return nil
	case u == useServe:
		return fmt.Errorf("%s is a data directory of crepe dev: anyone who reads the private keys of its demo merchant in %s can sell "+
			"as that merchant; choose another directory with --data", data, demo.FileName)
	default:
		return fmt.Errorf("%s is a data directory of crepe serve, where crepe dev would add a demo merchant; "+
			"choose another directory with --data", data)
	}
}

// removeRun removes what a run of crepe dev has left, and no other file of the directory. It fails and removes nothing while
// another crepe has the database open, or when it is one of crepe serve. A database that cannot be opened is removed.
func removeRun(data string, key []byte, log *slog.Logger) error {
	db, err := openStore(data, badgerstore.Options{Log: log, EncryptionKey: key})
	if errors.Is(err, durable.ErrInUse) {
		return err
	}
	var errs []error
	if err == nil {
		stored, err := db.Claim(context.Background(), "")
		errs = append(errs, err, db.Close())
		if err := useDev.check(data, use(stored)); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	for _, name := range []string{ownDatabase, sandboxDatabase, demo.FileName} {
		errs = append(errs, os.RemoveAll(filepath.Join(data, name)))
	}
	return errors.Join(errs...)
}

// Repair checks the databases of a stopped server and repairs them where no acknowledged write is lost; with acceptLoss also
// where some may be. key is nil if they are not encrypted. It calls tell with each step.
func Repair(data string, key []byte, acceptLoss bool, tell func(step string), log *slog.Logger) error {
	var errs []error
	for _, name := range []string{ownDatabase, sandboxDatabase} {
		dir := filepath.Join(data, name)
		if !durable.Exists(dir) {
			if name == ownDatabase {
				errs = append(errs, fmt.Errorf("%s has no database: %w", data, os.ErrNotExist))
			}
			continue
		}
		err := durable.Repair(dir, durable.Repairs{AcceptLoss: acceptLoss, Tell: func(step string) { tell(dir + ": " + step) },
			Options: durable.Options{Log: log, NoSync: name == sandboxDatabase, EncryptionKey: key}})
		err = withKey(err, data)
		if errors.Is(err, durable.ErrDamaged) {
			err = fmt.Errorf("%w\n%s is as it was. Restore %s from a backup, or see --accept-loss in crepe repair --help", err, dir, data)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
