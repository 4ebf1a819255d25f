package storetest_test

import (
	"context"
	"time"

	"github.com/crepe-checkout/crepe/edge/lease"
	"github.com/crepe-checkout/crepe/edge/record"
)

var brokenLeases = map[string]func(record.Store) record.Store{
	"a lease for each":   func(s record.Store) record.Store { return everyHolder{s} },
	"leases for ever":    func(s record.Store) record.Store { return leasedForEver{s} },
	"one lease for all":  func(s record.Store) record.Store { return oneTask{s} },
	"anybody releases":   func(s record.Store) record.Store { return releasedByAll{s} },
	"never released":     func(s record.Store) record.Store { return unreleased{s} },
	"no lease to see":    func(s record.Store) record.Store { return unseenLease{s} },
	"a lease not longer": func(s record.Store) record.Store { return onceHeld{s} },
}

type everyHolder struct{ base }

func (everyHolder) Hold(context.Context, string, string, time.Duration) (bool, error) {
	return true, nil
}

type leasedForEver struct{ base }

func (s leasedForEver) Hold(ctx context.Context, task, holder string, _ time.Duration) (bool, error) {
	return s.base.Hold(ctx, task, holder, time.Hour)
}

type oneTask struct{ base }

func (s oneTask) Hold(ctx context.Context, _, holder string, d time.Duration) (bool, error) {
	return s.base.Hold(ctx, "task", holder, d)
}

type releasedByAll struct{ base }

func (s releasedByAll) Release(ctx context.Context, task, _ string) error {
	for _, holder := range []string{"a", "b"} {
		if err := s.base.Release(ctx, task, holder); err != nil {
			return err
		}
	}
	return nil
}

type unreleased struct{ base }

func (unreleased) Release(context.Context, string, string) error { return nil }

type unseenLease struct{ base }

func (unseenLease) Lease(context.Context, string) (lease.Lease, error) { return lease.Lease{}, nil }

// onceHeld extends no lease.
type onceHeld struct{ base }

func (s onceHeld) Hold(ctx context.Context, task, holder string, d time.Duration) (bool, error) {
	if held, err := s.base.Hold(ctx, task, "another", time.Nanosecond); !held || err != nil {
		return false, err
	}
	time.Sleep(time.Millisecond)
	return s.base.Hold(ctx, task, holder, d)
}
