package badgerstore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/durable"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// TestBuild takes the indexes from a database, as if a version without them had written it, and lets a start build them: once at a
// stretch, and once after a build that was interrupted. Both have the entries and counts of before.
func TestBuild(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		t.Run(fmt.Sprint(interrupted), func(t *testing.T) {
			dir := t.TempDir()
			db := openNoSync(t, dir)
			for i := range 2*buildBatch + 7 {
				putOrder(t, db, i)
			}
			want := indexes(t, db)
			if len(want) < 5*buildBatch {
				t.Fatalf("%d entries", len(want))
			}
			unindex(t, db)
			if left := indexes(t, db); len(left) != 0 {
				t.Fatalf("left: %v", left)
			}
			if interrupted {
				var some []string
				db.Scan("test/", "", func(key string, value []byte) bool {
					if strings.Contains(key, "/or/") {
						some = append(some, key)
					}
					return len(some) < 5
				})
				if err := db.Update(func(tx *durable.Tx) error { return db.indexOrders(tx, some) }); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = openNoSync(t, dir)
			defer db.Close()
			got := indexes(t, db)
			for key, value := range want {
				if got[key] != value {
					t.Errorf("%s is %q, not %q", key, got[key], value)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d entries, not %d", len(got), len(want))
			}
			page, err := db.Orders(t.Context(), orders.List{Environment: checkout.Test, Stores: []string{"STO_1"}, ExternalID: "number-3", Limit: 9})
			if err != nil || len(page.Orders) != 1 || page.Orders[0].ID != "ORD_0003" {
				t.Fatalf("by external id: %+v, %v", page, err)
			}
			if err := db.Commit(t.Context(), orders.Change{Order: page.Orders[0]}); err != nil {
				t.Error(err)
			}
		})
	}
}

func openNoSync(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(dir, Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// putOrder writes an order; every third is paid, every fifth is not visible.
func putOrder(t *testing.T, db *DB, i int) {
	t.Helper()
	session := &sessions.Session{Session: checkout.Session{ID: fmt.Sprintf("cs_%04d", i), Environment: checkout.Test, StoreID: "STO_1"},
		OrderID: fmt.Sprintf("ORD_%04d", i), ExternalID: fmt.Sprintf("number-%d", i)}
	o := &orders.Order{ID: session.OrderID, SessionID: session.ID, StoreID: "STO_1", Environment: checkout.Test, State: orders.AwaitingPayment,
		CreatedAt: int64(i), Attempts: []orders.Attempt{{N: 1, State: orders.Open, URL: "https://pay.example", Placed: checkout.Order{
			BuyerEmail: "ada@example.com", BuyerIdentity: "user", Quote: checkout.Quote{Currency: "EUR", Assessment: tax.Assessment{Total: 100}}}}}}
	switch {
	case i%5 == 0:
		o.State, o.Attempts[0].URL = orders.Pending, ""
	case i%3 == 0:
		o.State, o.Attempts[0].State = orders.Paid, orders.Settled
		o.Payments = []orders.Payment{{ID: fmt.Sprintf("PAY_%04d", i), Attempt: 1, Status: orders.Succeeded, At: int64(i) * 3_600_000}}
	}
	if err := db.Commit(t.Context(), orders.Change{Session: session, Order: o}); err != nil {
		t.Fatal(err)
	}
}

// indexes returns every key of an index with its value.
func indexes(t *testing.T, db *DB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := db.Scan("", "", func(key string, value []byte) bool {
		for _, kind := range []string{"/ol/", "/pl/", "/oc/", "/sd/", "/at/" + kindPayment + "/", "/or/"} {
			if !strings.Contains(key, kind) {
				continue
			}
			if kind == "/or/" {
				if m, _, err := unseal(value); err == nil && len(m.tokens) > 0 {
					found[key] = string(m.tokens.append(nil))
				}
				continue
			}
			found[key] = string(value)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unindex writes the orders as the version before the indexes did, and deletes the rest.
func unindex(t *testing.T, db *DB) {
	t.Helper()
	all := indexes(t, db)
	err := db.Scan("test/", "", func(key string, value []byte) bool {
		if strings.Contains(key, "/or/") {
			m, text, err := unseal(value)
			if err != nil {
				t.Fatal(err)
			}
			all[key] = string(stamp{version: m.version, when: m.when}.seal(text))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *durable.Tx) error {
		for key, value := range all {
			if strings.Contains(key, "/or/") {
				tx.Put(key, []byte(value))
			} else {
				tx.Delete(key)
			}
		}
		tx.Delete(builtKey)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
