package pgstore_test

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/pgstore"
)

// TestLongCount: a long count is kept, by its list; a short one is exact.
func TestLongCount(t *testing.T) {
	db := open(t, pgstore.Options{})
	all := orders.List{Environment: checkout.Test, Stores: []string{"STO_1", "STO_2"}}
	completed := all
	completed.Statuses = []string{"completed"}
	want := func(l orders.List, want int) {
		t.Helper()
		if n, err := db.CountOrders(background, l); err != nil || n != want {
			t.Errorf("%v: %d, %v; want %d", l.Statuses, n, err, want)
		}
	}
	sell := func() {
		s := newSale(t, db)
		if err := s.create(db)(); err != nil {
			t.Fatal(err)
		}
	}
	sell()
	want(all, 1)
	sell()
	want(all, 2)
	db.KeepCountsFrom(2)
	want(all, 2)
	sell()
	want(all, 2)
	want(completed, 0)
}
