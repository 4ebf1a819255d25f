package badgerstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/vies"
)

const dueVATChecks = shared + "/-/dv/"

func dueVATCheckKey(at int64, orderID string) string {
	return fmt.Sprintf("%s%013d/%s", dueVATChecks, at, orderID)
}

func vatCheckKey(env checkout.Environment, storeID, orderID string) string {
	return keyPrefix(env, storeID) + "/vc/" + orderID
}

// vatChecksToReview is the prefix of the index of the checks that a person should see.
func vatChecksToReview(env checkout.Environment) string { return string(env) + "/-/vr/" }

// addVATCheck writes a new check.
func addVATCheck(tx *durable.Tx, c *vies.Check) error {
	if c == nil {
		return nil
	}
	err := putVATCheck(tx, c)
	if errors.Is(err, vies.ErrStale) {
		return notify.ErrStale
	}
	return err
}

// putVATCheck compares the stored version with the one that was read, and writes the check.
func putVATCheck(tx *durable.Tx, c *vies.Check) error {
	before, err := stampAt(tx, vatCheckKey(c.Environment, c.StoreID, c.OrderID))
	if err != nil {
		return err
	}
	if before.version != c.Version {
		return vies.ErrStale
	}
	next := *c
	next.Version++
	return writeVATCheck(tx, before, &next)
}

// writeVATCheck writes a check with its index entries. before is the stamp of the stored check.
func writeVATCheck(tx *durable.Tx, before stamp, c *vies.Check) error {
	key := vatCheckKey(c.Environment, c.StoreID, c.OrderID)
	value, err := stamp{version: c.Version, when: c.DueAt}.encode(c)
	if err != nil {
		return err
	}
	if before.when != 0 {
		tx.Delete(dueVATCheckKey(before.when, c.OrderID))
	}
	if c.DueAt != 0 {
		tx.Put(dueVATCheckKey(c.DueAt, c.OrderID), []byte(key))
	}
	if c.NeedsReview() {
		tx.Put(vatChecksToReview(c.Environment)+c.OrderID, []byte(key))
	} else if before.version > 0 {
		tx.Delete(vatChecksToReview(c.Environment) + c.OrderID)
	}
	tx.Put(key, value)
	return nil
}

// WriteVATCheck implements vies.Store.
func (db *DB) WriteVATCheck(_ context.Context, c *vies.Check) error {
	return db.Update(func(tx *durable.Tx) error { return putVATCheck(tx, c) })
}

// VATCheck implements vies.Store.
func (db *DB) VATCheck(_ context.Context, env checkout.Environment, storeID, orderID string) (*vies.Check, error) {
	return load[vies.Check](db.Get, vatCheckKey(env, storeID, orderID), vies.ErrNotFound)
}

// DueVATChecks implements vies.Store.
func (db *DB) DueVATChecks(_ context.Context, now int64, limit int) (due []vies.Check, err error) {
	var keys []string
	after := dueVATCheckKey(now+1, "")
	err = db.Scan(dueVATChecks, "", func(key string, value []byte) bool {
		if len(keys) == limit || key >= after {
			return false
		}
		keys = append(keys, string(value))
		return true
	})
	for _, key := range keys {
		c, loaded := load[vies.Check](db.Get, key, errLost)
		if loaded != nil {
			return due, errors.Join(err, loaded)
		}
		due = append(due, *c)
	}
	return due, err
}

// VATChecksToReview implements vies.Store.
func (db *DB) VATChecksToReview(_ context.Context, env checkout.Environment, after string, limit int) (psp.Page[vies.Check], error) {
	keys, err := readPage(db, vatChecksToReview(env), after, limit, func(_ string, value []byte) (string, error) { return string(value), nil })
	page := psp.Page[vies.Check]{Next: keys.Next}
	for _, key := range keys.Items {
		c, loaded := load[vies.Check](db.Get, key, errLost)
		if loaded != nil {
			return page, errors.Join(err, loaded)
		}
		page.Items = append(page.Items, *c)
	}
	return page, err
}
