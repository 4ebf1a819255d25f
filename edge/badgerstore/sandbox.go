package badgerstore

import (
	"errors"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/sandbox"
)

// sandboxMemory is how long the sandbox knows of something after it was last written: as long as a payment may take.
const sandboxMemory = 35 * 24 * time.Hour

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
	until := time.Now().Add(sandboxMemory)
	return s.db.update(func(step *step) error {
		for _, w := range writes {
			if w.Value == nil {
				step.delete(s.prefix + w.Key)
			} else {
				step.putUntil(s.prefix+w.Key, w.Value, until)
			}
		}
		return nil
	})
}
