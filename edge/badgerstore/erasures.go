package badgerstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	erasures      = shared + "/-/er/"
	erasureSecret = shared + "/-/ek"
)

// personal are the parts of the keys of records that may hold data of buyers. VAT checks are found by their orders.
var personal = []string{"cs", "or", "iv", "ml", "wd", "ik"}

// Personal implements erasure.Store. It reads up to limit keys, indexes included; next is the last of them.
func (db *DB) Personal(_ context.Context, after string, limit int) (records []erasure.Record, next string, err error) {
	now := time.Now().UnixMilli()
	from := ""
	if after != "" {
		from = after + "\x00"
	}
	err = db.Read(func(s *durable.Snapshot) error {
		for k := s.Keys("", from); k.Valid(); k.Next() {
			if limit--; limit < 0 {
				return nil
			}
			next = k.Key()
			if parts := strings.SplitN(next, "/", 4); len(parts) < 3 || !slices.Contains(personal, parts[2]) {
				continue
			}
			i, err := itemAt(k)
			if err != nil {
				return err
			}
			e, err := exports[i.part](i)
			if err != nil {
				return err
			}
			if e.Until == 0 || e.Until > now {
				records = append(records, erasure.Record{Answer: i.answer(), Value: e.Value})
			}
		}
		next = ""
		return nil
	})
	return records, next, err
}

// answer is the id of the item if that is the answer of an idempotency key.
func (i item) answer() (id idempotency.ID) {
	if i.part == "ik" {
		id = idempotency.ID{Environment: checkout.Environment(i.env), Hash: i.rest}
	}
	return id
}

// ReplaceDocument implements erasure.Store.
func (db *DB) ReplaceDocument(_ context.Context, d *invoices.Document) error {
	return db.Update(func(tx *durable.Tx) error { return save(tx, documentKey(d), d) })
}

// AddErasure implements erasure.Store.
func (db *DB) AddErasure(_ context.Context, e *erasure.Entry) error {
	return db.Update(func(tx *durable.Tx) error { return save(tx, erasures+e.ID, e) })
}

// Erasures implements erasure.Store.
func (db *DB) Erasures(_ context.Context, after string, limit int) (psp.Page[erasure.Entry], error) {
	return readPage(db, erasures, after, limit, func(_ string, value []byte) (e erasure.Entry, err error) {
		return e, decode(value, &e)
	})
}

// ErasureKey implements erasure.Store.
func (db *DB) ErasureKey(_ context.Context, fallback func() ([]byte, error)) ([]byte, error) {
	return db.getOrPut(erasureSecret, fallback)
}
