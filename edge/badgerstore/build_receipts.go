package badgerstore

import (
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// receiptsKey exists when every paid order has a receipt, or a fact in the outbox that leads to one.
const receiptsKey = shared + "/-/rm"

// reportReceipts adds an orders.ReceiptMissing to the outbox for each order that a version without receipts has recorded as paid. The
// receipts get the next numbers. A start that is interrupted, or has a full disk, leaves it to the next one, which adds some facts again.
func (db *DB) reportReceipts() error {
	if _, err := db.Get(receiptsKey); !errors.Is(err, durable.ErrNotFound) {
		return err
	}
	told, err := db.ordersInOutbox()
	if err != nil {
		return err
	}
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		if err = errors.Join(err, db.reportReceiptsIn(env, told)); err != nil {
			break
		}
	}
	if err == nil {
		err = db.Update(func(tx *durable.Tx) error { tx.Put(receiptsKey, []byte{1}); return nil })
	}
	if errors.Is(err, durable.ErrDiskFull) {
		db.log.Warn("receipts of old orders are made by a start with more space on the disk")
		return nil
	}
	return err
}

// ordersInOutbox are the ids of the orders whose facts are still to be handled.
func (db *DB) ordersInOutbox() (map[string]bool, error) {
	ids, broken := make(map[string]bool), error(nil)
	err := db.Scan(outboxPrefix, "", func(_ string, value []byte) bool {
		var f notify.QueuedFact
		broken = decode(value, &f.Fact)
		ids[f.OrderID] = true
		return broken == nil
	})
	return ids, errors.Join(err, broken)
}

func (db *DB) reportReceiptsIn(env checkout.Environment, told map[string]bool) error {
	var batch []orders.Fact
	var failed error
	write := func() bool {
		failed = db.Update(func(tx *durable.Tx) error { return addFacts(tx, batch) })
		batch = nil
		return failed == nil
	}
	err := db.Scan(string(env)+"/", "", func(key string, value []byte) bool {
		var o orders.Order
		if parts := strings.Split(key, "/"); len(parts) != 4 || parts[2] != kindOrder || !db.readable(key, decode(value, &o)) {
			return true
		}
		paid := o.CompletedBy()
		if paid == nil || told[o.ID] {
			return true
		}
		switch _, failed = db.documentAt(eventDocument(env, o.ID, paid.ID)); {
		case failed == nil:
			return true
		case !errors.Is(failed, invoices.ErrNotFound):
			return false
		}
		failed = nil
		batch = append(batch, orders.Fact{Kind: orders.ReceiptMissing, Environment: env, StoreID: o.StoreID, OrderID: o.ID, EventID: paid.ID, At: paid.At})
		return len(batch) < buildBatch || write()
	})
	if err == nil && failed == nil && len(batch) > 0 {
		write()
	}
	return errors.Join(err, failed)
}
