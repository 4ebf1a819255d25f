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
	recordIndexed = 3 // version and instant; the size of the index tokens, 4 bytes; the index tokens; a record
)

const stampSize = 1 + 8 + 8

// stamp is a session's or order's version, and an instant in Unix milliseconds: when an order is due, or a session expires from the
// database; 0 is never.
type stamp struct {
	version uint64
	when    int64
	tokens  tokens // of an order, what the indexes hold of it
	indexed bool   // the record has tokens, possibly none; an order of an older version has not
}

// encode returns a record with the stamp in front.
func (m stamp) encode(v any) ([]byte, error) {
	text, err := record.Marshal(v)
	if err != nil {
		return nil, err
	}
	return m.seal(text), nil
}

// seal puts the stamp in front of a record.
func (m stamp) seal(text []byte) []byte {
	value := make([]byte, 0, stampSize+4+m.tokens.size()+len(text))
	value = append(value, recordStamped)
	value = binary.BigEndian.AppendUint64(value, m.version)
	value = binary.BigEndian.AppendUint64(value, uint64(m.when))
	if m.indexed {
		value[0] = recordIndexed
		value = binary.BigEndian.AppendUint32(value, uint32(m.tokens.size()))
		value = m.tokens.append(value)
	}
	return append(value, text...)
}

// unseal splits a stamped record.
func unseal(value []byte) (m stamp, text []byte, err error) {
	if len(value) < stampSize || value[0] != recordStamped && value[0] != recordIndexed {
		return m, nil, errUnknownRecord
	}
	m.version, m.when = binary.BigEndian.Uint64(value[1:]), int64(binary.BigEndian.Uint64(value[9:]))
	text = value[stampSize:]
	if value[0] == recordStamped {
		return m, text, nil
	}
	if len(text) < 4 || len(text)-4 < int(binary.BigEndian.Uint32(text)) {
		return m, nil, errUnknownRecord
	}
	size := int(binary.BigEndian.Uint32(text))
	m.indexed, m.tokens = true, parseTokens(string(text[4:4+size]))
	return m, text[4+size:], nil
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
	if len(value) > 1 && value[0] == recordJSON {
		return record.Unmarshal(value[1:], v)
	}
	_, text, err := unseal(value)
	if err != nil {
		return err
	}
	return record.Unmarshal(text, v)
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
