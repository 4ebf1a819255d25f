package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

var _ record.Portable = (*DB)(nil)

// export reads the entries of one kind from a table.
type export struct {
	kind  record.Kind
	table string

	// columns are the entry's key, its value or record, and when it expires.
	columns string

	read func(text []byte) (any, error)

	// where leaves rows out; "" is none.
	where string
}

// exports are the tables whose rows are entries, in the order in which they are copied.
var exports = []export{
	{record.Setting, "settings", "name, value, NULL::timestamptz", plain, "name NOT IN ('use', '" + schemaNeeds + "')"},
	{record.Merchant, "merchants", "id, record, NULL::timestamptz", recordIn[catalog.Merchant], ""},
	{record.Shop, "stores", "id, record, NULL::timestamptz", recordIn[catalog.Store], ""},
	{record.Slug, "slugs", "slug, store_id, NULL::timestamptz", plain, ""},
	{record.Product, "products", "id, record, NULL::timestamptz", recordIn[catalog.Product], ""},
	{record.Version, "product_versions", "product_id || '/' || id, record, NULL::timestamptz", recordIn[catalog.Version], ""},
	{record.Session, "sessions", "id, record, kept_until", recordIn[sessions.Session], ""},
	{record.Order, "orders", "id, record, NULL::timestamptz", recordIn[orders.Order], ""},
	{record.Quarantined, "quarantine", "environment || '/' || provider || '/' || event_id, record, handled_at", recordIn[orders.Quarantined], ""},
	{record.Event, "provider_events", "environment || '/' || provider || '/' || id, NULL::bytea, expires_at", none, ""},
	{record.Token, "session_tokens", `environment || '/' || id, json_build_object('v', 1, 'spent', spent,
		'lastUsed', coalesce((extract(epoch FROM last_used) * 1000)::bigint, 0)), expires_at`, recordIn[auth.TokenState], ""},
	{record.SigningKey, "signing_keys", "environment || '/' || id, record, NULL::timestamptz", recordIn[auth.SigningKey], ""},
	{record.Answer, "idempotent_answers", "environment || '/' || hash, record, expires_at", recordIn[idempotency.Answer], ""},
	{record.Fact, "outbox", "lpad(seq::text, 20, '0'), record, NULL::timestamptz", recordIn[orders.Fact], ""},
	{record.Document, "documents", "token, record, NULL::timestamptz", recordIn[invoices.Document], ""},
	{record.Mail, "mails", "token, record, kept_until", recordIn[invoices.Mail], ""},
	{record.VATCheck, "vat_checks", "environment || '/' || store_id || '/' || order_id, record, NULL::timestamptz", recordIn[vies.Check], ""},
	{record.Endpoints, "endpoint_lists", "environment || '/' || store_id, record, NULL::timestamptz", recordIn[notify.Endpoints], ""},
	{record.Delivery, "deliveries", "id, record, kept_until", recordIn[notify.Delivery], ""},
	{record.Erasure, "erasures", "id, record, NULL::timestamptz", recordIn[erasure.Entry], ""},
	{record.Rules, "rules", "store_id, record, NULL::timestamptz", recordIn[plugins.Rules], ""},
	{record.RuleContent, "rule_contents", "store_id || '/' || number::text, record, NULL::timestamptz", recordIn[plugins.Content], ""},
}

// derivedTables have no entries of their own: their rows follow from those of other tables, or tell which server does what at the
// moment.
var derivedTables = []string{"origins", "payments", "tickets", "refunds", "endpoints", "leases"}

func plain(text []byte) (any, error) { return text, nil }

func none([]byte) (any, error) { return nil, nil }

func recordIn[T any](text []byte) (any, error) { return recordOf[T](text) }

// Export implements [record.Portable], in one transaction.
func (db *DB) Export(ctx context.Context, visit func(record.Entry) error) error {
	tx, err := db.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return db.unavailable(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	now := time.Now().UnixMilli()
	for _, t := range exports {
		if err := t.visit(ctx, tx, now, visit); err != nil {
			return fmt.Errorf("%s: %w", t.table, db.unavailable(err))
		}
	}
	return nil
}

// Entries implements [record.Portable].
func (db *DB) Entries(ctx context.Context) (all int, err error) {
	for _, t := range exports {
		n := 0
		if err := db.pool.QueryRow(ctx, "SELECT count(*) FROM ("+t.query()+") AS entries").Scan(&n); err != nil {
			return 0, fmt.Errorf("%s: %w", t.table, db.unavailable(err))
		}
		all += n
	}
	return all, nil
}

// query selects the rows.
func (t *export) query() string {
	if t.where == "" {
		return "SELECT " + t.columns + " FROM " + t.table
	}
	return "SELECT " + t.columns + " FROM " + t.table + " WHERE " + t.where
}

// visit visits the rows that have not expired at now.
func (t *export) visit(ctx context.Context, tx pgx.Tx, now int64, visit func(record.Entry) error) error {
	rows, err := tx.Query(ctx, t.query())
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := t.entry(rows)
		if err == nil && (e.Until == 0 || e.Until > now) {
			err = visit(e)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Key, err)
		}
	}
	return rows.Err()
}

func (t *export) entry(rows pgx.CollectableRow) (e record.Entry, err error) {
	var text []byte
	var instant *time.Time
	if err := rows.Scan(&e.Key, &text, &instant); err != nil {
		return e, err
	}
	e.Kind = t.kind
	if e.Value, err = t.read(text); err != nil || instant == nil {
		return e, err
	}
	if q, ok := e.Value.(*orders.Quarantined); ok { // whose instant is when it was handled
		q.HandledAt = instant.UnixMilli()
		return e, nil
	}
	e.Until = instant.UnixMilli()
	switch t.kind {
	case record.Event, record.Token, record.Answer:
		e.Until = record.WholeSecond(e.Until)
	}
	return e, nil
}
