package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/crepe-checkout/crepe/edge/badgerstore"
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
	if s.db, err = openDatabase(s.Data, ownDatabase, badgerstore.Options{Log: s.log, Reserve: reserve, KeepSessions: keep}); err != nil {
		return err
	}
	if len(s.Sandbox) == 0 {
		return nil
	}
	// The sandbox plays a provider, which has its own machine and its own disk: what it writes must neither wait for our
	// commits nor make ours wait. A power cut may lose its last writes. On a full disk our own writes end first.
	s.sandboxDB, err = openDatabase(s.Data, sandboxDatabase, badgerstore.Options{Log: s.log, NoSync: true})
	if err != nil && !s.SandboxTools && !errors.Is(err, badgerstore.ErrInUse) {
		s.log.Error("the sandbox cannot be opened: the environments that it serves have no payment provider", "error", err)
		s.Sandbox, err = nil, nil
	}
	return err
}

// openDatabase opens a database of the data directory. Its refusals say what to do.
func openDatabase(data, name string, o badgerstore.Options) (*badgerstore.DB, error) {
	dir := filepath.Join(data, name)
	if err := checkPrivate(data, dir); err != nil {
		return nil, err
	}
	db, err := badgerstore.Open(dir, o)
	switch {
	case errors.Is(err, badgerstore.ErrInUse):
		return nil, fmt.Errorf("is another crepe running on it? %w", err)
	case errors.Is(err, badgerstore.ErrDamaged):
		return nil, fmt.Errorf("%w\n%s is not served as it is. To check it, and to mend it where nothing is lost: crepe repair --data %s",
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
