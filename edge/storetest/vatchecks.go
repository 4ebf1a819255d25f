package storetest

import (
	"cmp"
	"fmt"
	"reflect"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/vies"
)

func newVATCheck(env checkout.Environment, dueAt int64) *vies.Check {
	return &vies.Check{Environment: env, StoreID: fresh("STO"), OrderID: fresh("ORD"), Number: "DE136695976", State: vies.Pending, DueAt: dueAt,
		CreatedAt: 1, UpdatedAt: 1}
}

// checked makes a check durable and returns it as stored.
func checked(s record.Store, env checkout.Environment, dueAt int64) (*vies.Check, error) {
	c := newVATCheck(env, dueAt)
	if err := s.CommitNotify(background, notify.Change{VATCheck: c}); err != nil {
		return nil, err
	}
	stored, err := s.VATCheck(background, c.Environment, c.StoreID, c.OrderID)
	c.Version = 1
	if err != nil || !reflect.DeepEqual(stored, c) {
		return nil, fmt.Errorf("the check is %+v, %v; want %+v", stored, err, c)
	}
	return stored, nil
}

// vatChecks: a check is due at its time until it is answered, and is written by compare-and-set.
func vatChecks(s record.Store) error {
	later, err := checked(s, checkout.Prod, farPast+2)
	if err != nil {
		return err
	}
	first, err := checked(s, checkout.Test, farPast)
	if err != nil {
		return err
	}
	for now, count := range map[int64]int{farPast - 1: 0, farPast: 1, farPast + 1: 1, farPast + 2: 2} {
		due, err := s.DueVATChecks(background, now, 1000)
		if err != nil || len(due) != count || count > 0 && due[0].OrderID != first.OrderID {
			return fmt.Errorf("at %d are due %+v, %v", now, due, err)
		}
	}
	if due, err := s.DueVATChecks(background, farPast+2, 1); err != nil || len(due) != 1 {
		return fmt.Errorf("of at most one check came %d, %v", len(due), err)
	}
	first.State, first.DueAt, first.Consultation, first.AnsweredAt = vies.Valid, 0, "WAPI1", 5
	if err := cmp.Or(need("an answer", s.WriteVATCheck(background, first)), want("the same again", s.WriteVATCheck(background, first), vies.ErrStale)); err != nil {
		return err
	}
	if due, err := s.DueVATChecks(background, farPast+2, 1000); err != nil || len(due) != 1 || due[0].OrderID != later.OrderID {
		return fmt.Errorf("after an answer are due %+v, %v", due, err)
	}
	first.Version++
	stored, err := s.VATCheck(background, first.Environment, first.StoreID, first.OrderID)
	if err != nil || !reflect.DeepEqual(stored, first) {
		return fmt.Errorf("an answer is %+v, %v; want %+v", stored, err, first)
	}
	return nil
}

// vatCheckTenants: a check belongs to its environment and store.
func vatCheckTenants(s record.Store) error {
	c, err := checked(s, checkout.Prod, farPast)
	if err != nil {
		return err
	}
	for _, other := range []vies.Check{
		{Environment: checkout.Test, StoreID: c.StoreID, OrderID: c.OrderID}, {Environment: c.Environment, StoreID: fresh("STO"), OrderID: c.OrderID},
		{Environment: c.Environment, StoreID: c.StoreID, OrderID: fresh("ORD")},
	} {
		_, err := s.VATCheck(background, other.Environment, other.StoreID, other.OrderID)
		if err := want("the check of another tenant", err, vies.ErrNotFound); err != nil {
			return err
		}
	}
	return nil
}

// vatCheckReview: checks without a proof of the number are listed in their environment.
func vatCheckReview(s record.Store) error {
	var wanted []string
	for i, state := range []vies.State{vies.Invalid, vies.Valid, vies.Failed, vies.Invalid} {
		c, err := checked(s, checkout.Prod, farPast)
		if err != nil {
			return err
		}
		if c.State, c.DueAt = state, 0; c.NeedsReview() {
			wanted = append(wanted, c.OrderID)
		}
		if err := need("the outcome", s.WriteVATCheck(background, c)); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	if page, err := s.VATChecksToReview(background, checkout.Test, "", 10); err != nil || len(page.Items) != 0 {
		return fmt.Errorf("the other environment lists %d, %v", len(page.Items), err)
	}
	var found []string
	for after := ""; ; {
		page, err := s.VATChecksToReview(background, checkout.Prod, after, 2)
		if err != nil {
			return err
		}
		for i := range page.Items {
			found = append(found, page.Items[i].OrderID)
		}
		if after = page.Next; after == "" || len(found) > len(wanted) {
			break
		}
	}
	if !reflect.DeepEqual(found, wanted) {
		return fmt.Errorf("to review are %v; want %v", found, wanted)
	}
	return nil
}

// vatCheckWithDocument: a check is written with the rest of its change or not at all.
func vatCheckWithDocument(s record.Store) error {
	c := newVATCheck(checkout.Prod, farPast)
	change := notify.Change{Document: newDocument(newSeries(checkout.Prod), 2), VATCheck: c}
	if err := want("a wrong number", s.CommitNotify(background, change), notify.ErrStale); err != nil {
		return err
	}
	_, err := s.VATCheck(background, c.Environment, c.StoreID, c.OrderID)
	return want("its check", err, vies.ErrNotFound)
}
