package badgerstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
)

// shared is the environment of the keys of merchants, stores and products. A product holds its state in each environment.
const shared = "all"

func merchantKey(id string) string { return shared + "/-/me/" + id }

func storeKey(id string) string { return shared + "/" + id + "/st" }

func slugKey(slug string) string { return shared + "/-/sl/" + slug }

func productKey(storeID, id string) string { return recordKey(shared+"/"+storeID, kindProduct, id) }

func merchantStoreKey(merchantID, storeID string) string {
	return shared + "/-/ms/" + merchantID + "/" + storeID
}

// versionIDKey is the key of the key of a version.
func versionIDKey(storeID, productID, id string) string {
	return shared + "/" + storeID + "/pi/" + productID + "/" + id
}

// versionKey sorts the versions of a product from the newest to the oldest.
func versionKey(storeID, productID string, number int) string {
	return fmt.Sprintf("%s%08x", versionsKey(storeID, productID), math.MaxUint32-uint32(number))
}

func versionsKey(storeID, productID string) string {
	return shared + "/" + storeID + "/pv/" + productID + "/"
}

func originKey(origin, storeID string) string { return shared + "/-/og/" + origin + "/" + storeID }

// Merchant implements catalog.Records.
func (db *DB) Merchant(_ context.Context, id string) (*catalog.Merchant, error) {
	return load[catalog.Merchant](db.Get, merchantKey(id), catalog.ErrNotFound)
}

// Merchants implements catalog.Records.
func (db *DB) Merchants(_ context.Context, after string, limit int) (page []*catalog.Merchant, err error) {
	from := ""
	if after != "" {
		from = merchantKey(after)
	}
	var broken error
	err = db.Scan(merchantKey(""), from, func(_ string, value []byte) bool {
		m := new(catalog.Merchant)
		if broken = decode(value, m); broken == nil {
			page = append(page, m)
		}
		return broken == nil && len(page) < limit
	})
	return page, errors.Join(err, broken)
}

