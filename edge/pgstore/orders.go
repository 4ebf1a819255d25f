package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// eventRetention is how long an applied event is kept: longer than any provider retries one.
const eventRetention = 35 * 24 * time.Hour

// Commit implements orders.Store.
func (db *DB) Commit(ctx context.Context, c orders.Change) error {
	statements, err := db.statementsOf(&c)
	if err != nil {
		return err
	}
	return db.writeInGroup(ctx, statements...)
}

// statementsOf returns the statements of a change. Rows are written in the same order by every transaction, so that two of them do
// not wait for each other.
func (db *DB) statementsOf(c *orders.Change) ([]statement, error) {
	statements := append(eventStatements(c), tokenStatements(c)...)
	if c.Session != nil {
		s, err := db.sessionStatement(c.Session)
		if err != nil {
			return nil, err
		}
		statements = append(statements, s)
	}
	if c.Order != nil {
		s, err := orderStatements(c.Order, c.Session)
		if err != nil {
			return nil, err
		}
		statements = append(statements, s...)
	}
	if c.Quarantine != nil && c.Event != nil {
		s, err := quarantineStatement(c.Quarantine)
		if err != nil {
			return nil, err
		}
		statements = append(statements, s)
	}
	facts, err := factStatements(c.Facts)
	return append(statements, facts...), err
}

func eventStatements(c *orders.Change) []statement {
	if c.Event == nil {
		return nil
	}
	now := time.Now()
	return []statement{{sql: `INSERT INTO provider_events (environment, provider, id, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (environment, provider, id) DO UPDATE SET expires_at = excluded.expires_at WHERE provider_events.expires_at <= $5`,
		args: []any{c.Event.Environment, c.Event.Provider, c.Event.ID, now.Add(eventRetention), now}, otherwise: orders.ErrRepeated}}
}

// sessionStatement writes a session if its stored version is the one that it carries.
func (db *DB) sessionStatement(s *sessions.Session) (statement, error) {
	next := *s
	next.Version++
	return sessionRow(s, db.keptUntil(s)).put(s.Version, &next, orders.ErrStale)
}

func sessionRow(s *sessions.Session, keptUntil int64) row {
	return row{"sessions", 1, []cell{{"id", s.ID}, {"environment", s.Environment}, {"store_id", s.StoreID}, {"merchant_id", s.MerchantID},
		{"product_id", s.Product.ID}, {"order_id", orNull(s.OrderID)}, {"currency", s.Terms.Price.Currency}, {"price", s.Terms.Price.Minor},
		{"closed", s.Closed}, {"created_at", time.UnixMilli(s.CreatedAt)}, {"expires_at", time.UnixMilli(s.ExpiresAt)},
		{"kept_until", at(keptUntil)}}}
}

// keptUntil returns when a session is removed, in Unix milliseconds; 0 is never, for sessions with an order.
func (db *DB) keptUntil(s *sessions.Session) int64 {
	if s.OrderID != "" || db.keepSessions == 0 {
		return 0
	}
	return s.ExpiresAt + db.keepSessions.Milliseconds()
}

// orderStatements write an order if its stored version is the one that it carries, and what is beside it. session is its session if
// the change holds it: it has the external id, which no later change knows.
func orderStatements(o *orders.Order, session *sessions.Session) ([]statement, error) {
	next := *o
	next.Version++
	row := orderRow(o)
	if session != nil {
		row.cells = append(row.cells, cell{"external_id", orNull(session.ExternalID)})
	}
	s, err := row.put(o.Version, &next, orders.ErrStale)
	return append([]statement{s}, itemStatements(o)...), err
}

// orderRow is the row of an order, without the external id.
func orderRow(o *orders.Order) row {
	status, _ := o.Published()
	sold := o.Sold()
	return row{"orders", 1, []cell{{"id", o.ID}, {"environment", o.Environment}, {"store_id", o.StoreID}, {"merchant_id", o.MerchantID},
		{"session_id", o.SessionID}, {"product_id", sold.Product.ID}, {"state", o.State}, {"status", orNull(status)},
		{"currency", sold.Quote.Currency}, {"subtotal", sold.Quote.Assessment.Subtotal}, {"tax", sold.Quote.Assessment.Tax},
		{"total", sold.Quote.Assessment.Total}, {"country", sold.Billing.Country}, {"buyer_email", orNull(sold.BuyerEmail)},
		{"buyer_identity", orNull(orders.BuyerKey(sold.BuyerIdentity))}, {"created_at", time.UnixMilli(o.CreatedAt)},
		{"updated_at", time.UnixMilli(o.UpdatedAt)}, {"paid_at", at(o.PaidAt())}, {"due_at", at(o.DueAt())},
		{"refund_due", o.State == orders.RefundDue}, {"refund_handled_at", at(o.RefundHandledAt)}}}
}

