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
	outboxPrefix  = shared + "/-/ob/"
	lastFactKey   = shared + "/-/obn"
	outboxSeqSize = 8
)

// outboxKey sorts by the number.
func outboxKey(seq uint64) string { return fmt.Sprintf("%s%020d", outboxPrefix, seq) }

// addFacts is the part of Commit that adds to the outbox.
func addFacts(tx *durable.Tx, facts []orders.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	var seq uint64
	switch last, err := tx.Get(lastFactKey); {
	case errors.Is(err, durable.ErrNotFound):
	case err != nil:
		return err
	case len(last) != outboxSeqSize:
		return errUnknownRecord
	default:
		seq = binary.BigEndian.Uint64(last)
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

// Facts implements notify.Store.
func (db *DB) Facts(_ context.Context, limit int) (facts []notify.QueuedFact, err error) {
	scanned := db.Scan(outboxPrefix, "", func(key string, value []byte) bool {
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

// CommitNotify implements notify.Store.
func (db *DB) CommitNotify(_ context.Context, c notify.Change) error {
	return db.Update(func(tx *durable.Tx) error {
		if c.Fact == nil {
			return nil
		}
		queued, err := tx.Has(outboxKey(c.Fact.Seq))
		if err != nil {
			return err
		}
		if !queued {
			return notify.ErrStale
		}
		tx.Delete(outboxKey(c.Fact.Seq))
		return nil
	})
}
