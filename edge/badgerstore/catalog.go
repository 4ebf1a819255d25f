package badgerstore

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Both environments share merchants, stores and products; what differs between them lies within a product.
const shared = "all"

func merchantKey(id string) string { return shared + "/-/me/" + id }

func storeKey(id string) string { return shared + "/" + id + "/st" }

func slugKey(slug string) string { return shared + "/-/sl/" + slug }

func productKey(storeID, id string) string { return recordKey(shared+"/"+storeID, kindProduct, id) }

func originKey(origin, storeID string) string { return shared + "/-/og/" + origin + "/" + storeID }

// Merchant implements catalog.Records.
func (db *DB) Merchant(_ context.Context, id string) (*catalog.Merchant, error) {
	return load[catalog.Merchant](db.read, merchantKey(id), catalog.ErrNotFound)
}

// Store implements catalog.Records.
func (db *DB) Store(_ context.Context, id string) (*catalog.Store, error) {
	return load[catalog.Store](db.read, storeKey(id), catalog.ErrNotFound)
}

// StoreBySlug implements catalog.Records.
func (db *DB) StoreBySlug(ctx context.Context, slug string) (*catalog.Store, error) {
	id, err := db.read(slugKey(slug))
	if errors.Is(err, errNoKey) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return db.Store(ctx, string(id))
}

// Product implements catalog.Records.
func (db *DB) Product(_ context.Context, id string) (*catalog.Product, error) {
	storeID, err := db.read(locator(kindProduct, id))
	if errors.Is(err, errNoKey) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return load[catalog.Product](db.read, productKey(string(storeID), id), errLost)
}

// OriginListed implements catalog.Origins.
func (db *DB) OriginListed(_ context.Context, origin string) (listed bool, err error) {
	err = db.scan(originKey(origin, ""), "", func(string, []byte) bool {
		listed = true
		return false
	})
	return listed, err
}

// Put implements catalog.Records.
func (db *DB) Put(_ context.Context, c catalog.Change) error {
	return db.update(func(s *step) error {
		if c.Merchant != nil {
			if err := save(s, merchantKey(c.Merchant.ID), c.Merchant); err != nil {
				return err
			}
		}
		if c.Store != nil {
			if err := putStore(s, c.Store); err != nil {
				return err
			}
		}
		for _, p := range c.Products {
			s.put(locator(kindProduct, p.ID), []byte(p.StoreID))
			if err := save(s, productKey(p.StoreID, p.ID), p); err != nil {
				return err
			}
		}
		return nil
	})
}

func putStore(s *step, store *catalog.Store) error {
	owner, err := s.get(slugKey(store.Slug))
	switch {
	case errors.Is(err, errNoKey):
		s.put(slugKey(store.Slug), []byte(store.ID))
	case err != nil:
		return err
	case string(owner) != store.ID:
		return catalog.ErrSlugTaken
	}
	if err := putOrigins(s, store); err != nil {
		return err
	}
	return save(s, storeKey(store.ID), store)
}

// putOrigins lets the index follow the store's list.
func putOrigins(s *step, store *catalog.Store) error {
	before, err := load[catalog.Store](s.get, storeKey(store.ID), catalog.ErrNotFound)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if before != nil {
		for _, origin := range before.Origins {
			s.delete(originKey(origin, store.ID))
		}
	}
	for _, origin := range store.Origins {
		s.put(originKey(origin, store.ID), []byte{})
	}
	return nil
}
