package badgerstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

const (
	outboxPrefix = shared + "/-/ob/"
	lastFactKey  = shared + "/-/obn"
)

// outboxKey sorts by the number.
func outboxKey(seq uint64) string { return fmt.Sprintf("%s%020d", outboxPrefix, seq) }

// addFacts is the part of Commit that adds to the outbox.
func addFacts(tx *durable.Tx, facts []orders.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	seq, err := lastFact(tx)
	if err != nil {
		return err
	}
	for i := range facts {
		seq++
		if err := save(tx, outboxKey(seq), &facts[i]); err != nil {
			return err
		}
	}
	tx.Put(lastFactKey, binary.BigEndian.AppendUint64(nil, seq))
	return nil
}

// lastFact returns the number of the last fact; 0 is none.
func lastFact(tx *durable.Tx) (uint64, error) {
	last, err := tx.Get(lastFactKey)
	switch {
	case errors.Is(err, durable.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	case len(last) != 8:
		return 0, errUnknownRecord
	}
	return binary.BigEndian.Uint64(last), nil
}

// takeFact removes a fact from the outbox.
func takeFact(tx *durable.Tx, f *notify.QueuedFact) error {
	if f == nil {
		return nil
	}
	queued, err := tx.Has(outboxKey(f.Seq))
	if err != nil {
		return err
	}
	if !queued {
		return notify.ErrStale
	}
	tx.Delete(outboxKey(f.Seq))
	return nil
}

// Facts implements notify.Store.
func (db *DB) Facts(_ context.Context, after uint64, limit int) (facts []notify.QueuedFact, err error) {
	scanned := db.Scan(outboxPrefix, outboxKey(after), func(key string, value []byte) bool {
		if len(facts) == limit {
			return false
		}
		var f notify.QueuedFact
		if err = decode(value, &f.Fact); err == nil {
			_, err = fmt.Sscanf(key[len(outboxPrefix):], "%d", &f.Seq)
		}
		facts = append(facts, f)
		return err == nil
	})
	return facts, errors.Join(scanned, err)
}
