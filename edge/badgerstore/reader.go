package badgerstore

import (
	"context"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// published are all statuses of an order.
var published = []string{"pending", "completed", "canceled"}

// merged iterates over the keys of some prefixes in the order of what follows the prefix.
type merged struct {
	lists []mergedList
	until string // where it ends, "" for nowhere
}

type mergedList struct {
	prefix string
	keys   *durable.Keys
	rest   string // of the current key
}

func merge(s *durable.Snapshot, prefixes []string, from, until string) *merged {
	m := &merged{until: until}
	for _, prefix := range prefixes {
		list := mergedList{prefix: prefix, keys: s.Keys(prefix, prefix+from)}
		if list.read(until) {
			m.lists = append(m.lists, list)
		}
	}
	return m
}

// read reads the current key; false at the end.
func (l *mergedList) read(until string) bool {
	if !l.keys.Valid() {
		return false
	}
	l.rest = l.keys.Key()[len(l.prefix):]
	return until == "" || l.rest < until
}

// first returns the list with the next key, nil at the end.
func (m *merged) first() *mergedList {
	if len(m.lists) == 0 {
		return nil
	}
	best := &m.lists[0]
	for i := range m.lists[1:] {
		if m.lists[i+1].rest < best.rest {
			best = &m.lists[i+1]
		}
	}
	return best
}

// next moves behind the key of the list that first has returned.
func (m *merged) next(l *mergedList) {
	l.keys.Next()
	if !l.read(m.until) {
		m.lists = slices.DeleteFunc(m.lists, func(other mergedList) bool { return other.keys == l.keys })
	}
}

// walk is a list of orders: the prefixes of its indexes, and whether an order must be read to know that it belongs to the list.
type walk struct {
	orders.List
	prefixes    []string
	from, until string
	exact       bool
}

func walkOf(l orders.List) walk {
	w := walk{List: l, exact: l.Match == nil}
	var lists []string
	switch narrowed := len(l.Statuses) > 0; {
	case l.ExternalID != "":
		lists, w.exact = []string{externalList(l.ExternalID)}, w.exact && l.Identity == "" && l.Email == "" && !narrowed
	case l.Identity != "":
		lists, w.exact = []string{identityList(l.Identity)}, w.exact && l.Email == "" && !narrowed
	case l.Email != "":
		lists, w.exact = []string{emailList(l.Email)}, w.exact && !narrowed
	default:
		for _, status := range published {
			if !narrowed || slices.Contains(l.Statuses, status) {
				lists = append(lists, "s/"+status)
			}
		}
	}
	for _, store := range l.Stores {
		for _, list := range lists {
			w.prefixes = append(w.prefixes, listPrefix(keyPrefix(l.Environment, store), list))
		}
	}
	if l.Until != 0 {
		w.from = backwards(l.Until - 1)
	}
	if l.Since > 0 {
		w.until = backwards(l.Since - 1)
	}
	if l.After != "" {
		w.from = max(w.from, l.After+"\x00")
	}
	return w
}

// each calls visit with the orders of the list, until it returns false. load reads the order; it is nil if the order has not been
// read yet. at is the order's position in the list.
func (w *walk) each(s *durable.Snapshot, visit func(at string, load func() (*orders.Order, error)) (bool, error)) error {
	m := merge(s, w.prefixes, w.from, w.until)
	scanned := 0
	for list := m.first(); list != nil; list = m.first() {
		prefix, at := list.prefix, list.rest
		load := func() (*orders.Order, error) { return loadListed(s, prefix, at) }
		if !w.exact {
			if scanned++; scanned > orders.MaxScan {
				return orders.ErrTooSparse
			}
			o, err := load()
			if err != nil {
				return err
			}
			if !w.Contains(o) {
				m.next(list)
				continue
			}
			load = func() (*orders.Order, error) { return o, nil }
		}
		if more, err := visit(at, load); err != nil || !more {
			return err
		}
		m.next(list)
	}
	return nil
}

// loadListed reads the order of a list's entry.
func loadListed(s *durable.Snapshot, listed, at string) (*orders.Order, error) {
	_, id, _ := strings.Cut(at, "/")
	prefix, _, _ := strings.Cut(listed, "/ol/")
	return load[orders.Order](s.Get, recordKey(prefix, kindOrder, id), errLost)
}

// readIndex is Read for indexes.
func (db *DB) readIndex(do func(*durable.Snapshot) error) error {
	if !db.built {
		return errNotBuilt
	}
	return db.Read(do)
}

// Orders implements orders.Reader.
func (db *DB) Orders(_ context.Context, l orders.List) (page orders.OrderPage, err error) {
	w, skip, last := walkOf(l), l.Offset, ""
	err = db.readIndex(func(s *durable.Snapshot) error {
		return w.each(s, func(at string, load func() (*orders.Order, error)) (bool, error) {
			if skip > 0 {
				skip--
				return true, nil
			}
			if len(page.Orders) == l.Limit {
				page.Next = last
				return false, nil
			}
			o, err := load()
			page.Orders, last = append(page.Orders, o), at
			return true, err
		})
	})
	if err != nil {
		return orders.OrderPage{}, err
	}
	return page, nil
}

// CountOrders implements orders.Reader.
func (db *DB) CountOrders(_ context.Context, l orders.List) (count int, err error) {
	l.After = ""
	w := walkOf(l)
	err = db.readIndex(func(s *durable.Snapshot) error {
		if w.exact && w.from == "" && w.until == "" && l.ExternalID == "" && l.Identity == "" && l.Email == "" {
			for _, prefix := range w.prefixes {
				counted, err := readSum(s.Get, strings.TrimSuffix(strings.Replace(prefix, "/ol/", "/oc/", 1), "/"))
				if err != nil {
					return err
				}
				count += int(counted.count)
			}
			return nil
		}
		return w.each(s, func(string, func() (*orders.Order, error)) (bool, error) {
			count++
			return true, nil
		})
	})
	return count, err
}

// The statuses of what orders hold, by the kinds of the index.
var itemStatuses = map[string][]string{
	"p": {string(orders.Succeeded), string(orders.Declined)},
	"t": {string(orders.TicketPending), string(orders.TicketApproved), string(orders.TicketRejected), string(orders.TicketProcessing),
		string(orders.TicketSucceeded), string(orders.TicketFailed)},
	"f": {string(orders.RefundSent), string(orders.RefundUnresolved), string(orders.RefundPending), string(orders.RefundSucceeded),
		string(orders.RefundFailed)},
}

// PaymentIDs implements orders.Reader.
func (db *DB) PaymentIDs(_ context.Context, l orders.List, status orders.PaymentStatus) (orders.ItemPage, error) {
	return db.items("p", l, string(status))
}

// CountPayments implements orders.Reader.
func (db *DB) CountPayments(_ context.Context, l orders.List, status orders.PaymentStatus) (int, error) {
	return db.countItems("p", l, string(status))
}

// TicketIDs implements orders.Reader.
func (db *DB) TicketIDs(_ context.Context, l orders.List, status orders.TicketStatus) (orders.ItemPage, error) {
	return db.items("t", l, string(status))
}

// CountTickets implements orders.Reader.
func (db *DB) CountTickets(_ context.Context, l orders.List, status orders.TicketStatus) (int, error) {
	return db.countItems("t", l, string(status))
}

// RefundIDs implements orders.Reader.
func (db *DB) RefundIDs(_ context.Context, l orders.List) (orders.ItemPage, error) {
	return db.items("f", l, "")
}

// CountRefunds implements orders.Reader.
func (db *DB) CountRefunds(_ context.Context, l orders.List) (int, error) {
	return db.countItems("f", l, "")
}

// statusesOf returns the statuses to look for; "" is all of them.
func statusesOf(kind, status string) []string {
	if status != "" {
		return []string{status}
	}
	return itemStatuses[kind]
}

func (db *DB) items(kind string, l orders.List, status string) (page orders.ItemPage, err error) {
	var prefixes []string
	for _, store := range l.Stores {
		for _, each := range statusesOf(kind, status) {
			prefixes = append(prefixes, itemPrefix(keyPrefix(l.Environment, store), kind, each))
		}
	}
	from, skip, last := "", l.Offset, ""
	if l.After != "" {
		from = l.After + "\x00"
	}
	err = db.readIndex(func(s *durable.Snapshot) error {
		m := merge(s, prefixes, from, "")
		for list := m.first(); list != nil; list = m.first() {
			switch {
			case skip > 0:
				skip--
			case len(page.IDs) == l.Limit:
				page.Next = last
				return nil
			default:
				order, err := list.keys.Value()
				if err != nil {
					return err
				}
				_, id, _ := strings.Cut(list.rest, "/")
				page.IDs, last = append(page.IDs, orders.ItemID{ID: id, OrderID: string(order)}), list.rest
			}
			m.next(list)
		}
		return nil
	})
	return page, err
}

func (db *DB) countItems(kind string, l orders.List, status string) (count int, err error) {
	err = db.readIndex(func(s *durable.Snapshot) error {
		for _, store := range l.Stores {
			for _, each := range statusesOf(kind, status) {
				counted, err := readSum(s.Get, countKey(keyPrefix(l.Environment, store), kind+"/"+each))
				if err != nil {
					return err
				}
				count += int(counted.count)
			}
		}
		return nil
	})
	return count, err
}

// OrderOfPayment implements orders.Reader.
func (db *DB) OrderOfPayment(_ context.Context, env checkout.Environment, paymentID string) (*orders.Order, error) {
	return db.indexed(env, locator(kindPayment, paymentID))
}

// CountBuyers implements orders.Reader.
func (db *DB) CountBuyers(_ context.Context, env checkout.Environment, storeID string) (count int, err error) {
	prefix, last := keyPrefix(env, storeID)+"/ol/e/", ""
	err = db.readIndex(func(s *durable.Snapshot) error {
		for keys := s.Keys(prefix, ""); keys.Valid(); keys.Next() {
			if buyer, _, _ := strings.Cut(keys.Key()[len(prefix):], "/"); buyer != last {
				count, last = count+1, buyer
			}
		}
		return nil
	})
	return count, err
}

// Sales implements orders.Reader.
func (db *DB) Sales(_ context.Context, env checkout.Environment, storeID, from, to string) (sales []orders.DaySales, err error) {
	prefix := salesPrefix(keyPrefix(env, storeID))
	err = db.readIndex(func(s *durable.Snapshot) error {
		for keys := s.Keys(prefix, prefix+from); keys.Valid(); keys.Next() {
			day, currency, _ := strings.Cut(keys.Key()[len(prefix):], "/")
			if to != "" && day > to {
				return nil
			}
			value, err := keys.Value()
			if err != nil {
				return err
			}
			sold, err := parseSum(value)
			if err != nil {
				return err
			}
			if sold.count != 0 {
				sales = append(sales, orders.DaySales{Day: day, Currency: currency, Orders: sold.count, Total: sold.total})
			}
		}
		return nil
	})
	return sales, err
}
