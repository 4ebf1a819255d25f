package pgstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// CommitNotify implements notify.Store.
func (db *DB) CommitNotify(ctx context.Context, c notify.Change) error {
	statements := takeFact(c.Fact)
	documents, err := documentStatements(c.Document)
	if err != nil {
		return err
	}
	statements = append(statements, documents...)
	if c.Mail != nil {
		s, err := mailStatement(c.Mail, notify.ErrStale)
		if err != nil {
			return err
		}
		statements = append(statements, s)
	}
	if c.VATCheck != nil {
		s, err := vatCheckStatement(c.VATCheck, notify.ErrStale)
		if err != nil {
			return err
		}
		statements = append(statements, s)
	}
	if c.Endpoints != nil {
		s, err := endpointStatements(c.Endpoints)
		if err != nil {
			return err
		}
		statements = append(statements, s...)
	}
	byID := slices.SortedFunc(slices.Values(c.Deliveries), func(a, b *notify.Delivery) int { return strings.Compare(a.ID, b.ID) })
	for _, d := range byID { // in the order of their ids, so that two transactions do not wait for each other
		s, err := deliveryStatement(d)
		if err != nil {
			return err
		}
		statements = append(statements, s)
	}
	return db.write(ctx, statements...)
}

func endpointStatements(e *notify.Endpoints) ([]statement, error) {
	next := *e
	next.Version++
	s, err := endpointsRow(e).put(e.Version, &next, notify.ErrStale)
	statements := []statement{s,
		{sql: "DELETE FROM endpoints WHERE environment = $1 AND store_id = $2", args: []any{e.Environment, e.StoreID}}}
	return append(statements, endpointItems(e)...), err
}

func endpointsRow(e *notify.Endpoints) row {
	return row{"endpoint_lists", 2, []cell{{"environment", e.Environment}, {"store_id", e.StoreID}}}
}

func endpointItems(e *notify.Endpoints) (statements []statement) {
	for i := range e.Items {
		statements = append(statements, statement{sql: "INSERT INTO endpoints (environment, id, store_id, url) VALUES ($1, $2, $3, $4)",
			args: []any{e.Environment, e.Items[i].ID, e.StoreID, e.Items[i].URL}})
	}
	return statements
}

func deliveryStatement(d *notify.Delivery) (statement, error) {
	next := *d
	next.Version++
	return deliveryRow(d).put(d.Version, &next, notify.ErrStale)
}

func deliveryRow(d *notify.Delivery) row {
	return row{"deliveries", 1, []cell{{"id", d.ID}, {"environment", d.Environment}, {"store_id", d.StoreID}, {"endpoint_id", d.EndpointID},
		{"order_id", orNull(d.OrderID)}, {"event_type", d.EventType}, {"state", d.State}, {"created_at", time.UnixMilli(d.CreatedAt)},
		{"due_at", at(d.DueAt)}, {"kept_until", at(d.KeptUntil())}}}
}

// Endpoints implements notify.Store.
func (db *DB) Endpoints(ctx context.Context, env checkout.Environment, storeID string) (*notify.Endpoints, error) {
	lists, err := all[notify.Endpoints](ctx, db, "SELECT record FROM endpoint_lists WHERE environment = $1 AND store_id = $2", env, storeID)
	if err != nil {
		return nil, err
	}
	if len(lists) == 0 {
		return &notify.Endpoints{Environment: env, StoreID: storeID}, nil
	}
	return lists[0], nil
}

// EndpointStore implements notify.Store.
func (db *DB) EndpointStore(ctx context.Context, env checkout.Environment, id string) (string, error) {
	ids, err := collect(ctx, db, pgx.RowTo[string], "SELECT store_id FROM endpoints WHERE environment = $1 AND id = $2", env, id)
	if err != nil {
		return "", err
	}
	if len(ids) == 0 {
		return "", notify.ErrNotFound
	}
	return ids[0], nil
}

