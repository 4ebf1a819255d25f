package badgerstore

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/durable"
)

// buildCatalog adds the index of a merchant's stores and the versions of products. Writing them again changes nothing.
func (db *DB) buildCatalog() error {
	var stores []*catalog.Store
	var products []*catalog.Product
	err := db.Scan(shared+"/", "", func(key string, value []byte) bool {
		parts := strings.Split(key, "/")
		switch {
		case len(parts) == 3 && parts[1] != "-" && parts[2] == "st":
			store := new(catalog.Store)
			if db.readable(key, decode(value, store)) {
				stores = append(stores, store)
			}
		case len(parts) == 4 && parts[1] != "-" && parts[2] == kindProduct:
			p := new(catalog.Product)
			if db.readable(key, decode(value, p)) {
				products = append(products, p)
			}
		}
		return true
	})
	for batch := range slices.Chunk(stores, buildBatch) {
		err = cmp.Or(err, db.Update(func(tx *durable.Tx) error {
			for _, store := range batch {
				tx.Put(merchantStoreKey(store.MerchantID, store.ID), []byte{})
			}
			return nil
		}))
	}
	for batch := range slices.Chunk(products, buildBatch) {
		err = cmp.Or(err, db.Update(func(tx *durable.Tx) error {
			for _, p := range batch {
				if err := putVersions(tx, p.StoreID, p.ID, versionsOf(p)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return err
}

// readable reports whether a record could be read. One that could not is in no list, and does not keep the server from starting.
func (db *DB) readable(key string, err error) bool {
	if err != nil {
		db.log.Error("a record cannot be read and is in no list", "key", key, "error", err)
	}
	return err == nil
}
