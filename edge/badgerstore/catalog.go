package badgerstore

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
)

// shared is the environment of the keys of merchants, stores and products. A product holds its state in each environment.
const shared = "all"

func merchantKey(id string) string { return shared + "/-/me/" + id }

func storeKey(id string) string { return shared + "/" + id + "/st" }

func slugKey(slug string) string { return shared + "/-/sl/" + slug }

func productKey(storeID, id string) string { return recordKey(shared+"/"+storeID, kindProduct, id) }

func originKey(origin, storeID string) string { return shared + "/-/og/" + origin + "/" + storeID }

// Merchant implements catalog.Records.
func (db *DB) Merchant(_ context.Context, id string) (*catalog.Merchant, error) {
	return load[catalog.Merchant](db.Get, merchantKey(id), catalog.ErrNotFound)
}

// Store implements catalog.Records.
func (db *DB) Store(_ context.Context, id string) (*catalog.Store, error) {
	return load[catalog.Store](db.Get, storeKey(id), catalog.ErrNotFound)
}

// StoreBySlug implements catalog.Records.
func (db *DB) StoreBySlug(ctx context.Context, slug string) (*catalog.Store, error) {
	id, err := db.Get(slugKey(slug))
	if errors.Is(err, durable.ErrNotFound) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return db.Store(ctx, string(id))
}

// Product implements catalog.Records.
func (db *DB) Product(_ context.Context, id string) (*catalog.Product, error) {
	storeID, err := db.Get(locator(kindProduct, id))
	if errors.Is(err, durable.ErrNotFound) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return load[catalog.Product](db.Get, productKey(string(storeID), id), errLost)
}

// OriginListed implements catalog.Origins.
func (db *DB) OriginListed(_ context.Context, origin string) (listed bool, err error) {
	err = db.Scan(originKey(origin, ""), "", func(string, []byte) bool {
		listed = true
		return false
	})
	return listed, err
}

// Put implements catalog.Records.
func (db *DB) Put(_ context.Context, c catalog.Change) error {
	return db.Update(func(tx *durable.Tx) error {
		if c.Merchant != nil {
			if err := save(tx, merchantKey(c.Merchant.ID), c.Merchant); err != nil {
				return err
			}
		}
		if c.Store != nil {
			if err := putStore(tx, c.Store); err != nil {
				return err
			}
		}
		for _, p := range c.Products {
			tx.Put(locator(kindProduct, p.ID), []byte(p.StoreID))
			if err := save(tx, productKey(p.StoreID, p.ID), p); err != nil {
				return err
			}
		}
		return nil
	})
}

func putStore(tx *durable.Tx, store *catalog.Store) error {
	owner, err := tx.Get(slugKey(store.Slug))
	switch {
	case errors.Is(err, durable.ErrNotFound):
		tx.Put(slugKey(store.Slug), []byte(store.ID))
	case err != nil:
		return err
	case string(owner) != store.ID:
		return catalog.ErrSlugTaken
	}
	if err := putOrigins(tx, store); err != nil {
		return err
	}
	return save(tx, storeKey(store.ID), store)
}

// putOrigins updates the index of origins.
func putOrigins(tx *durable.Tx, store *catalog.Store) error {
	before, err := load[catalog.Store](tx.Get, storeKey(store.ID), catalog.ErrNotFound)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return err
	}
	if before != nil {
		for _, origin := range before.Origins {
			tx.Delete(originKey(origin, store.ID))
		}
	}
	for _, origin := range store.Origins {
		tx.Put(originKey(origin, store.ID), []byte{})
	}
	return nil
}
