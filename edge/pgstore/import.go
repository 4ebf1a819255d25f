package pgstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

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

var errPresent = errors.New("pgstore: the database has that record already")

// Import implements [record.Portable], in one transaction.
func (db *DB) Import(ctx context.Context, entries []record.Entry) error {
	external, err := db.externalIDs(ctx, entries)
	if err != nil {
		return err
	}
	var statements []statement
	for _, e := range entries {
		s, err := statementsToAdd(e, external)
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.Kind, e.Key, err)
		}
		statements = append(statements, s...)
	}
	return db.write(ctx, statements...)
}

// externalIDs returns the external ids of the orders among entries, by their sessions.
func (db *DB) externalIDs(ctx context.Context, entries []record.Entry) (map[string]string, error) {
	var ids []string
	for _, e := range entries {
		if o, ok := e.Value.(*orders.Order); ok {
			ids = append(ids, o.SessionID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := all[sessions.Session](ctx, db, "SELECT record FROM sessions WHERE id = ANY($1)", ids)
	external := make(map[string]string)
	for _, s := range found {
		external[s.ID] = s.ExternalID
	}
	return external, err
}

// statementsToAdd returns the statements that write an entry that the database does not hold. external are the external ids of orders,
// by their sessions.
func statementsToAdd(e record.Entry, external map[string]string) ([]statement, error) {
	bytes, err := e.Bytes()
	if err != nil {
		return nil, err
	}
	text, parts := string(bytes), strings.SplitN(e.Key, "/", 3)
	add := func(r row, version uint64, more ...statement) ([]statement, error) {
		return append([]statement{r.add(version, text, errPresent)}, more...), nil
	}
	switch v := e.Value.(type) {
	case *catalog.Merchant:
		return add(merchantRow(v), v.Revision)
	case *catalog.Store:
		return add(storeRow(v), v.Revision, originStatements(v)...)
	case *catalog.Product:
		return add(productRow(v), v.Revision)
	case *sessions.Session:
		return add(sessionRow(v, e.Until), v.Version)
	case *orders.Order:
		row := orderRow(v)
		row.cells = append(row.cells, cell{"external_id", orNull(external[v.SessionID])})
		return add(row, v.Version, itemStatements(v)...)
	case *invoices.Mail:
		return add(mailRow(v), v.Version)
	case *vies.Check:
		return add(vatCheckRow(v), v.Version)
	case *notify.Endpoints:
		return add(endpointsRow(v), v.Version, endpointItems(v)...)
	case *notify.Delivery:
		return add(deliveryRow(v), v.Version)
	case *plugins.Rules:
		return add(rulesRow(v), v.Revision)
	case *catalog.Version:
		s, err := versionStatement(parts[0], v)
		return []statement{s}, err
	}
	s, err := statementToAdd(e, parts, text)
	s.otherwise = errPresent
	return []statement{s}, err
}

// statementToAdd is statementsToAdd for tables whose rows have no version. parts are those of the key, text is the record.
func statementToAdd(e record.Entry, parts []string, text string) (statement, error) {
	insert := func(table string, cells ...cell) (statement, error) {
		return (&row{table: table, cells: cells}).insert(), nil
	}
	until := time.UnixMilli(e.Until)
	switch v := e.Value.(type) {
	case nil:
		return insert("provider_events", cell{"environment", parts[0]}, cell{"provider", parts[1]}, cell{"id", parts[2]}, cell{"expires_at", until})
	case []byte:
		if e.Kind == record.Slug {
			return insert("slugs", cell{"slug", e.Key}, cell{"store_id", text})
		}
		return insert("settings", cell{"name", e.Key}, cell{"value", v})
	case *orders.Quarantined:
		return quarantineStatement(v)
	case *auth.SigningKey:
		return insert("signing_keys", cell{"environment", v.Environment}, cell{"id", v.ID}, cell{"created_at", time.UnixMilli(v.CreatedAt)}, cell{"record", text})
	case *auth.TokenState:
		return insert("session_tokens", cell{"environment", parts[0]}, cell{"id", parts[1]}, cell{"last_used", at(v.LastUsed)}, cell{"spent", v.Spent},
			cell{"expires_at", until})
	case *idempotency.Answer:
		return insert("idempotent_answers", cell{"environment", parts[0]}, cell{"hash", parts[1]}, cell{"expires_at", until}, cell{"record", text})
	case *erasure.Entry:
		return erasureStatement(v, text), nil
	case *plugins.Content:
		return ruleContentStatement(v, text), nil
	case *orders.Fact:
		seq, err := strconv.ParseInt(e.Key, 10, 64)
		return (&row{table: "outbox", cells: []cell{{"seq", seq}, {"order_id", v.OrderID}, {"record", text}}}).insert(), err
	case *invoices.Document:
		return insert("documents", cell{"token", v.Token}, cell{"environment", v.Series.Environment}, cell{"store_id", v.Series.StoreID},
			cell{"kind", v.Series.Kind}, cell{"year", v.Series.Year}, cell{"number", v.Number}, cell{"order_id", v.OrderID}, cell{"event_id", v.EventID},
			cell{"currency", v.Currency}, cell{"subtotal", v.Subtotal}, cell{"tax", v.Tax}, cell{"total", v.Total},
			cell{"issued_at", time.UnixMilli(v.IssuedAt)}, cell{"record", text})
	}
	return statement{}, fmt.Errorf("pgstore: cannot import a %T", e.Value)
}