// itemStatements write the payments, tickets and refunds of an order. None is ever removed from an order.
func itemStatements(o *orders.Order) (statements []statement) {
	for i := range o.Payments {
		p := &o.Payments[i]
		statements = append(statements, statement{sql: `INSERT INTO payments (id, environment, store_id, order_id, status, provider, reference, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET status = excluded.status, reference = excluded.reference`,
			args: []any{p.ID, o.Environment, o.StoreID, o.ID, p.Status, p.Provider, p.Ref, time.UnixMilli(p.At)}})
	}
	for i := range o.Tickets {
		t := &o.Tickets[i]
		statements = append(statements, statement{sql: `INSERT INTO tickets (id, environment, store_id, order_id, status, open, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET status = excluded.status, open = excluded.open`,
			args: []any{t.ID, o.Environment, o.StoreID, o.ID, t.Status, t.Status.Open(), time.UnixMilli(t.CreatedAt)}})
	}
	for i := range o.Refunds {
		r := &o.Refunds[i]
		statements = append(statements, statement{sql: `INSERT INTO refunds (id, environment, store_id, order_id, status, created_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET status = excluded.status`,
			args: []any{r.ID, o.Environment, o.StoreID, o.ID, r.State, time.UnixMilli(r.CreatedAt)}})
	}
	return statements
}

// WriteSession implements sessions.Store.
func (db *DB) WriteSession(ctx context.Context, s *sessions.Session) error {
	return db.Commit(ctx, orders.Change{Session: s})
}

// Session implements sessions.Store and orders.Store.
func (db *DB) Session(ctx context.Context, id string) (*sessions.Session, error) {
	return one[sessions.Session](ctx, db, sessions.ErrNotFound,
		"SELECT record FROM sessions WHERE id = $1 AND (kept_until IS NULL OR kept_until > $2)", id, time.Now())
}

// Order implements orders.Store.
func (db *DB) Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	return one[orders.Order](ctx, db, orders.ErrNotFound, "SELECT record FROM orders WHERE id = $1 AND environment = $2", id, env)
}

// OrderOf implements orders.Store.
func (db *DB) OrderOf(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	return one[orders.Order](ctx, db, orders.ErrNotFound, `SELECT o.record FROM orders o WHERE o.environment = $1 AND o.id IN
		(SELECT order_id FROM payments WHERE id = $2 UNION ALL SELECT order_id FROM tickets WHERE id = $2)`, env, id)
}

// OrderOfPayment implements orders.Reader.
func (db *DB) OrderOfPayment(ctx context.Context, env checkout.Environment, paymentID string) (*orders.Order, error) {
	return one[orders.Order](ctx, db, orders.ErrNotFound, `SELECT o.record FROM payments p JOIN orders o ON o.id = p.order_id
		WHERE p.id = $2 AND o.environment = $1`, env, paymentID)
}

// OrderPaidBy implements orders.Store.
func (db *DB) OrderPaidBy(ctx context.Context, env checkout.Environment, provider, ref string) (*orders.Order, error) {
	return one[orders.Order](ctx, db, orders.ErrNotFound, `SELECT o.record FROM payments p JOIN orders o ON o.id = p.order_id
		WHERE p.environment = $1 AND p.provider = $2 AND p.reference = $3 AND p.status = $4`, env, provider, ref, orders.Succeeded)
}

// Due implements orders.Store.
func (db *DB) Due(ctx context.Context, now int64, limit int) ([]orders.DueOrder, error) {
	return collect(ctx, db, pgx.RowToStructByPos[orders.DueOrder],
		"SELECT environment, id FROM orders WHERE due_at <= $1 ORDER BY due_at, environment, id LIMIT $2", time.UnixMilli(now), limit)
}
