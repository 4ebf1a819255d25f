package pgstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// documentStatements write a new document. Its number must be the next one of its series, and its event must have no document: a
// unique key of the table refuses the second of two transactions that take the same number at once.
func documentStatements(d *invoices.Document) ([]statement, error) {
	if d == nil {
		return nil, nil
	}
	text, err := encoded(d)
	return []statement{{sql: `INSERT INTO documents
		(token, environment, store_id, kind, year, number, order_id, event_id, currency, subtotal, tax, total, issued_at, record)
		SELECT $1, $2, $3, $4, $5::bigint, $6::bigint, $7, $8, $9, $10::bigint, $11::bigint, $12::bigint, $13::timestamptz, $14::json WHERE $6 - 1 =
			(SELECT coalesce(max(number), 0) FROM documents WHERE environment = $2 AND store_id = $3 AND kind = $4 AND year = $5)
		ON CONFLICT DO NOTHING`,
		args: []any{d.Token, d.Series.Environment, d.Series.StoreID, d.Series.Kind, d.Series.Year, d.Number, d.OrderID, d.EventID,
			d.Currency, d.Subtotal, d.Tax, d.Total, time.UnixMilli(d.IssuedAt), text}, otherwise: notify.ErrStale}}, err
}

// LastNumber implements invoices.Store.
func (db *DB) LastNumber(ctx context.Context, s invoices.Series) (int, error) {
	return count(ctx, db, `SELECT coalesce(max(number), 0) FROM documents WHERE environment = $1 AND store_id = $2 AND kind = $3 AND year = $4`,
		s.Environment, s.StoreID, s.Kind, s.Year)
}

// Document implements invoices.Store.
func (db *DB) Document(ctx context.Context, token string) (*invoices.Document, error) {
	return one[invoices.Document](ctx, db, invoices.ErrNotFound, "SELECT record FROM documents WHERE token = $1", token)
}

// DocumentOf implements invoices.Store.
func (db *DB) DocumentOf(ctx context.Context, env checkout.Environment, orderID, eventID string) (*invoices.Document, error) {
	return one[invoices.Document](ctx, db, invoices.ErrNotFound,
		"SELECT record FROM documents WHERE environment = $1 AND order_id = $2 AND event_id = $3", env, orderID, eventID)
}

// Documents implements invoices.Store. The cursor is the number of the last document of the page before.
func (db *DB) Documents(ctx context.Context, s invoices.Series, after string, limit int) (page psp.Page[invoices.Document], err error) {
	number := 0
	if after != "" {
		if number, err = strconv.Atoi(after); err != nil {
			return page, fmt.Errorf("%w: %q", errCursor, after)
		}
	}
	documents, err := all[invoices.Document](ctx, db, `SELECT record FROM documents
		WHERE environment = $1 AND store_id = $2 AND kind = $3 AND year = $4 AND number > $5 ORDER BY number LIMIT $6`,
		s.Environment, s.StoreID, s.Kind, s.Year, number, limit+1)
	return pageOf(values(documents), limit, func(d *invoices.Document) string { return strconv.Itoa(d.Number) }), err
}

// mailStatement writes a mail if its stored version is the one that it carries; the error is stale otherwise.
func mailStatement(m *invoices.Mail, stale error) (statement, error) {
	next := *m
	next.Version++
	return mailRow(m).put(m.Version, &next, stale)
}

func mailRow(m *invoices.Mail) row {
	return row{"mails", 1, []cell{{"token", m.Token}, {"environment", m.Environment}, {"store_id", m.StoreID}, {"state", m.State},
		{"due_at", at(m.DueAt)}, {"kept_until", at(m.KeptUntil())}}}
}

// WriteMail implements invoices.MailStore.
func (db *DB) WriteMail(ctx context.Context, m *invoices.Mail) error {
	s, err := mailStatement(m, invoices.ErrStale)
	if err != nil {
		return err
	}
	return db.write(ctx, s)
}

// Mail implements invoices.MailStore.
func (db *DB) Mail(ctx context.Context, token string) (*invoices.Mail, error) {
	return one[invoices.Mail](ctx, db, invoices.ErrNotFound,
		"SELECT record FROM mails WHERE token = $1 AND (kept_until IS NULL OR kept_until > $2)", token, time.Now())
}

// DueMails implements invoices.MailStore.
func (db *DB) DueMails(ctx context.Context, now int64, limit int) ([]invoices.Mail, error) {
	due, err := all[invoices.Mail](ctx, db, "SELECT record FROM mails WHERE due_at <= $1 ORDER BY due_at, token LIMIT $2",
		time.UnixMilli(now), limit)
	return values(due), err
}
