package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// quarantineStatement stores an event that matches no order. One that is in quarantine already is left as it is.
func quarantineStatement(q *orders.Quarantined) (statement, error) {
	text, err := encoded(q)
	return statement{sql: `INSERT INTO quarantine (environment, provider, event_id, handled_at, record) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (environment, provider, event_id) DO NOTHING`, args: []any{q.Environment, q.Provider, q.ID, at(q.HandledAt), text}}, err
}

// quarantined reads a row of the table quarantine. The time of handling is the column's.
func quarantined(row pgx.CollectableRow) (orders.Quarantined, error) {
	var text []byte
	var handled *time.Time
	if err := row.Scan(&text, &handled); err != nil {
		return orders.Quarantined{}, err
	}
	q, err := recordOf[orders.Quarantined](text)
	if err != nil {
		return orders.Quarantined{}, err
	}
	if handled != nil {
		q.HandledAt = handled.UnixMilli()
	}
	return *q, nil
}

// Quarantined implements orders.ReviewStore.
func (db *DB) Quarantined(ctx context.Context, env checkout.Environment, after string, limit int) (page psp.Page[orders.Quarantined], err error) {
	all, err := collect(ctx, db, quarantined, `SELECT record, handled_at FROM quarantine
		WHERE environment = $1 AND provider || '/' || event_id > $2 ORDER BY provider || '/' || event_id LIMIT $3`, env, after, limit+1)
	return pageOf(all, limit, func(q *orders.Quarantined) string { return q.Provider + "/" + q.ID }), err
}

// HandleQuarantined implements orders.ReviewStore.
func (db *DB) HandleQuarantined(ctx context.Context, env checkout.Environment, provider, eventID string, handled int64) error {
	return db.write(ctx, statement{sql: `UPDATE quarantine SET handled_at = coalesce(handled_at, $4)
		WHERE environment = $1 AND provider = $2 AND event_id = $3`,
		args: []any{env, provider, eventID, time.UnixMilli(handled)}, otherwise: orders.ErrNotFound})
}

// RefundDue implements orders.ReviewStore.
func (db *DB) RefundDue(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.Order], error) {
	due, err := all[orders.Order](ctx, db, "SELECT record FROM orders WHERE environment = $1 AND refund_due AND id > $2 ORDER BY id LIMIT $3",
		env, after, limit+1)
	return pageOf(values(due), limit, func(o *orders.Order) string { return o.ID }), err
}

// OpenTickets implements orders.ReviewStore.
func (db *DB) OpenTickets(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.OpenTicket], error) {
	open, err := collect(ctx, db, func(row pgx.CollectableRow) (t orders.OpenTicket, err error) {
		var text []byte
		if err := row.Scan(&t.TicketID, &text); err != nil {
			return t, err
		}
		t.Order, err = recordOf[orders.Order](text)
		return t, err
	}, `SELECT t.id, o.record FROM tickets t JOIN orders o ON o.id = t.order_id
		WHERE t.environment = $1 AND t.open AND t.id > $2 ORDER BY t.id LIMIT $3`, env, after, limit+1)
	return pageOf(open, limit, func(t *orders.OpenTicket) string { return t.TicketID }), err
}

// Unhandled implements orders.ReviewStore.
func (db *DB) Unhandled(ctx context.Context, env checkout.Environment) (orders.Unhandled, error) {
	counted, err := collect(ctx, db, pgx.RowToStructByPos[orders.Unhandled], `SELECT
		(SELECT count(*) FROM quarantine WHERE environment = $1 AND handled_at IS NULL),
		(SELECT count(*) FROM orders WHERE environment = $1 AND refund_due AND refund_handled_at IS NULL)`, env)
	if err != nil {
		return orders.Unhandled{}, err
	}
	return counted[0], nil
}

// pageOf is a page of at most limit items, of which one more was read to know whether there is another page.
func pageOf[T any](items []T, limit int, key func(*T) string) (page psp.Page[T]) {
	if len(items) > limit {
		items, page.Next = items[:limit], key(&items[limit-1])
	}
	page.Items = items
	return page
}

func values[T any](pointers []*T) (values []T) {
	for _, p := range pointers {
		values = append(values, *p)
	}
	return values
}
