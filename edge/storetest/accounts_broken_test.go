package storetest_test

import (
	"context"
	"errors"
	"slices"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// lastMerchantWins ignores the revision of a merchant.
type lastMerchantWins struct{ base }

func (s lastMerchantWins) Put(ctx context.Context, c catalog.Change) error {
	for c.Merchant != nil {
		copied := *c.Merchant
		copied.Revision = 0
		if stored, err := s.Merchant(ctx, copied.ID); err == nil {
			copied.Revision = stored.Revision
		}
		c.Merchant = &copied
		if err := s.base.Put(ctx, c); !errors.Is(err, catalog.ErrStale) {
			return err
		}
	}
	return s.base.Put(ctx, c)
}

// newestMerchants lists the merchants backwards.
type newestMerchants struct{ base }

func (s newestMerchants) Merchants(ctx context.Context, after string, limit int) ([]*catalog.Merchant, error) {
	page, err := s.base.Merchants(ctx, after, 1000)
	slices.Reverse(page)
	return page[:min(len(page), limit)], err
}
