package storetest_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// manySlugs reports no error for a slug that is taken.
type manySlugs struct{ base }

func (s manySlugs) Put(ctx context.Context, c catalog.Change) error {
	if err := s.base.Put(ctx, c); !errors.Is(err, catalog.ErrSlugTaken) {
		return err
	}
	return nil
}

// lastCatalogWins ignores the revisions of the catalogue.
type lastCatalogWins struct{ base }

func (s lastCatalogWins) Put(ctx context.Context, c catalog.Change) error {
	for {
		if c.Store != nil {
			copied := *c.Store
			copied.Revision = 0
			if stored, err := s.Store(ctx, copied.ID); err == nil {
				copied.Revision = stored.Revision
			}
			c.Store = &copied
		}
		for i, p := range c.Products {
			copied := *p
			copied.Revision = 0
			if stored, err := s.Product(ctx, p.ID); err == nil {
				copied.Revision = stored.Revision
			}
			c.Products = slices.Clone(c.Products)
			c.Products[i] = &copied
		}
		if err := s.base.Put(ctx, c); !errors.Is(err, catalog.ErrStale) {
			return err
		}
	}
}

// onlyOnSale forgets the versions that are not on sale.
type onlyOnSale struct{ base }

func (s onlyOnSale) Version(ctx context.Context, productID, id string) (*catalog.Version, error) {
	p, err := s.Product(ctx, productID)
	if err != nil {
		return nil, err
	}
	for _, v := range []*catalog.Version{p.Test.Version, p.Prod.Version} {
		if v != nil && v.ID == id {
			return v, nil
		}
	}
	return nil, catalog.ErrNotFound
}

// everyStore lists the stores of all merchants.
type everyStore struct {
	base
	stores *sync.Map
}

func (s everyStore) Put(ctx context.Context, c catalog.Change) error {
	err := s.base.Put(ctx, c)
	if err == nil && c.Store != nil {
		s.stores.Store(c.Store.ID, c.Store)
	}
	return err
}

func (s everyStore) Stores(context.Context, string, int, int) (list []*catalog.Store, err error) {
	s.stores.Range(func(_, store any) bool {
		list = append(list, store.(*catalog.Store))
		return true
	})
	return list, nil
}

// staleOrigins does not remove origins.
type staleOrigins struct {
	base
	listed *sync.Map
}

func (s staleOrigins) Put(ctx context.Context, c catalog.Change) error {
	if c.Store != nil {
		for _, origin := range c.Store.Origins {
			s.listed.Store(origin, true)
		}
	}
	return s.base.Put(ctx, c)
}

func (s staleOrigins) OriginListed(_ context.Context, origin string) (bool, error) {
	_, listed := s.listed.Load(origin)
	return listed, nil
}
