package storetest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

// Each type below is a store with one mistake in what merchants are told.

var brokenNotify = map[string]func(record.Store) record.Store{
	"facts before their change":     func(s record.Store) record.Store { return earlyFacts{s} },
	"facts backwards":               func(s record.Store) record.Store { return backwardFacts{s} },
	"facts for everybody":           func(s record.Store) record.Store { return everlastingFacts{s} },
	"facts and then deliveries":     func(s record.Store) record.Store { return factFirst{s} },
	"endpoints of any environment":  func(s record.Store) record.Store { return anyEndpoint{s} },
	"the last endpoints win":        func(s record.Store) record.Store { return lastEndpoints{s} },
	"deliveries, the oldest first":  func(s record.Store) record.Store { return oldestDeliveries{s} },
	"one busy endpoint hides all":   func(s record.Store) record.Store { return crowdedLanes{s} },
	"what was sent is due again":    func(s record.Store) record.Store { return alwaysDue{s} },
	"what was delivered has failed": func(s record.Store) record.Store { return allFailed{s} },
	"no delivery is ever due":       func(s record.Store) record.Store { return neverDue{s} },
	"a store has all deliveries":    func(s record.Store) record.Store { return allDeliveries{s} },
}

type earlyFacts struct{ base }

func (s earlyFacts) Commit(ctx context.Context, c orders.Change) error {
	if err := s.base.Commit(ctx, orders.Change{Facts: c.Facts}); err != nil {
		return err
	}
	c.Facts = nil
	return s.base.Commit(ctx, c)
}

type backwardFacts struct{ base }

func (s backwardFacts) Facts(ctx context.Context, after uint64, limit int) ([]notify.QueuedFact, error) {
	facts, err := s.base.Facts(ctx, after, limit)
	slices.Reverse(facts)
	return facts, err
}

type everlastingFacts struct{ base }

func (s everlastingFacts) CommitNotify(ctx context.Context, c notify.Change) error {
	c.Fact = nil
	return s.base.CommitNotify(ctx, c)
}

// factFirst takes a fact in a commit of its own.
type factFirst struct{ base }

func (s factFirst) CommitNotify(ctx context.Context, c notify.Change) error {
	if err := s.base.CommitNotify(ctx, notify.Change{Fact: c.Fact}); err != nil {
		return err
	}
	c.Fact = nil
	return s.base.CommitNotify(ctx, c)
}

type anyEndpoint struct{ base }

func (s anyEndpoint) EndpointStore(ctx context.Context, env checkout.Environment, id string) (string, error) {
	store, err := s.base.EndpointStore(ctx, checkout.Test, id)
	if errors.Is(err, notify.ErrNotFound) {
		return s.base.EndpointStore(ctx, checkout.Prod, id)
	}
	return store, err
}

type lastEndpoints struct{ base }

func (s lastEndpoints) CommitNotify(ctx context.Context, c notify.Change) error {
	for c.Endpoints != nil {
		stored, err := s.base.Endpoints(ctx, c.Endpoints.Environment, c.Endpoints.StoreID)
		if err != nil {
			return err
		}
		copied := *c.Endpoints
		copied.Version = stored.Version
		c.Endpoints = &copied
		if err := s.base.CommitNotify(ctx, c); !errors.Is(err, notify.ErrStale) {
			return err
		}
	}
	return s.base.CommitNotify(ctx, c)
}

type oldestDeliveries struct{ base }

func (s oldestDeliveries) Deliveries(ctx context.Context, env checkout.Environment, storeID, after string, limit int) (psp.Page[notify.Delivery], error) {
	page, err := s.base.Deliveries(ctx, env, storeID, after, limit)
	slices.Reverse(page.Items)
	return page, err
}

// crowdedLanes applies the limit of an endpoint to all of them.
type crowdedLanes struct{ base }

func (s crowdedLanes) DueDeliveries(ctx context.Context, now int64, limit int) ([]notify.DueDelivery, error) {
	due, err := s.base.DueDeliveries(ctx, now, limit)
	return due[:min(limit, len(due))], err
}

// alwaysDue writes what is no longer due as due.
type alwaysDue struct{ base }

func (s alwaysDue) CommitNotify(ctx context.Context, c notify.Change) error {
	for i, d := range c.Deliveries {
		if d.DueAt == 0 {
			copied := *d
			copied.DueAt = 1
			c.Deliveries[i] = &copied
		}
	}
	return s.base.CommitNotify(ctx, c)
}

// neverDue does not say since when deliveries are due.
type neverDue struct{ base }

func (s neverDue) CountDeliveries(ctx context.Context, env checkout.Environment) (notify.Counts, error) {
	counts, err := s.base.CountDeliveries(ctx, env)
	counts.DueSince = 0
	return counts, err
}

type allFailed struct{ base }

func (s allFailed) CountDeliveries(ctx context.Context, env checkout.Environment) (notify.Counts, error) {
	counts, err := s.base.CountDeliveries(ctx, env)
	counts.Failed *= 2
	return counts, err
}

// allDeliveries counts the deliveries of both environments.
type allDeliveries struct{ base }

func (s allDeliveries) CountDeliveriesOf(ctx context.Context, _ checkout.Environment, storeID string) (int, error) {
	test, err := s.base.CountDeliveriesOf(ctx, checkout.Test, storeID)
	prod, failed := s.base.CountDeliveriesOf(ctx, checkout.Prod, storeID)
	return test + prod, errors.Join(err, failed)
}
