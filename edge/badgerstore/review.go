package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

func quarantinePrefix(env checkout.Environment) string { return string(env) + "/-/qu/" }

func refundPrefix(env checkout.Environment) string { return string(env) + "/-/rd/" }

func commitQuarantined(tx *durable.Tx, q *orders.Quarantined) error {
	if q == nil {
		return nil
	}
	key := quarantinePrefix(q.Environment) + q.Provider + "/" + q.ID
	if known, err := tx.Has(key); known || err != nil {
		return err
	}
	return save(tx, key, q)
}

// refundEntry is an entry in the index of due refunds. Its value is RefundHandledAt, 8 bytes, big endian.
type refundEntry struct {
	key   string
	value []byte
}

func refundOf(o *orders.Order) *refundEntry {
	if o.State != orders.RefundDue {
		return nil
	}
	return &refundEntry{refundPrefix(o.Environment) + o.ID, binary.BigEndian.AppendUint64(nil, uint64(o.RefundHandledAt))}
}

// Quarantined implements orders.Store.
func (db *DB) Quarantined(_ context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.Quarantined], error) {
	return readPage(db, quarantinePrefix(env), after, limit, func(id string, value []byte) (q orders.Quarantined, err error) {
		return readQuarantined(env, id, value)
	})
}

// readQuarantined decodes a quarantined event. It takes environment and provider from the key, because old records lack them.
func readQuarantined(env checkout.Environment, id string, value []byte) (q orders.Quarantined, err error) {
	err = decode(value, &q)
	q.Environment = env
	q.Provider, _, _ = strings.Cut(id, "/")
	return q, err
}

// RefundDue implements orders.Store.
func (db *DB) RefundDue(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.Order], error) {
	ids, err := readPage(db, refundPrefix(env), after, limit, func(id string, _ []byte) (string, error) { return id, nil })
	page := psp.Page[orders.Order]{Next: ids.Next}
	for _, id := range ids.Items {
		o, err := db.Order(ctx, env, id)
		if errors.Is(err, orders.ErrNotFound) {
			err = errLost
		}
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, *o)
	}
	return page, err
}

// readPage reads up to limit records under a prefix, sorted by id, which is the rest of the key.
func readPage[T any](db *DB, prefix, after string, limit int, read func(id string, value []byte) (T, error)) (page psp.Page[T], err error) {
	last, from := "", ""
	if after != "" {
		from = prefix + after
	}
	scanned := db.Scan(prefix, from, func(key string, value []byte) bool {
		if len(page.Items) == limit {
			page.Next = last
			return false
		}
		last = strings.TrimPrefix(key, prefix)
		var item T
		if item, err = read(last, value); err == nil {
			page.Items = append(page.Items, item)
		}
		return err == nil
	})
	return page, errors.Join(scanned, err)
}

// HandleQuarantined implements orders.Store.
func (db *DB) HandleQuarantined(_ context.Context, env checkout.Environment, provider, eventID string, at int64) error {
	id := provider + "/" + eventID
	key := quarantinePrefix(env) + id
	return db.Update(func(tx *durable.Tx) error {
		value, err := tx.Get(key)
		if errors.Is(err, durable.ErrNotFound) {
			return orders.ErrNotFound
		}
		if err != nil {
			return err
		}
		q, err := readQuarantined(env, id, value)
		if err != nil || q.HandledAt != 0 {
			return err
		}
		q.HandledAt = at
		return save(tx, key, &q)
	})
}

// Unhandled implements orders.Store.
func (db *DB) Unhandled(_ context.Context, env checkout.Environment) (waiting orders.Unhandled, err error) {
	prefix := quarantinePrefix(env)
	events := db.Scan(prefix, "", func(key string, value []byte) bool {
		var q orders.Quarantined
		if q, err = readQuarantined(env, strings.TrimPrefix(key, prefix), value); err == nil && q.HandledAt == 0 {
			waiting.Quarantined++
		}
		return err == nil
	})
	refunds := db.Scan(refundPrefix(env), "", func(_ string, value []byte) bool {
		if len(value) == 8 && binary.BigEndian.Uint64(value) == 0 {
			waiting.RefundDue++
		}
		return true
	})
	return waiting, errors.Join(events, refunds, err)
}
