package pgstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

// personal are the tables whose rows may hold data of buyers, with their primary keys. VAT checks are found by their orders.
var personal = []struct{ table, key string }{
	{"sessions", "id"}, {"orders", "id"}, {"documents", "token"}, {"mails", "token"}, {"deliveries", "id"}, {"idempotent_answers", "environment, hash"},
}

// Personal implements erasure.Store. A page has rows of one table; the cursor is the table's name and the last row's key.
func (db *DB) Personal(ctx context.Context, after string, limit int) (records []erasure.Record, next string, err error) {
	table, key, _ := strings.Cut(after, ":")
	for i, p := range personal {
		if after != "" && p.table != table {
			continue
		}
		entries, err := db.entriesAfter(ctx, p.table, p.key, key, limit)
		if err != nil {
			return nil, "", err
		}
		now := time.Now().UnixMilli()
		for _, e := range entries {
			if e.Until == 0 || e.Until > now {
				records = append(records, erasure.Record{Answer: answerID(e), Value: e.Value})
			}
		}
		switch {
		case len(entries) == limit:
			return records, p.table + ":" + entries[limit-1].Key, nil
		case i+1 < len(personal):
			return records, personal[i+1].table + ":", nil
		}
	}
	return records, "", nil
}

// entriesAfter reads up to limit entries of a table behind a key, in the order of the primary key.
func (db *DB) entriesAfter(ctx context.Context, table, key, after string, limit int) ([]record.Entry, error) {
	for _, t := range exports {
		if t.table != table {
			continue
		}
		sql, args := t.query(), []any{limit}
		if after != "" {
			parts := strings.SplitN(after, "/", strings.Count(key, ",")+1)
			var parameters []string
			for i, part := range parts {
				parameters, args = append(parameters, fmt.Sprint("$", i+2)), append(args, part)
			}
			sql += fmt.Sprintf(" WHERE (%s) > (%s)", key, strings.Join(parameters, ", "))
		}
		return collect(ctx, db, t.entry, sql+" ORDER BY "+key+" LIMIT $1", args...)
	}
	return nil, fmt.Errorf("pgstore: %s has no entries", table)
}

// answerID is the id of an entry that is the answer of an idempotency key.
func answerID(e record.Entry) (id idempotency.ID) {
	if e.Kind == record.Answer {
		env, hash, _ := strings.Cut(e.Key, "/")
		id = idempotency.ID{Environment: checkout.Environment(env), Hash: hash}
	}
	return id
}

// ReplaceDocument implements erasure.Store.
func (db *DB) ReplaceDocument(ctx context.Context, d *invoices.Document) error {
	text, err := encoded(d)
	if err != nil {
		return err
	}
	return db.write(ctx, statement{sql: "UPDATE documents SET record = $2 WHERE token = $1", args: []any{d.Token, text}})
}

// AddErasure implements erasure.Store.
func (db *DB) AddErasure(ctx context.Context, e *erasure.Entry) error {
	text, err := encoded(e)
	if err != nil {
		return err
	}
	return db.write(ctx, erasureStatement(e, text))
}

func erasureStatement(e *erasure.Entry, text string) statement {
	return statement{sql: "INSERT INTO erasures (id, at, record) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		args: []any{e.ID, time.UnixMilli(e.At), text}}
}

// Erasures implements erasure.Store.
func (db *DB) Erasures(ctx context.Context, after string, limit int) (psp.Page[erasure.Entry], error) {
	entries, err := all[erasure.Entry](ctx, db, "SELECT record FROM erasures WHERE id > $1 ORDER BY id LIMIT $2", after, limit+1)
	return pageOf(values(entries), limit, func(e *erasure.Entry) string { return e.ID }), err
}

// ErasureKey implements erasure.Store.
func (db *DB) ErasureKey(ctx context.Context, fallback func() ([]byte, error)) ([]byte, error) {
	return db.settingOr(ctx, "erasure-key", fallback)
}
