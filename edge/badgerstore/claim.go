package badgerstore

import (
	"context"
	"errors"
)

const claimKey = shared + "/-/use"

// Claim records what the database is for. The first call stores use, and every call returns what is stored.
func (db *DB) Claim(_ context.Context, use string) (string, error) {
	stored, err := db.read(claimKey)
	if !errors.Is(err, errNoKey) {
		return string(stored), err
	}
	err = db.update(func(s *step) (err error) {
		if stored, err = s.get(claimKey); errors.Is(err, errNoKey) {
			stored, err = []byte(use), nil
			s.put(claimKey, stored)
		}
		return err
	})
	return string(stored), err
}

// Use is what [DB.Claim] has stored, "" for nothing yet.
func (db *DB) Use() (string, error) {
	stored, err := db.read(claimKey)
	if errors.Is(err, errNoKey) {
		return "", nil
	}
	return string(stored), err
}
