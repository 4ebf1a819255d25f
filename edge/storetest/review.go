package storetest

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

func newQuarantined(env checkout.Environment) *orders.Quarantined {
	return &orders.Quarantined{Event: psp.Event{ID: fresh("evt"), Kind: psp.EventCompleted, Checkout: psp.Checkout{Ref: fresh("cs"), Paid: true}},
		Environment: env, Provider: "stripe", Why: "not found", QuarantinedAt: 7}
}

// quarantine stores events in both environments, reads them page by page and handles one.
func quarantine(s record.Store) error {
	const count = 5
	before, err := s.Unhandled(background, checkout.Test)
	if err != nil {
		return err
	}
	var kept []orders.Quarantined
	for range count {
		q := newQuarantined(checkout.Test)
		for _, q := range []*orders.Quarantined{q, newQuarantined(checkout.Prod)} {
			seen := &orders.SeenEvent{Environment: q.Environment, Provider: q.Provider, ID: q.ID}
			if err := s.Commit(background, orders.Change{Event: seen, Quarantine: q}); err != nil {
				return err
			}
		}
		kept = append(kept, *q)
	}
	handled := &kept[2]
	handled.HandledAt = 42
	if err := cmp.Or(need("handling", s.HandleQuarantined(background, checkout.Test, "stripe", handled.ID, 42)),
		need("handling again", s.HandleQuarantined(background, checkout.Test, "stripe", handled.ID, 43)),
		want("an unknown event", s.HandleQuarantined(background, checkout.Test, "stripe", fresh("evt"), 42), orders.ErrNotFound),
		want("another provider's", s.HandleQuarantined(background, checkout.Test, "another", handled.ID, 42), orders.ErrNotFound)); err != nil {
		return err
	}
	ids := func(q orders.Quarantined) string { return q.ID }
	listed, err := pages(2, ids, func(after string, limit int) (psp.Page[orders.Quarantined], error) {
		return s.Quarantined(background, checkout.Test, after, limit)
	})
	if err != nil {
		return err
	}
	mine := slices.DeleteFunc(listed, func(q orders.Quarantined) bool { return q.ID < kept[0].ID || q.ID > kept[count-1].ID })
	if !reflect.DeepEqual(mine, kept) {
		return fmt.Errorf("listed %+v; want %+v", mine, kept)
	}
	return counted(s, before, orders.Unhandled{Quarantined: count - 1})
}

// refunds stores orders with and without a refund due, lists those with one, and handles one.
func refunds(s record.Store) error {
	before, err := s.Unhandled(background, checkout.Test)
	if err != nil {
		return err
	}
	var due []string
	var first *orders.Order
	for i := range 6 {
		_, order, err := placed(s, []checkout.Environment{checkout.Test, checkout.Prod}[i%2])
		if err != nil {
			return err
		}
		order.State = []orders.State{orders.RefundDue, orders.RefundDue, orders.Paid, orders.Paid, orders.RefundDue, orders.RefundDue}[i]
		if err := s.Commit(background, orders.Change{Order: order}); err != nil {
			return err
		}
		order.Version++
		if order.State == orders.RefundDue && order.Environment == checkout.Test {
			due = append(due, order.ID)
			first = cmp.Or(first, order)
		}
	}
	if err := counted(s, before, orders.Unhandled{RefundDue: 2}); err != nil {
		return err
	}
	first.RefundHandledAt = 42
	if err := s.Commit(background, orders.Change{Order: first}); err != nil {
		return err
	}
	first.Version++
	listed, err := pages(1, func(o orders.Order) string { return o.ID }, func(after string, limit int) (psp.Page[orders.Order], error) {
		return s.RefundDue(background, checkout.Test, after, limit)
	})
	if err != nil {
		return err
	}
	var ids []string
	for _, o := range listed {
		if o.ID >= due[0] {
			ids = append(ids, o.ID)
		}
		if o.ID == first.ID && !reflect.DeepEqual(&o, first) {
			return fmt.Errorf("listed %+v; want %+v", o, first)
		}
	}
	if !slices.Equal(ids, due) {
		return fmt.Errorf("refunds are due of %v; want %v", ids, due)
	}
	return counted(s, before, orders.Unhandled{RefundDue: 1})
}

// deployment checks that all callers get the id of the first one.
func deployment(s record.Store) error {
	ids := make([]string, racers)
	won, lost := race(func(racer int) (err error) {
		ids[racer], err = s.Deployment(background, fresh("dep"))
		return err
	})
	if won != racers {
		return lost[0]
	}
	for _, id := range ids {
		if id != ids[0] || id == "" {
			return fmt.Errorf("deployments %q and %q", ids[0], id)
		}
	}
	return nil
}

// pages reads a list to its end. It returns an error if a page exceeds the limit or the list is not sorted.
func pages[T any](limit int, id func(T) string, read func(after string, limit int) (psp.Page[T], error)) (all []T, err error) {
	for after := ""; ; {
		page, err := read(after, limit)
		if err != nil {
			return nil, err
		}
		if len(page.Items) > limit || len(page.Items) == 0 && page.Next != "" {
			return nil, fmt.Errorf("a page of at most %d has %d, and then %q", limit, len(page.Items), page.Next)
		}
		all = append(all, page.Items...)
		if !slices.IsSortedFunc(all, func(a, b T) int { return cmp.Compare(id(a), id(b)) }) {
			return nil, fmt.Errorf("not sorted: %+v", all)
		}
		if after = page.Next; after == "" {
			return all, nil
		}
	}
}

// counted returns an error unless the number of unhandled items is that of before and more.
func counted(s record.Store, before, more orders.Unhandled) error {
	before.Quarantined += more.Quarantined
	before.RefundDue += more.RefundDue
	if got, err := s.Unhandled(background, checkout.Test); err != nil || got != before {
		return fmt.Errorf("%+v wait, %v; want %+v", got, err, before)
	}
	return nil
}
