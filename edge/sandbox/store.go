package sandbox

import "github.com/goccy/go-json"

// Store is an ordered map from keys to values. The caller owns the values that it returns or passes to visit.
type Store interface {
	// Get returns nil for a missing key.
	Get(key string) ([]byte, error)

	// Scan visits the keys with a prefix in byte order, from behind the key after ("" for all), until visit returns false. visit
	// must not call the store.
	Scan(prefix, after string, visit func(key string, value []byte) bool) error

	// Apply persists the writes atomically. After it returns, a crash of the process does not undo them.
	Apply(writes []Write) error
}

// Write sets a key to a value, which must not be empty, or deletes it where the value is nil.
type Write struct {
	Key   string
	Value []byte
}

// change is the writes of one transaction.
type change []Write

func (c *change) put(key string, record any) { *c = append(*c, Write{key, encode(record)}) }

func (c *change) link(key, id string) { *c = append(*c, Write{key, []byte(id)}) }

func (c *change) delete(key string) { *c = append(*c, Write{Key: key}) }

// encode encodes one of the package's own types, which cannot fail.
func encode(record any) []byte {
	b, err := json.Marshal(record)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return b
}

// load reads a record. It returns nil for a missing key.
func load[T any](s Store, key string) (*T, error) {
	value, err := s.Get(key)
	if value == nil || err != nil {
		return nil, err
	}
	record := new(T)
	return record, json.Unmarshal(value, record)
}
