package storetest_test

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Each type below is a store with one mistake in the checks of VAT numbers.

var brokenVATChecks = map[string]func(record.Store) record.Store{
	"a VAT check before its document":     func(s record.Store) record.Store { return checkFirst{s} },
	"a VAT check that is asked for ever":  func(s record.Store) record.Store { return checkDue{s} },
	"VAT checks of any environment":       func(s record.Store) record.Store { return anyCheck{s} },
	"VAT checks to review everywhere":     func(s record.Store) record.Store { return allChecks{s} },
	"the last write of a VAT check wins":  func(s record.Store) record.Store { return checkOverwritten{s} },
	"the same page of checks for ever":    func(s record.Store) record.Store { return firstChecks{s} },
	"VAT checks that are due in any year": func(s record.Store) record.Store { return earlyChecks{s} },
}

// checkFirst writes a check in a commit of its own.
type checkFirst struct{ base }

func (s checkFirst) CommitNotify(ctx context.Context, c notify.Change) error {
	if c.VATCheck != nil {
		if err := s.base.CommitNotify(ctx, notify.Change{VATCheck: c.VATCheck}); err != nil {
			return err
		}
		c.VATCheck = nil
	}
	return s.base.CommitNotify(ctx, c)
}

// checkDue leaves checks due that were answered.
type checkDue struct{ base }

func (s checkDue) WriteVATCheck(ctx context.Context, c *vies.Check) error {
	copied := *c
	copied.DueAt = max(copied.DueAt, 1)
	return s.base.WriteVATCheck(ctx, &copied)
}

type anyCheck struct{ base }

func (s anyCheck) VATCheck(ctx context.Context, env checkout.Environment, storeID, orderID string) (*vies.Check, error) {
	c, err := s.base.VATCheck(ctx, env, storeID, orderID)
	if errors.Is(err, vies.ErrNotFound) {
		return s.base.VATCheck(ctx, checkout.Prod, storeID, orderID)
	}
	return c, err
}

type allChecks struct{ base }

func (s allChecks) VATChecksToReview(ctx context.Context, _ checkout.Environment, after string, limit int) (psp.Page[vies.Check], error) {
	return s.base.VATChecksToReview(ctx, checkout.Prod, after, limit)
}

type checkOverwritten struct{ base }

func (s checkOverwritten) WriteVATCheck(ctx context.Context, c *vies.Check) error {
	for {
		stored, err := s.base.VATCheck(ctx, c.Environment, c.StoreID, c.OrderID)
		if err != nil {
			return err
		}
		copied := *c
		copied.Version = stored.Version
		if err := s.base.WriteVATCheck(ctx, &copied); !errors.Is(err, vies.ErrStale) {
			return err
		}
	}
}

type firstChecks struct{ base }

func (s firstChecks) VATChecksToReview(ctx context.Context, env checkout.Environment, _ string, limit int) (psp.Page[vies.Check], error) {
	return s.base.VATChecksToReview(ctx, env, "", limit)
}

type earlyChecks struct{ base }

func (s earlyChecks) DueVATChecks(ctx context.Context, now int64, limit int) ([]vies.Check, error) {
	return s.base.DueVATChecks(ctx, now+2, limit)
}
