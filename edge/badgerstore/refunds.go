package badgerstore

import (
	"context"
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// OrderOf implements orders.Store.
func (db *DB) OrderOf(_ context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	o, err := db.indexed(env, locator(kindPayment, id))
	if errors.Is(err, orders.ErrNotFound) {
		return db.indexed(env, locator(kindTicket, id))
	}
	return o, err
}

// OrderPaidBy implements orders.Store.
func (db *DB) OrderPaidBy(_ context.Context, env checkout.Environment, provider, ref string) (*orders.Order, error) {
	return db.indexed(env, refKey(string(env), hashed(provider+"/"+ref)))
}

// indexed reads the order whose key an index holds under a key.
func (db *DB) indexed(env checkout.Environment, index string) (o *orders.Order, err error) {
	err = db.readIndex(func(s *durable.Snapshot) error {
		key, err := s.Get(index)
		if errors.Is(err, durable.ErrNotFound) || err == nil && !strings.HasPrefix(string(key), string(env)+"/") {
			return orders.ErrNotFound
		}
		if err == nil {
			o, err = load[orders.Order](s.Get, string(key), errLost)
		}
		return err
	})
	return o, err
}

// OpenTickets implements orders.Store.
func (db *DB) OpenTickets(_ context.Context, env checkout.Environment, after string, limit int) (psp.Page[orders.OpenTicket], error) {
	type entry struct{ ticket, order string }
	entries, err := readPage(db, openTicketPrefix(env), after, limit, func(id string, value []byte) (entry, error) {
		return entry{id, string(value)}, nil
	})
	page := psp.Page[orders.OpenTicket]{Next: entries.Next}
	for _, e := range entries.Items {
		var o *orders.Order
		readErr := db.View(func(get func(string) ([]byte, error)) (err error) {
			o, err = load[orders.Order](get, e.order, errLost)
			return err
		})
		if readErr != nil {
			return page, readErr
		}
		if t := o.Ticket(e.ticket); t != nil && t.Status.Open() { // otherwise it was closed meanwhile
			page.Items = append(page.Items, orders.OpenTicket{Order: o, TicketID: e.ticket})
		}
	}
	return page, err
}
