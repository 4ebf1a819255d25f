package sandbox

import (
	"errors"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
)

// retention is how long a record is kept after its last write. No payment takes longer.
const retention = 35 * 24 * time.Hour

// durableStore is one environment's part of a database: the keys that begin with the prefix.
type durableStore struct {
	db     *durable.DB
	prefix string
}

// NewStore returns the Store of an environment in a database. The sandbox plays another company, so the database should be one
// of its own. [durable.Options.NoSync] suffices: a power cut may then undo what happened at the test provider in the last
// seconds.
func NewStore(db *durable.DB, env checkout.Environment) Store {
	return durableStore{db, string(env) + "/"}
}

func (s durableStore) Get(key string) ([]byte, error) {
	value, err := s.db.Get(s.prefix + key)
	if errors.Is(err, durable.ErrNotFound) {
		return nil, nil
	}
	return value, err
}

func (s durableStore) Scan(prefix, after string, visit func(key string, value []byte) bool) error {
	from := ""
	if after != "" {
		from = s.prefix + after
	}
	return s.db.Scan(s.prefix+prefix, from, func(key string, value []byte) bool {
		return visit(strings.TrimPrefix(key, s.prefix), value)
	})
}

func (s durableStore) Apply(writes []Write) error {
	until := time.Now().Add(retention)
	return s.db.Update(func(tx *durable.Tx) error {
		for _, w := range writes {
			if w.Value == nil {
				tx.Delete(s.prefix + w.Key)
			} else {
				tx.PutUntil(s.prefix+w.Key, w.Value, until)
			}
		}
		return nil
	})
}
