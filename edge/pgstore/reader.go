package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// published are all statuses of an order.
var published = []string{"pending", "completed", "canceled"}

// orderList is the list of orders, [orders.List.Match] aside.
func orderList(l *orders.List) (*list, error) {
	statuses := l.Statuses
	if len(statuses) == 0 {
		statuses = published
	}
	rows := listOf("orders", "created_at", l.Environment, l.Stores, statuses...)
	if l.Identity != "" {
		rows.where("buyer_identity = ", orders.BuyerKey(l.Identity))
	}
	if l.Email != "" {
		rows.where("buyer_email = ", l.Email)
	}
	if l.ExternalID != "" {
		rows.where("external_id = ", l.ExternalID)
	}
	if l.Since != 0 {
		rows.where("created_at >= ", time.UnixMilli(l.Since))
	}
	if l.Until != 0 {
		rows.where("created_at < ", time.UnixMilli(l.Until))
	}
	return rows, rows.after(l.After)
}

// Orders implements orders.Reader.
func (db *DB) Orders(ctx context.Context, l orders.List) (page orders.OrderPage, err error) {
	if l.Match != nil {
		return db.matching(ctx, l)
	}
	rows, err := orderList(&l)
	if err != nil {
		return page, err
	}
	page.Orders, page.Next, err = readList[orders.Order](ctx, db, rows, l.Offset, l.Limit)
	return page, err
}

// scanBatch is how many orders are read at once to be matched.
const scanBatch = 500

// matching reads a page of a list with [orders.List.Match].
func (db *DB) matching(ctx context.Context, l orders.List) (page orders.OrderPage, err error) {
	skip := l.Offset
	err = db.scan(ctx, l, func(o *orders.Order) bool {
		switch {
		case skip > 0:
			skip--
		case len(page.Orders) == l.Limit:
			last := page.Orders[l.Limit-1]
			page.Next = cursor(time.UnixMilli(last.CreatedAt), last.ID)
			return false
		default:
			page.Orders = append(page.Orders, o)
		}
		return true
	})
	if err != nil {
		return orders.OrderPage{}, err
	}
	return page, nil
}

// scan calls visit with the orders of a list that match, until it returns false.
func (db *DB) scan(ctx context.Context, l orders.List, visit func(*orders.Order) bool) error {
	for scanned := 0; ; {
		rows, err := orderList(&l)
		if err != nil {
			return err
		}
		batch, next, err := readList[orders.Order](ctx, db, rows, 0, scanBatch)
		if err != nil {
			return err
		}
		for _, o := range batch {
			if scanned++; scanned > orders.MaxScan {
				return orders.ErrTooSparse
			}
			if l.Match(o) && !visit(o) {
				return nil
			}
		}
		if next == "" {
			return nil
		}
		l.After = next
	}
}

// CountOrders implements orders.Reader.
func (db *DB) CountOrders(ctx context.Context, l orders.List) (counted int, err error) {
	l.After = ""
	if l.Match != nil {
		err = db.scan(ctx, l, func(*orders.Order) bool { counted++; return true })
		return counted, err
	}
	rows, err := orderList(&l)
	if err != nil {
		return 0, err
	}
	return rows.countRows(ctx, db)
}

// itemList is the list of the payments, tickets or refunds of orders; status is "" for all of them.
func (db *DB) itemList(table, instant string, l *orders.List, status string) *list {
	if status != "" {
		return listOf(table, instant, l.Environment, l.Stores, status)
	}
	return listOf(table, instant, l.Environment, l.Stores, itemStatuses[table]...)
}

var itemStatuses = map[string][]string{
	"payments": {string(orders.Succeeded), string(orders.Declined)},
	"tickets": {string(orders.TicketPending), string(orders.TicketApproved), string(orders.TicketRejected), string(orders.TicketProcessing),
		string(orders.TicketSucceeded), string(orders.TicketFailed)},
	"refunds": {string(orders.RefundSent), string(orders.RefundUnresolved), string(orders.RefundPending), string(orders.RefundSucceeded),
		string(orders.RefundFailed)},
}

