package sandbox

import "github.com/goccy/go-json"

// Store is an ordered map from keys to values, all of them the sandbox's own. A value that it returns or shows is the
// receiver's to keep.
type Store interface {
	// Get returns nil for a key that is not there.
	Get(key string) ([]byte, error)

	// Scan visits the keys that begin with prefix and come after another key ("" for all of them), in the order of their
	// bytes, until visit returns false. visit does not call the store.
	Scan(prefix, after string, visit func(key string, value []byte) bool) error

	// Apply makes all of the writes or none, and returns when a crash of the process cannot undo them.
	Apply(writes []Write) error
}

// Write sets a key to a value, which is never empty, or deletes it where the value is nil.
type Write struct {
	Key   string
	Value []byte
}

// change is what one step writes.
type change []Write

func (c *change) put(key string, record any) { *c = append(*c, Write{key, encode(record)}) }

func (c *change) link(key, id string) { *c = append(*c, Write{key, []byte(id)}) }

func (c *change) delete(key string) { *c = append(*c, Write{Key: key}) }

// encode writes a record of our own, which is always possible.
func encode(record any) []byte {
	b, err := json.Marshal(record)
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return b
}

// load reads a record; nil when there is none.
func load[T any](s Store, key string) (*T, error) {
	value, err := s.Get(key)
	if value == nil || err != nil {
		return nil, err
	}
	record := new(T)
	return record, json.Unmarshal(value, record)
}
