package storetest

import (
	"cmp"
	"fmt"
	"reflect"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
)

func newFact(o *orders.Order) orders.Fact {
	return orders.Fact{Kind: orders.OrderCompleted, Environment: o.Environment, StoreID: o.StoreID, OrderID: o.ID, EventID: fresh("PAY"), At: 7}
}

// queued returns the facts of an order that are in the outbox.
func queued(s record.Store, o *orders.Order) (facts []notify.QueuedFact, err error) {
	all, err := s.Facts(background, 0, 1000)
	for _, f := range all {
		if f.OrderID == o.ID {
			facts = append(facts, f)
		}
	}
	return facts, err
}

// addFacts commits an order with facts, and returns them as queued.
func addFacts(s record.Store, o *orders.Order, count int) ([]notify.QueuedFact, error) {
	var facts []orders.Fact
	for range count {
		facts = append(facts, newFact(o))
	}
	before, err := queued(s, o)
	if err != nil {
		return nil, err
	}
	if err := s.Commit(background, orders.Change{Order: o, Facts: facts}); err != nil {
		return nil, err
	}
	o.Version++
	got, err := queued(s, o)
	if err != nil || len(got) != len(before)+count {
		return nil, fmt.Errorf("%d facts in the outbox, %v; want %d more than %d", len(got), err, count, len(before))
	}
	for i, f := range got[len(before):] {
		if !reflect.DeepEqual(f.Fact, facts[i]) {
			return nil, fmt.Errorf("in the outbox: %+v, want %+v", f, facts[i])
		}
	}
	return got, nil
}

func facts(s record.Store) error {
	_, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	var got []notify.QueuedFact
	for count := 1; count <= 6; count++ { // more than nine in all: their numbers do not sort as texts
		if got, err = addFacts(s, order, count); err != nil {
			return err
		}
	}
	for i := range got[1:] {
		if got[i].Seq >= got[i+1].Seq {
			return fmt.Errorf("the outbox is not in order: %d before %d", got[i].Seq, got[i+1].Seq)
		}
	}
	if some, err := s.Facts(background, 0, 2); err != nil || len(some) != 2 {
		return fmt.Errorf("of at most two facts came %d, %v", len(some), err)
	}
	if err := cmp.Or(need("taking a fact", s.CommitNotify(background, notify.Change{Fact: &got[1]})),
		want("taking it again", s.CommitNotify(background, notify.Change{Fact: &got[1]}), notify.ErrStale)); err != nil {
		return err
	}
	left, err := queued(s, order)
	if err != nil || len(left) != len(got)-1 || left[0] != got[0] || left[1] != got[2] {
		return fmt.Errorf("after the second of %d facts was taken, these are left: %+v, %v", len(got), left, err)
	}
	again, err := addFacts(s, order, 1)
	if err == nil && again[len(again)-1].Seq <= got[len(got)-1].Seq {
		err = fmt.Errorf("the number %d is used again", again[len(again)-1].Seq)
	}
	return err
}

func factsWithChange(s record.Store) error {
	_, order, err := placed(s, checkout.Prod)
	if err != nil {
		return err
	}
	token := newToken(checkout.Prod)
	if err := s.Commit(background, orders.Change{Spend: token}); err != nil {
		return err
	}
	stale := *order
	stale.Version = 0
	for what, refused := range map[string]orders.Change{
		"a stale order":      {Order: &stale},
		"a token used up":    {Order: order, Spend: token},
		"a stale order only": {Order: &stale, Event: newEvent(checkout.Prod)},
	} {
		refused.Facts = []orders.Fact{newFact(order)}
		if err := s.Commit(background, refused); err == nil {
			return fmt.Errorf("%s is written", what)
		}
		if got, err := queued(s, order); err != nil || len(got) != 0 {
			return fmt.Errorf("%s has left a fact: %+v, %v", what, got, err)
		}
	}
	_, err = addFacts(s, order, 1)
	return err
}

func factRace(s record.Store) error {
	_, order, err := placed(s, checkout.Test)
	if err != nil {
		return err
	}
	for range rounds {
		got, err := addFacts(s, order, 1)
		if err != nil {
			return err
		}
		err = oneWinner("a fact", notify.ErrStale, func(int) error {
			return s.CommitNotify(background, notify.Change{Fact: &got[len(got)-1]})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