// AllEndpoints implements notify.Store.
func (db *DB) AllEndpoints(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[notify.Endpoint], error) {
	endpoints, err := collect(ctx, db, func(row pgx.CollectableRow) (e notify.Endpoint, err error) {
		var id string
		var text []byte
		if err := row.Scan(&id, &text); err != nil {
			return e, err
		}
		list, err := recordOf[notify.Endpoints](text)
		for i := range list.Items {
			if list.Items[i].ID == id {
				e = list.Items[i]
			}
		}
		return e, err
	}, `SELECT e.id, l.record FROM endpoints e JOIN endpoint_lists l ON l.environment = e.environment AND l.store_id = e.store_id
		WHERE e.environment = $1 AND e.id > $2 ORDER BY e.id LIMIT $3`, env, after, limit+1)
	return pageOf(endpoints, limit, func(e *notify.Endpoint) string { return e.ID }), err
}

// Delivery implements notify.Store.
func (db *DB) Delivery(ctx context.Context, env checkout.Environment, id string) (*notify.Delivery, error) {
	return one[notify.Delivery](ctx, db, notify.ErrNotFound,
		"SELECT record FROM deliveries WHERE id = $1 AND environment = $2 AND (kept_until IS NULL OR kept_until > $3)", id, env, time.Now())
}

// Deliveries implements notify.Store.
func (db *DB) Deliveries(ctx context.Context, env checkout.Environment, storeID, after string, limit int) (psp.Page[notify.Delivery], error) {
	deliveries, err := all[notify.Delivery](ctx, db, `SELECT record FROM deliveries
		WHERE environment = $1 AND store_id = $2 AND ($3 = '' OR id < $3) AND (kept_until IS NULL OR kept_until > $4)
		ORDER BY id DESC LIMIT $5`, env, storeID, after, time.Now(), limit+1)
	return pageOf(values(deliveries), limit, func(d *notify.Delivery) string { return d.ID }), err
}

// FailedDeliveries implements notify.Store.
func (db *DB) FailedDeliveries(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[notify.Delivery], error) {
	deliveries, err := all[notify.Delivery](ctx, db, `SELECT record FROM deliveries
		WHERE environment = $1 AND state = $2 AND id > $3 AND kept_until > $4 ORDER BY id LIMIT $5`,
		env, notify.Failed, after, time.Now(), limit+1)
	return pageOf(values(deliveries), limit, func(d *notify.Delivery) string { return d.ID }), err
}

// DueDeliveries implements notify.Store.
func (db *DB) DueDeliveries(ctx context.Context, now int64, limit int) ([]notify.DueDelivery, error) {
	return collect(ctx, db, pgx.RowToStructByPos[notify.DueDelivery], `SELECT d.environment, d.endpoint_id, d.id
		FROM (SELECT DISTINCT environment, endpoint_id FROM deliveries WHERE due_at <= $1) AS e
		CROSS JOIN LATERAL (SELECT environment, endpoint_id, id, due_at FROM deliveries
			WHERE environment = e.environment AND endpoint_id = e.endpoint_id AND due_at <= $1 ORDER BY due_at, id LIMIT $2) AS d
		ORDER BY d.environment, d.endpoint_id, d.due_at, d.id`, time.UnixMilli(now), limit)
}

// CountDeliveriesOf implements notify.Store.
func (db *DB) CountDeliveriesOf(ctx context.Context, env checkout.Environment, storeID string) (int, error) {
	counted, err := collect(ctx, db, pgx.RowTo[int], `SELECT count(*) FROM deliveries
		WHERE environment = $1 AND store_id = $2 AND (kept_until IS NULL OR kept_until > $3)`, env, storeID, time.Now())
	if err != nil {
		return 0, err
	}
	return counted[0], nil
}

// CountDeliveries implements notify.Store.
func (db *DB) CountDeliveries(ctx context.Context, env checkout.Environment) (notify.Counts, error) {
	counted, err := collect(ctx, db, pgx.RowToStructByPos[notify.Counts], `SELECT
		(SELECT count(*) FROM deliveries WHERE environment = $1 AND due_at IS NOT NULL),
		(SELECT count(*) FROM deliveries WHERE environment = $1 AND state = $2 AND kept_until > $3),
		(SELECT coalesce((extract(epoch FROM min(due_at)) * 1000)::bigint, 0) FROM deliveries WHERE environment = $1 AND due_at IS NOT NULL)`, env, notify.Failed, time.Now())
	if err != nil {
		return notify.Counts{}, err
	}
	return counted[0], nil
}
