package badgerstore

import (
	"encoding/binary"
	"errors"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/record"
)

// The first byte of a value is its encoding. A stamped record has in front what the writer needs of it, so that the writer parses
// no JSON.
const (
	recordJSON    = 1 // a record, see package record
	recordStamped = 2 // version and instant, 8 bytes each, big endian; a record
)

const stampSize = 1 + 8 + 8

// stamp is a session's or order's version, and an instant in Unix milliseconds: when an order is due, or a session expires from the
// database; 0 is never.
type stamp struct {
	version uint64
	when    int64
}

func (m stamp) encode(v any) ([]byte, error) {
	text, err := record.Marshal(v)
	if err != nil {
		return nil, err
	}
	value := make([]byte, 0, stampSize+len(text))
	value = binary.BigEndian.AppendUint64(append(value, recordStamped), m.version)
	value = binary.BigEndian.AppendUint64(value, uint64(m.when))
	return append(value, text...), nil
}

func readStamp(value []byte) (stamp, error) {
	if len(value) < stampSize || value[0] != recordStamped {
		return stamp{}, errUnknownRecord
	}
	return stamp{binary.BigEndian.Uint64(value[1:]), int64(binary.BigEndian.Uint64(value[9:]))}, nil
}

var errUnknownRecord = errors.New("badgerstore: a record of an unknown encoding")

func encode(v any) ([]byte, error) {
	text, err := record.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append([]byte{recordJSON}, text...), nil
}

func decode(value []byte, v any) error {
	switch {
	case len(value) > 1 && value[0] == recordJSON:
		value = value[1:]
	case len(value) > stampSize && value[0] == recordStamped:
		value = value[stampSize:]
	default:
		return errUnknownRecord
	}
	return record.Unmarshal(value, v)
}

// load reads a record. It returns the error missing if the key does not exist.
func load[T any](get func(string) ([]byte, error), key string, missing error) (*T, error) {
	value, err := get(key)
	if errors.Is(err, durable.ErrNotFound) {
		return nil, missing
	}
	if err != nil {
		return nil, err
	}
	v := new(T)
	return v, decode(value, v)
}

// save encodes and writes a record.
func save(tx *durable.Tx, key string, v any) error {
	value, err := encode(v)
	if err == nil {
		tx.Put(key, value)
	}
	return err
}
