package badgerstore

import (
	"context"
	"errors"
)

const deploymentKey = "all/-/de"

// Deployment implements orders.Store.
func (db *DB) Deployment(_ context.Context, made string) (string, error) {
	id, err := db.read(deploymentKey)
	if !errors.Is(err, errNoKey) {
		return string(id), err
	}
	err = db.update(func(s *step) (err error) {
		if id, err = s.get(deploymentKey); errors.Is(err, errNoKey) {
			id, err = []byte(made), nil
			s.put(deploymentKey, id)
		}
		return err
	})
	return string(id), err
}