// Store implements catalog.Records.
func (db *DB) Store(_ context.Context, id string) (*catalog.Store, error) {
	store, err := db.stores.read(id, func() (*catalog.Store, error) { return load[catalog.Store](db.Get, storeKey(id), catalog.ErrNotFound) })
	if err != nil {
		return nil, err
	}
	return store.Clone(), nil
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

// Version implements catalog.Records.
func (db *DB) Version(_ context.Context, productID, id string) (*catalog.Version, error) {
	storeID, err := db.Get(locator(kindProduct, productID))
	if errors.Is(err, durable.ErrNotFound) {
		return nil, catalog.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	place, err := db.Get(versionIDKey(string(storeID), productID, id))
	if err == nil {
		return load[catalog.Version](db.Get, string(place), errLost)
	}
	if !errors.Is(err, durable.ErrNotFound) {
		return nil, err
	}
	return db.unindexedVersion(string(storeID), productID, id)
}

// unindexedVersion finds a version in a product that no version of the program with an index has written.
func (db *DB) unindexedVersion(storeID, productID, id string) (*catalog.Version, error) {
	product, err := load[catalog.Product](db.Get, productKey(storeID, productID), errLost)
	if err != nil {
		return nil, err
	}
	for _, v := range versionsOf(product) {
		if v.ID == id {
			return v, nil
		}
	}
	return nil, catalog.ErrNotFound
}

// Stores implements catalog.Lists.
func (db *DB) Stores(ctx context.Context, merchantID string, skip, limit int) (stores []*catalog.Store, err error) {
	var ids []string
	prefix := merchantStoreKey(merchantID, "")
	if err := db.ScanBack(prefix, "", func(key string, _ []byte) bool {
		if skip--; skip < 0 && limit > 0 {
			ids = append(ids, strings.TrimPrefix(key, prefix))
		}
		return len(ids) < limit
	}); err != nil {
		return nil, err
	}
	for _, id := range ids {
		store, err := db.Store(ctx, id)
		if err != nil {
			return nil, err
		}
		stores = append(stores, store)
	}
	return stores, nil
}

// Products implements catalog.Lists.
func (db *DB) Products(_ context.Context, storeID string, skip, limit int) ([]*catalog.Product, error) {
	return page[catalog.Product](db.ScanBack, productKey(storeID, ""), skip, limit)
}

// Versions implements catalog.Lists.
func (db *DB) Versions(_ context.Context, productID string, skip, limit int) ([]*catalog.Version, error) {
	storeID, err := db.Get(locator(kindProduct, productID))
	if errors.Is(err, durable.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return page[catalog.Version](db.Scan, versionsKey(string(storeID), productID), skip, limit)
}

// page reads a page of the records with a prefix.
func page[T any](scan func(prefix, from string, visit func(string, []byte) bool) error, prefix string, skip, limit int) (list []*T, err error) {
	scanned := scan(prefix, "", func(_ string, value []byte) bool {
		if skip--; skip >= 0 || limit <= 0 {
			return limit > 0
		}
		record := new(T)
		if err = decode(value, record); err != nil {
			return false
		}
		list = append(list, record)
		return len(list) < limit
	})
	return list, errors.Join(scanned, err)
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
	if c.Store != nil {
		w := db.stores.writing(c.Store.ID)
		defer w.end(nil, false) // the next reader reads it
	}
	return db.Update(func(tx *durable.Tx) error {
		if c.Merchant != nil {
			if err := putMerchant(tx, c.Merchant); err != nil {
				return err
			}
		}
		if c.Store != nil {
			if err := putStore(tx, c.Store); err != nil {
				return err
			}
		}
		for _, p := range c.Products {
			if err := putProduct(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func putMerchant(tx *durable.Tx, m *catalog.Merchant) error {
	before, err := load[catalog.Merchant](tx.Get, merchantKey(m.ID), catalog.ErrNotFound)
	if errors.Is(err, catalog.ErrNotFound) {
		before, err = new(catalog.Merchant), nil
	}
	switch {
	case err != nil:
		return err
	case before.Revision != m.Revision:
		return catalog.ErrStale
	}
	next := *m
	next.Revision++
	return save(tx, merchantKey(m.ID), &next)
}

func putStore(tx *durable.Tx, store *catalog.Store) error {
	before, err := load[catalog.Store](tx.Get, storeKey(store.ID), catalog.ErrNotFound)
	if errors.Is(err, catalog.ErrNotFound) {
		before, err = new(catalog.Store), nil
	}
	switch {
	case err != nil:
		return err
	case before.Revision != store.Revision:
		return catalog.ErrStale
	}
	owner, err := tx.Get(slugKey(store.Slug))
	switch {
	case errors.Is(err, durable.ErrNotFound):
		tx.Put(slugKey(store.Slug), []byte(store.ID))
	case err != nil:
		return err
	case string(owner) != store.ID:
		return catalog.ErrSlugTaken
	}
	next := *store
	next.Revision++
	return writeStore(tx, before, &next)
}

// writeStore writes a store with its index entries, except its slug.
func writeStore(tx *durable.Tx, before, store *catalog.Store) error {
	for _, origin := range before.Origins {
		tx.Delete(originKey(origin, store.ID))
	}
	for _, origin := range store.Origins {
		tx.Put(originKey(origin, store.ID), []byte{})
	}
	tx.Put(merchantStoreKey(store.MerchantID, store.ID), []byte{})
	return save(tx, storeKey(store.ID), store)
}

// putProduct writes a product, and each version that it has or had beside it.
func putProduct(tx *durable.Tx, p *catalog.Product) error {
	before, err := load[catalog.Product](tx.Get, productKey(p.StoreID, p.ID), catalog.ErrNotFound)
	if errors.Is(err, catalog.ErrNotFound) {
		before, err = new(catalog.Product), nil
	}
	switch {
	case err != nil:
		return err
	case before.Revision != p.Revision:
		return catalog.ErrStale
	}
	if err := putVersions(tx, p.StoreID, p.ID, append(versionsOf(before), versionsOf(p)...)); err != nil {
		return err
	}
	next := *p
	next.Revision++
	return writeProduct(tx, &next)
}

// writeProduct writes a product with its locator, without its versions.
func writeProduct(tx *durable.Tx, p *catalog.Product) error {
	tx.Put(locator(kindProduct, p.ID), []byte(p.StoreID))
	return save(tx, productKey(p.StoreID, p.ID), p)
}

// versionsOf returns the versions that a product has on sale.
func versionsOf(p *catalog.Product) (versions []*catalog.Version) {
	for _, listing := range []catalog.Listing{p.Test, p.Prod} {
		if listing.Version != nil {
			versions = append(versions, listing.Version)
		}
	}
	return versions
}

// putVersions writes versions of a product with their index.
func putVersions(tx *durable.Tx, storeID, productID string, versions []*catalog.Version) error {
	for _, v := range versions {
		place := versionKey(storeID, productID, v.Number)
		tx.Put(versionIDKey(storeID, productID, v.ID), []byte(place))
		if err := save(tx, place, v); err != nil {
			return err
		}
	}
	return nil
}
