package badgerstore

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/edge/durable"
)

// State is what [Open] will find in a directory.
type State struct {
	Use      string // what the database is used for, see [DB.Claim]; "" is nothing yet
	Indexes  string // the version of the indexes, "" if they are not complete
	Receipts bool   // every paid order has its receipt, or a fact that leads to it
}

// IndexVersion is the version of the indexes that [Open] builds.
const IndexVersion = builtVersion

// UpToDate reports whether [Open] has nothing to add.
func (s State) UpToDate() bool { return s.Indexes == IndexVersion && s.Receipts }

// Inspect returns the state of the store in a directory, with the errors of [durable.Open]. It brings nothing up to date.
func Inspect(dir string, o Options) (s State, err error) {
	db, err := durable.Open(dir, durable.Options{Log: o.Log, NoSync: o.NoSync, Reserve: o.Reserve, EncryptionKey: o.EncryptionKey})
	if err != nil {
		return s, err
	}
	store := &DB{DB: db}
	use, failed := store.Claim(context.Background(), "")
	indexes, err := optional(db.Get(builtKey))
	receipts, missing := optional(db.Get(receiptsKey))
	return State{use, string(indexes), receipts != nil}, errors.Join(failed, err, missing, db.Close())
}

// optional is a value that may be missing; nil if it is.
func optional(value []byte, err error) ([]byte, error) {
	if errors.Is(err, durable.ErrNotFound) {
		return nil, nil
	}
	return value, err
}
