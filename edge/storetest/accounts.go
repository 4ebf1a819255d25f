package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/record"
)

// merchantRevisions: a merchant's record is written by compare-and-set, so that no key is lost or comes back.
func merchantRevisions(s record.Store) error {
	m := &catalog.Merchant{ID: fresh("MER"), Name: "A"}
	if err := s.Put(background, catalog.Change{Merchant: m}); err != nil {
		return err
	}
	if err := want("a second new one", s.Put(background, catalog.Change{Merchant: m}), catalog.ErrStale); err != nil {
		return err
	}
	never := &catalog.Merchant{ID: fresh("MER"), Revision: 3}
	if err := want("one that was never written", s.Put(background, catalog.Change{Merchant: never}), catalog.ErrStale); err != nil {
		return err
	}
	won, lost := race(func(racer int) error { return addKey(s, m.ID, fmt.Sprint("APIKEY_", racer)) })
	if won != racers {
		return lost[0]
	}
	stored, err := s.Merchant(background, m.ID)
	if err != nil || len(stored.Keys) != racers {
		return fmt.Errorf("%d writers added %d keys, %v", racers, len(stored.Keys), err)
	}
	return nil
}

// addKey reads, changes and writes a merchant until nobody else has written in between.
func addKey(s record.Store, merchantID, id string) error {
	for {
		m, err := s.Merchant(background, merchantID)
		if err != nil {
			return err
		}
		m.Keys = append(m.Keys, catalog.APIKey{ID: id, Environment: checkout.Test, PublicKey: id})
		if err := s.Put(background, catalog.Change{Merchant: m}); !errors.Is(err, catalog.ErrStale) {
			return err
		}
	}
}

func merchantPages(s record.Store) error {
	var wanted []string
	for range 5 {
		m := &catalog.Merchant{ID: fresh("MER"), Name: "A"}
		wanted = append(wanted, m.ID)
		store := &catalog.Store{ID: fresh("STO"), Slug: fresh("shop"), MerchantID: m.ID}
		if err := s.Put(background, catalog.Change{Merchant: m, Store: store}); err != nil {
			return err
		}
	}
	for _, limit := range []int{1, 2, 1000} {
		var listed []string
		for after := ""; ; {
			page, err := s.Merchants(background, after, limit)
			if err != nil || len(page) > limit {
				return cmp.Or(err, fmt.Errorf("a page of %d has %d", limit, len(page)))
			}
			for _, m := range page {
				listed = append(listed, m.ID)
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].ID
		}
		if !slices.IsSorted(listed) {
			return fmt.Errorf("not sorted: %v", listed)
		}
		listed = slices.DeleteFunc(listed, func(id string) bool { return !slices.Contains(wanted, id) }) // other checks share the store
		if !reflect.DeepEqual(listed, wanted) {
			return fmt.Errorf("by pages of %d: %v, want %v", limit, listed, wanted)
		}
	}
	return nil
}
