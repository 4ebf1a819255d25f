package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/durable"
)

// Where the databases are within the data directory.
const (
	ownDatabase     = "db"
	sandboxDatabase = "sandbox"
)

func (s *server) openDatabases() error {
	reserve, err := s.reserve()
	if err != nil {
		return err
	}
	keep, err := s.keepSessions()
	if err != nil {
		return err
	}
	db, err := openStore(s.Data, badgerstore.Options{Log: s.log, Reserve: reserve, KeepSessions: keep})
	if err != nil {
		return err
	}
	s.db = db
	if len(s.Sandbox) == 0 {
		return nil
	}
	// The sandbox plays a provider, which has its own machine and its own disk: what it writes must neither wait for our
	// commits nor make ours wait. A power cut may lose its last writes. On a full disk our own writes end first.
	s.sandboxDB, err = openDatabase(s.Data, sandboxDatabase, func(dir string) (*durable.DB, error) {
		return durable.Open(dir, durable.Options{Log: s.log, NoSync: true})
	})
	if err != nil && !s.SandboxTools && !errors.Is(err, durable.ErrInUse) {
		s.log.Error("the sandbox cannot be opened: the environments that it serves have no payment provider", "error", err)
		s.Sandbox, err = nil, nil
	}
	return err
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
		return db, fmt.Errorf("%w\n%s is not served as it is. To check it, and to mend it where nothing is lost: crepe repair --data %s",
			err, dir, data)
	}
	return db, err
}

// checkPrivate refuses a database that others on this machine can read: it holds personal data and signing keys.
func checkPrivate(data, dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) || runtime.GOOS == "windows" { // which has no such modes
		return nil
	}
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("other users of this machine can read %s (its mode is %04o), which holds personal data and keys; "+
			"to take that away: chmod -R go= %s", dir, mode, data)
	}
	return nil
}

// unavailable reports whether a store refused a write for the moment, because its disk is full or it cannot be reached.
func unavailable(err error) bool {
	p, ok := errors.AsType[*problem.Problem](err)
	return ok && p.Kind == problem.Unavailable
}
