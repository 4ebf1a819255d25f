package pgstore

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// vatCheckStatement writes a check if its stored version is the one that it carries; the error is stale otherwise.
func vatCheckStatement(c *vies.Check, stale error) (statement, error) {
	next := *c
	next.Version++
	return vatCheckRow(c).put(c.Version, &next, stale)
}

func vatCheckRow(c *vies.Check) row {
	return row{"vat_checks", 3, []cell{{"environment", c.Environment}, {"store_id", c.StoreID}, {"order_id", c.OrderID}, {"state", c.State},
		{"due_at", at(c.DueAt)}}}
}

// WriteVATCheck implements vies.Store.
func (db *DB) WriteVATCheck(ctx context.Context, c *vies.Check) error {
	s, err := vatCheckStatement(c, vies.ErrStale)
	if err != nil {
		return err
	}
	return db.write(ctx, s)
}

// VATCheck implements vies.Store.
func (db *DB) VATCheck(ctx context.Context, env checkout.Environment, storeID, orderID string) (*vies.Check, error) {
	return one[vies.Check](ctx, db, vies.ErrNotFound,
		"SELECT record FROM vat_checks WHERE environment = $1 AND store_id = $2 AND order_id = $3", env, storeID, orderID)
}

// DueVATChecks implements vies.Store.
func (db *DB) DueVATChecks(ctx context.Context, now int64, limit int) ([]vies.Check, error) {
	due, err := all[vies.Check](ctx, db, "SELECT record FROM vat_checks WHERE due_at <= $1 ORDER BY due_at, order_id LIMIT $2",
		time.UnixMilli(now), limit)
	return values(due), err
}

// VATChecksToReview implements vies.Store.
func (db *DB) VATChecksToReview(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[vies.Check], error) {
	checks, err := all[vies.Check](ctx, db, `SELECT record FROM vat_checks
		WHERE environment = $1 AND state IN ('invalid', 'failed') AND order_id > $2 ORDER BY order_id LIMIT $3`, env, after, limit+1)
	return pageOf(values(checks), limit, func(c *vies.Check) string { return c.OrderID }), err
}
