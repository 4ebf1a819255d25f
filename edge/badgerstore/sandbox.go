package badgerstore

import (
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// sandboxStore is one environment of the sandbox provider's database. Its values are the provider's business.
type sandboxStore struct {
	db     *DB
	prefix string
}

// Sandbox is where an environment's sandbox provider keeps its records. It plays another company's machine, so its database
// is one of its own, opened with [Options.NoSync].
func (db *DB) Sandbox(env checkout.Environment) sandbox.Store {
	return sandboxStore{db, string(env) + "/"}
}

func (s sandboxStore) Get(key string) ([]byte, error) {
	value, err := s.db.read(s.prefix + key)
	if errors.Is(err, errNoKey) {
		return nil, nil
	}
	return value, err
}

func (s sandboxStore) Scan(prefix, after string, visit func(key string, value []byte) bool) error {
	from := ""
	if after != "" {
		from = s.prefix + after
	}
	return s.db.scan(s.prefix+prefix, from, func(key string, value []byte) bool {
		return visit(strings.TrimPrefix(key, s.prefix), value)
	})
}

func (s sandboxStore) Apply(writes []sandbox.Write) error {
	return s.db.update(func(step *step) error {
		for _, w := range writes {
			if w.Value == nil {
				step.delete(s.prefix + w.Key)
			} else {
				step.put(s.prefix+w.Key, w.Value)
			}
		}
		return nil
	})
}
