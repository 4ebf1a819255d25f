package badgerstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// TestKeepSessions: a session without an order, and all its keys, are deleted KeepSessions after its expiry, which may have been
// extended. A session with an order is kept.
func TestKeepSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true, KeepSessions: 2 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx := context.Background()
		write := func(c orders.Change) {
			t.Helper()
			if err := db.Commit(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		newSession := func(id string) *sessions.Session {
			return &sessions.Session{Session: checkout.Session{ID: id, Environment: checkout.Test, StoreID: "STO_1",
				ExpiresAt: time.Now().Add(2 * time.Minute).UnixMilli()}}
		}
		left, extended, ordered := newSession("left"), newSession("extended"), newSession("ordered")
		write(orders.Change{Session: left})
		write(orders.Change{Session: extended})
		write(orders.Change{Session: ordered})
		extended.Version, extended.ExpiresAt = 1, time.Now().Add(4*time.Minute).UnixMilli()
		write(orders.Change{Session: extended})
		ordered.Version, ordered.OrderID = 1, "ORD_1"
		write(orders.Change{Session: ordered, Order: &orders.Order{ID: "ORD_1", SessionID: "ordered", Environment: checkout.Test, StoreID: "STO_1",
			Attempts: []orders.Attempt{{N: 1, State: orders.Refused}}}})

		remain := func(want string) {
			t.Helper()
			var found []string
			for _, id := range []string{"left", "extended", "ordered"} {
				if _, err := db.Session(ctx, id); err == nil {
					found = append(found, id)
				} else if !errors.Is(err, orders.ErrNotFound) {
					t.Errorf("%s: %v", id, err)
				}
			}
			if got := strings.Join(found, " "); got != want {
				t.Errorf("after %v: %q, not %q", time.Since(time.UnixMilli(left.ExpiresAt).Add(-2*time.Minute)).Round(time.Second), got, want)
			}
		}
		remain("left extended ordered")
		time.Sleep(4*time.Minute - time.Second)
		remain("left extended ordered")
		time.Sleep(3 * time.Second) // the locator ends first
		remain("extended ordered")
		time.Sleep(2 * time.Minute)
		remain("ordered")
		time.Sleep(2 * time.Minute)
		remain("ordered")

		if err := db.Scan("", "", func(key string, _ []byte) bool {
			if strings.Contains(key, "left") || strings.Contains(key, "extended") {
				t.Errorf("%s is left", key)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Order(ctx, checkout.Test, "ORD_1"); err != nil {
			t.Error(err)
		}
	})
}

// TestKeepDeliveries: a delivery, and all its keys, are deleted after it has succeeded or failed, notify.Retention or as long as it
// says, and not while it is still to be sent.
func TestKeepDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := badgerstore.Open(t.TempDir(), badgerstore.Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		const kept = "44444444-0000-7000-8000-000000000000"
		states := map[string]notify.DeliveryState{"11111111-0000-7000-8000-000000000000": notify.Delivered,
			"22222222-0000-7000-8000-000000000000": notify.Failed, "33333333-0000-7000-8000-000000000000": notify.Pending, kept: notify.Failed}
		for id, state := range states {
			now := time.Now().Add(time.Minute - notify.Retention).UnixMilli() // a bubble's month would take minutes
			d := &notify.Delivery{ID: id, Environment: checkout.Test, StoreID: "STO_1", EndpointID: "e", State: notify.Pending, DueAt: now, CreatedAt: now, UpdatedAt: now}
			if id == kept {
				d.Keep = (notify.Retention + time.Hour).Milliseconds()
			}
			for range 2 { // made and then tried
				if err := db.CommitNotify(t.Context(), notify.Change{Deliveries: []*notify.Delivery{d}}); err != nil {
					t.Fatal(err)
				}
				d.Version++
				if d.State = state; state != notify.Pending {
					d.DueAt = 0
				}
			}
		}
		count := func() (n int) {
			for id := range states {
				if _, err := db.Delivery(t.Context(), checkout.Test, id); err == nil {
					n++
				} else if !errors.Is(err, notify.ErrNotFound) {
					t.Error(err)
				}
			}
			return n
		}
		time.Sleep(time.Minute - 2*time.Second)
		if n := count(); n != 4 {
			t.Errorf("before the end %d are kept", n)
		}
		time.Sleep(2 * time.Minute)
		if n := count(); n != 2 {
			t.Errorf("after the end %d are kept", n)
		}
		if err := db.Scan("", "", func(key string, _ []byte) bool {
			if strings.Contains(key, "11111111") || strings.Contains(key, "22222222") || strings.Contains(key, "eeeeeeee") || strings.Contains(key, "dddddddd") { // the complements
				t.Errorf("%s is left", key)
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	})
}
