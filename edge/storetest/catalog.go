package storetest

import (
	"cmp"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// dated returns an id of a time: the ids of records that are listed sort by it.
func dated(prefix string, second int64) string {
	return shortid.Format(prefix, shortid.NewV7(time.Unix(1_800_000_000+second, 0), counter{}))
}

// counter is a source of bytes that do not repeat.
type counter struct{}

func (counter) Read(p []byte) (int, error) { return copy(p, fmt.Sprintf("%016d", last.Add(1))), nil }

// lists checks that stores, products and versions are listed by owner, the newest first, with all versions of a product.
func lists(s record.Store) error {
	merchant := fresh("MER")
	var stores []*catalog.Store
	for i := range int64(3) {
		store := &catalog.Store{ID: dated(shortid.Store, i), MerchantID: merchant, Slug: fresh("shop"), Name: fmt.Sprint(i)}
		foreign := &catalog.Store{ID: dated(shortid.Store, i), MerchantID: merchant + "x", Slug: fresh("shop")}
		if err := cmp.Or(s.Put(background, catalog.Change{Store: store}), s.Put(background, catalog.Change{Store: foreign})); err != nil {
			return err
		}
		stores = append(stores, store)
	}
	if err := cmp.Or(
		listed("stores", names(s.Stores(background, merchant, 0, 2)), "2 1"), listed("the other stores", names(s.Stores(background, merchant, 2, 2)), "0"),
		listed("no stores", names(s.Stores(background, merchant, 3, 2)), ""), listed("0 stores", names(s.Stores(background, merchant, 0, 0)), ""),
		listed("an unknown merchant's stores", names(s.Stores(background, "x", 0, 9)), "")); err != nil {
		return err
	}
	for i := range int64(3) {
		p := &catalog.Product{ID: dated(shortid.Product, i), StoreID: stores[i/2].ID, Test: catalog.Listing{Version: &catalog.Version{ID: "PVER_1", Number: 1, Name: fmt.Sprint(i)}}}
		if err := s.Put(background, catalog.Change{Products: []*catalog.Product{p}}); err != nil {
			return err
		}
	}
	return cmp.Or(
		listed("products", productNames(s.Products(background, stores[0].ID, 0, 9)), "1 0"),
		listed("a page of products", productNames(s.Products(background, stores[0].ID, 1, 1)), "0"),
		listed("another store's products", productNames(s.Products(background, stores[1].ID, 0, 9)), "2"),
		listed("no products", productNames(s.Products(background, stores[2].ID, 0, 9)), ""),
		versions(s, stores[2].ID))
}

func versions(s record.Store, storeID string) error {
	p := &catalog.Product{ID: dated(shortid.Product, 9), StoreID: storeID}
	for n := range 300 {
		p.Test.Version = &catalog.Version{ID: fmt.Sprintf("PVER_%d", n+1), Number: n + 1, Name: fmt.Sprint(n + 1)}
		if err := s.Put(background, catalog.Change{Products: []*catalog.Product{p}}); err != nil {
			return err
		}
		p.Revision++
	}
	_, errUnknown := s.Version(background, p.ID, "PVER_301")
	_, errForeign := s.Version(background, dated(shortid.Product, 9), "PVER_1")
	first, err := s.Version(background, p.ID, "PVER_1")
	if err == nil && first.Name != "1" {
		err = fmt.Errorf("the first version is %+v", first)
	}
	newest, errList := s.Versions(background, p.ID, 254, 3)
	var got string
	for _, v := range newest {
		got += " " + v.Name
	}
	return cmp.Or(err, errList, listed("versions", got, " 46 45 44"), want("an unknown version", errUnknown, catalog.ErrNotFound),
		want("an unknown product's version", errForeign, catalog.ErrNotFound))
}

func listed(what, got, wanted string) error {
	if got != wanted {
		return fmt.Errorf("%s: %q, want %q", what, got, wanted)
	}
	return nil
}

// names are the names of stores with spaces between them, or the error.
func names(stores []*catalog.Store, err error) (text string) {
	for i, s := range stores {
		if i > 0 {
			text += " "
		}
		text += s.Name
	}
	if err != nil {
		text += err.Error()
	}
	return text
}

func productNames(products []*catalog.Product, err error) string {
	stores := make([]*catalog.Store, len(products))
	for i, p := range products {
		stores[i] = &catalog.Store{Name: p.Test.Version.Name}
	}
	return names(stores, err)
}
