package storetest_test

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

// Each type below is a store with one mistake in the numbers of documents.

var brokenInvoices = map[string]func(record.Store) record.Store{
	"a mail before its document":    func(s record.Store) record.Store { return mailFirst{s} },
	"a mail for ever":               func(s record.Store) record.Store { return everyMail{s} },
	"a number before its fact":      func(s record.Store) record.Store { return documentFirst{s} },
	"gaps between numbers":          func(s record.Store) record.Store { return gaps{s} },
	"one series for all years":      func(s record.Store) record.Store { return everyYear{s} },
	"documents of any environment":  func(s record.Store) record.Store { return anyDocument{s} },
	"the same page for ever":        func(s record.Store) record.Store { return noPages{s} },
	"numbers counted with the read": func(s record.Store) record.Store { return renumbered{s} },
}

// documentFirst writes a document in a commit of its own.
type documentFirst struct{ base }

func (s documentFirst) CommitNotify(ctx context.Context, c notify.Change) error {
	if c.Document != nil {
		if err := s.base.CommitNotify(ctx, notify.Change{Document: c.Document}); err != nil {
			return err
		}
		c.Document = nil
	}
	return s.base.CommitNotify(ctx, c)
}

// gaps writes a document whose number is too large, with the next number that is free.
type gaps struct{ base }

func (s gaps) CommitNotify(ctx context.Context, c notify.Change) error {
	if c.Document != nil {
		last, err := s.base.LastNumber(ctx, c.Document.Series)
		if err != nil {
			return err
		}
		if copied := *c.Document; copied.Number > last+1 {
			copied.Number = last + 1
			c.Document = &copied
		}
	}
	return s.base.CommitNotify(ctx, c)
}

type everyYear struct{ base }

func (s everyYear) LastNumber(ctx context.Context, series invoices.Series) (int, error) {
	series.Year = 2026
	return s.base.LastNumber(ctx, series)
}

type anyDocument struct{ base }

func (s anyDocument) DocumentOf(ctx context.Context, env checkout.Environment, orderID, eventID string) (*invoices.Document, error) {
	d, err := s.base.DocumentOf(ctx, checkout.Test, orderID, eventID)
	if errors.Is(err, invoices.ErrNotFound) {
		return s.base.DocumentOf(ctx, checkout.Prod, orderID, eventID)
	}
	return d, err
}

// noPages forgets where a page ends.
type noPages struct{ base }

func (s noPages) Documents(ctx context.Context, series invoices.Series, _ string, limit int) (psp.Page[invoices.Document], error) {
	return s.base.Documents(ctx, series, "", limit)
}

// renumbered takes whatever number is free, so that a worker that lost a race writes its document again.
type renumbered struct{ base }

func (s renumbered) CommitNotify(ctx context.Context, c notify.Change) error {
	for c.Document != nil {
		last, err := s.base.LastNumber(ctx, c.Document.Series)
		if err != nil {
			return err
		}
		copied := *c.Document
		copied.Number = last + 1
		c.Document = &copied
		if err := s.base.CommitNotify(ctx, c); !errors.Is(err, notify.ErrStale) {
			return err
		}
	}
	return s.base.CommitNotify(ctx, c)
}

// mailFirst writes a mail in a commit of its own.
type mailFirst struct{ base }

func (s mailFirst) CommitNotify(ctx context.Context, c notify.Change) error {
	if c.Mail != nil {
		if err := s.base.CommitNotify(ctx, notify.Change{Mail: c.Mail}); err != nil {
			return err
		}
		c.Mail = nil
	}
	return s.base.CommitNotify(ctx, c)
}

// everyMail leaves mails due that were sent.
type everyMail struct{ base }

func (s everyMail) WriteMail(ctx context.Context, m *invoices.Mail) error {
	copied := *m
	copied.DueAt = max(copied.DueAt, 1)
	return s.base.WriteMail(ctx, &copied)
}
