package badgerstore

import (
	"errors"
	"fmt"

	"github.com/goccy/go-json"
)

// recordJSON is the first byte of a value that holds a record as JSON.
const recordJSON = 1

func encode(record any) ([]byte, error) {
	b, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("badgerstore: %w", err)
	}
	return append([]byte{recordJSON}, b...), nil
}

func decode(value []byte, record any) error {
	if len(value) == 0 || value[0] != recordJSON {
		return errors.New("badgerstore: a record of a version that this program does not know")
	}
	if err := json.Unmarshal(value[1:], record); err != nil {
		return fmt.Errorf("badgerstore: damaged record: %w", err)
	}
	return nil
}

// load reads a record; missing is the error for a key that is not there.
func load[T any](get func(string) ([]byte, error), key string, missing error) (*T, error) {
	value, err := get(key)
	if errors.Is(err, errNoKey) {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	record := new(T)
	return record, decode(value, record)
}

// save writes a record within a step.
func save(s *step, key string, record any) error {
	value, err := encode(record)
	if err == nil {
		s.put(key, value)
	}
	return err
}
