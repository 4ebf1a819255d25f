package storetest_test

import (
	"context"
	"slices"
	"sync"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// brokenReaders are stores with one mistake in their lists.
var brokenReaders = map[string]func(record.Store) record.Store{
	"lists, the oldest first":        func(s record.Store) record.Store { return oldestFirst{s} },
	"lists of all environments":      func(s record.Store) record.Store { return mixedLists{s} },
	"lists of orders as they were":   func(s record.Store) record.Store { return oldLists{s, new(sync.Map)} },
	"a page without the next":        func(s record.Store) record.Store { return lastPage{s} },
	"external ids of no store":       func(s record.Store) record.Store { return anyNumber{s} },
	"counts of every status":         func(s record.Store) record.Store { return growing{s} },
	"payments of all environments":   func(s record.Store) record.Store { return mixedPayments{s} },
	"declined payments as succeeded": func(s record.Store) record.Store { return allSucceed{s} },
	"sessions of all environments":   func(s record.Store) record.Store { return mixedSessions{s} },
	"sessions of all stores":         func(s record.Store) record.Store { return anyStoresSessions{s} },
	"tickets of every status":        func(s record.Store) record.Store { return anyTicket{s} },
	"sales without an end":           func(s record.Store) record.Store { return endless{s} },
}

// mixedSessions lists sessions of the other environment, anyStoresSessions those of no store as well.
type mixedSessions struct{ base }

func (s mixedSessions) Sessions(ctx context.Context, env checkout.Environment, stores []string, after string, limit int) (psp.Page[sessions.Session], error) {
	return s.base.Sessions(ctx, checkout.Prod, stores, after, limit)
}

type anyStoresSessions struct{ base }

func (s anyStoresSessions) Sessions(ctx context.Context, env checkout.Environment, stores []string, after string, limit int) (psp.Page[sessions.Session], error) {
	page, err := s.base.Sessions(ctx, env, stores, after, limit)
	if len(stores) == 0 {
		page.Items = append(page.Items, sessions.Session{})
	}
	return page, err
}

// oldestFirst sorts wrongly, mixedLists ignores the environment, lastPage names no next page, anyNumber ignores the store.
type oldestFirst struct{ base }

func (s oldestFirst) Orders(ctx context.Context, l orders.List) (orders.OrderPage, error) {
	page, err := s.base.Orders(ctx, l)
	slices.Reverse(page.Orders)
	return page, err
}

type mixedLists struct{ base }

func (s mixedLists) Orders(ctx context.Context, l orders.List) (orders.OrderPage, error) {
	page, err := s.base.Orders(ctx, l)
	l.Environment = checkout.Test
	if more, _ := s.base.Orders(ctx, l); len(page.Orders) < l.Limit && len(more.Orders) > 0 && more.Orders[0].ID != page.Orders[0].ID {
		page.Orders = append(page.Orders, more.Orders[0])
	}
	return page, err
}

type lastPage struct{ base }

func (s lastPage) Orders(ctx context.Context, l orders.List) (orders.OrderPage, error) {
	page, err := s.base.Orders(ctx, l)
	page.Next = ""
	return page, err
}

type anyNumber struct{ base }

func (s anyNumber) CountOrders(ctx context.Context, l orders.List) (int, error) {
	count, err := s.base.CountOrders(ctx, l)
	if l.ExternalID != "" {
		count++
	}
	return count, err
}

// oldLists leaves an order in the list of its first status.
type oldLists struct {
	base
	first *sync.Map
}

func (s oldLists) Commit(ctx context.Context, c orders.Change) error {
	err := s.base.Commit(ctx, c)
	if err == nil && c.Order != nil {
		if status, visible := c.Order.Published(); visible {
			s.first.LoadOrStore(c.Order.ID, status)
		}
	}
	return err
}

func (s oldLists) Orders(ctx context.Context, l orders.List) (orders.OrderPage, error) {
	statuses := l.Statuses
	l.Statuses = nil
	page, err := s.base.Orders(ctx, l)
	page.Orders = slices.DeleteFunc(page.Orders, func(o *orders.Order) bool {
		status, _ := s.first.Load(o.ID)
		return len(statuses) > 0 && !slices.Contains(statuses, status.(string))
	})
	return page, err
}

// growing counts the orders of every status.
type growing struct{ base }

func (s growing) CountOrders(ctx context.Context, l orders.List) (int, error) {
	l.Statuses = nil
	return s.base.CountOrders(ctx, l)
}

type mixedPayments struct{ base }

func (s mixedPayments) OrderOfPayment(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error) {
	if o, err := s.base.OrderOfPayment(ctx, checkout.Test, id); err == nil {
		return o, nil
	}
	return s.base.OrderOfPayment(ctx, checkout.Prod, id)
}

type allSucceed struct{ base }

func (s allSucceed) CountPayments(ctx context.Context, l orders.List, _ orders.PaymentStatus) (int, error) {
	return s.base.CountPayments(ctx, l, "")
}

type endless struct{ base }

func (s endless) Sales(ctx context.Context, env checkout.Environment, store, from, _ string) ([]orders.DaySales, error) {
	return s.base.Sales(ctx, env, store, from, "")
}

type anyTicket struct{ base }

func (s anyTicket) TicketIDs(ctx context.Context, l orders.List, _ orders.TicketStatus) (orders.ItemPage, error) {
	return s.base.TicketIDs(ctx, l, "")
}
