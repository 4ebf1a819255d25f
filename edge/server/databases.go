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
)

// The databases within the data directory.
const (
	ownDatabase     = "db"
	sandboxDatabase = "sandbox"
)

func (s *server) openDatabases() error {
	options := badgerstore.Options{Log: s.log, Reserve: s.DiskReserve, KeepSessions: s.KeepSessions}
	db, err := retry(func() (*badgerstore.DB, error) { return openStore(s.Data, options) }, durable.ErrInUse)
	if err != nil {
		return err
	}
	s.db = db
	if len(s.Sandbox) == 0 {
		return nil
	}
	// The sandbox simulates a provider, which has its own machine and its own disk: its writes must neither wait for our
	// commits nor delay ours. A power cut may lose its last writes. On a full disk our own writes stop first.
	s.sandboxDB, err = openDatabase(s.Data, sandboxDatabase, func(dir string) (*durable.DB, error) {
		return durable.Open(dir, durable.Options{Log: s.log, NoSync: true})
	})
	if err != nil && s.Dev == nil && !errors.Is(err, durable.ErrInUse) {
		s.log.Error("the sandbox cannot be opened: the environments that it serves have no payment provider", "error", err)
		s.Sandbox, err = nil, nil
	}
	return err
}

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
	db, err = open(dir)
	switch {
	case errors.Is(err, durable.ErrInUse):
		return db, fmt.Errorf("is another crepe running on it? %w", err)
	case errors.Is(err, durable.ErrDamaged):
		return db, fmt.Errorf("%w\n%s is not served as it is. To check it, and to repair it where no data is lost: crepe repair --data %s",
			err, dir, data)
	}
	return db, err
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
func removeRun(data string, log *slog.Logger) error {
	db, err := openStore(data, badgerstore.Options{Log: log})
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
// where some may be. It calls tell with each step.
func Repair(data string, acceptLoss bool, tell func(step string), log *slog.Logger) error {
	var errs []error
	for _, name := range []string{ownDatabase, sandboxDatabase} {
		dir := filepath.Join(data, name)
		if _, err := os.Stat(dir); err != nil {
			if name == ownDatabase {
				errs = append(errs, err)
			}
			continue
		}
		err := durable.Repair(dir, durable.Repairs{AcceptLoss: acceptLoss, Tell: func(step string) { tell(dir + ": " + step) },
			Options: durable.Options{Log: log, NoSync: name == sandboxDatabase}})
		if errors.Is(err, durable.ErrDamaged) {
			err = fmt.Errorf("%w\n%s is as it was. Restore %s from a backup, or see --accept-loss in crepe repair --help", err, dir, data)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
