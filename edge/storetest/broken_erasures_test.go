package storetest_test

import (
	"context"

	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
)

// Each type below is a store with one mistake in what it does for requests of buyers.

var brokenErasures = map[string]func(record.Store) record.Store{
	"a first page of buyers' records":  func(s record.Store) record.Store { return firstPersonal{s} },
	"a record of each page left out":   func(s record.Store) record.Store { return lessPersonal{s} },
	"documents that stay":              func(s record.Store) record.Store { return sameDocument{s} },
	"external ids that stay":           func(s record.Store) record.Store { return keptExternalID{s} },
	"entries of erasures, first page":  func(s record.Store) record.Store { return firstErasures{s} },
	"a key of erasures for every call": func(s record.Store) record.Store { return ownErasureKey{s} },
}

type firstPersonal struct{ base }

func (s firstPersonal) Personal(ctx context.Context, after string, limit int) ([]erasure.Record, string, error) {
	records, _, err := s.base.Personal(ctx, after, limit)
	return records, "", err
}

type lessPersonal struct{ base }

func (s lessPersonal) Personal(ctx context.Context, after string, limit int) ([]erasure.Record, string, error) {
	records, next, err := s.base.Personal(ctx, after, limit)
	if len(records) > 1 {
		records = records[1:]
	}
	return records, next, err
}

type sameDocument struct{ base }

func (sameDocument) ReplaceDocument(context.Context, *invoices.Document) error { return nil }

type keptExternalID struct{ base }

func (s keptExternalID) Commit(ctx context.Context, c orders.Change) error {
	if c.Session != nil && c.Session.ExternalID == "" && c.Session.Version > 0 {
		c.Session = nil
	}
	return s.base.Commit(ctx, c)
}

type firstErasures struct{ base }

func (s firstErasures) Erasures(ctx context.Context, _ string, limit int) (psp.Page[erasure.Entry], error) {
	page, err := s.base.Erasures(ctx, "", limit)
	page.Next = ""
	return page, err
}

type ownErasureKey struct{ base }

func (ownErasureKey) ErasureKey(_ context.Context, fallback func() ([]byte, error)) ([]byte, error) {
	return fallback()
}