func (db *DB) items(ctx context.Context, table, instant string, l orders.List, status string) (page orders.ItemPage, err error) {
	type entry struct {
		ID, OrderID string
		At          time.Time
	}
	rows := db.itemList(table, instant, &l, status)
	if err := rows.after(l.After); err != nil {
		return page, err
	}
	sql, args := rows.page("r.id, r.order_id, r."+instant, l.Offset, l.Limit+1)
	entries, err := collect(ctx, db, pgx.RowToStructByPos[entry], sql, args...)
	for i, e := range entries {
		if i == l.Limit {
			page.Next = cursor(entries[i-1].At, entries[i-1].ID)
			break
		}
		page.IDs = append(page.IDs, orders.ItemID{ID: e.ID, OrderID: e.OrderID})
	}
	return page, err
}

// PaymentIDs implements orders.Reader.
func (db *DB) PaymentIDs(ctx context.Context, l orders.List, status orders.PaymentStatus) (orders.ItemPage, error) {
	return db.items(ctx, "payments", "at", l, string(status))
}

// CountPayments implements orders.Reader.
func (db *DB) CountPayments(ctx context.Context, l orders.List, status orders.PaymentStatus) (int, error) {
	return db.itemList("payments", "at", &l, string(status)).countRows(ctx, db)
}

// TicketIDs implements orders.Reader.
func (db *DB) TicketIDs(ctx context.Context, l orders.List, status orders.TicketStatus) (orders.ItemPage, error) {
	return db.items(ctx, "tickets", "created_at", l, string(status))
}

// CountTickets implements orders.Reader.
func (db *DB) CountTickets(ctx context.Context, l orders.List, status orders.TicketStatus) (int, error) {
	return db.itemList("tickets", "created_at", &l, string(status)).countRows(ctx, db)
}

// RefundIDs implements orders.Reader.
func (db *DB) RefundIDs(ctx context.Context, l orders.List) (orders.ItemPage, error) {
	return db.items(ctx, "refunds", "created_at", l, "")
}

// CountRefunds implements orders.Reader.
func (db *DB) CountRefunds(ctx context.Context, l orders.List) (int, error) {
	return db.itemList("refunds", "created_at", &l, "").countRows(ctx, db)
}

// CountBuyers implements orders.Reader.
func (db *DB) CountBuyers(ctx context.Context, env checkout.Environment, storeID string) (int, error) {
	return count(ctx, db, "SELECT count(DISTINCT buyer_email) FROM orders WHERE environment = $1 AND store_id = $2 AND status IS NOT NULL",
		env, storeID)
}

// Sales implements orders.Reader.
func (db *DB) Sales(ctx context.Context, env checkout.Environment, storeID, from, to string) ([]orders.DaySales, error) {
	sql := `SELECT (paid_at AT TIME ZONE 'UTC')::date AS day, currency, count(*), sum(total)::bigint FROM orders
		WHERE environment = $1 AND store_id = $2 AND status = 'completed' AND paid_at IS NOT NULL`
	args := []any{env, storeID}
	if first, err := time.Parse(time.DateOnly, from); err == nil {
		sql, args = sql+" AND paid_at >= $3", append(args, first)
	}
	if last, err := time.Parse(time.DateOnly, to); err == nil {
		args = append(args, last.AddDate(0, 0, 1))
		sql += " AND paid_at < $" + string(rune('0'+len(args)))
	}
	return collect(ctx, db, func(row pgx.CollectableRow) (s orders.DaySales, err error) {
		var day time.Time
		err = row.Scan(&day, &s.Currency, &s.Orders, &s.Total)
		s.Day = day.Format(time.DateOnly)
		return s, err
	}, sql+" GROUP BY day, currency ORDER BY day, currency", args...)
}
