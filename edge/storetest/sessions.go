package storetest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
)

// sessionLists: sessions are listed newest first, by pages, and in their store and environment only.
func sessionLists(s record.Store) error {
	one, two := fresh("STO"), fresh("STO")
	put := func(env checkout.Environment, store string, createdAt int64) (string, error) {
		session := newSession(env)
		session.StoreID, session.CreatedAt, session.ExpiresAt = store, createdAt, 5e12
		return session.ID, need("a session", s.Commit(background, orders.Change{Session: session}))
	}
	var wanted []string
	for i := range 7 {
		id, err := put(checkout.Test, []string{one, two}[i%2], 1000+int64(i))
		_, other := put(checkout.Prod, one, 2000+int64(i))
		_, third := put(checkout.Test, fresh("STO"), 3000+int64(i))
		if err := cmp.Or(err, other, third); err != nil {
			return err
		}
		wanted = append(wanted, id)
	}
	slices.Reverse(wanted)
	for _, limit := range []int{1, 3, 100} {
		if err := listedSessions(s, []string{one, two}, limit, wanted); err != nil {
			return err
		}
	}
	// The order of a session does not list it twice.
	session, err := s.Session(background, wanted[0])
	if err != nil {
		return err
	}
	o := newOrder(session)
	session.OrderID = o.ID
	if err := need("an order", s.Commit(background, orders.Change{Session: session, Order: o})); err != nil {
		return err
	}
	return cmp.Or(listedSessions(s, []string{one, two}, 100, wanted), listedSessions(s, []string{fresh("STO")}, 100, nil), listedSessions(s, nil, 100, nil))
}

func listedSessions(s record.Store, stores []string, limit int, wanted []string) error {
	var ids []string
	for after := ""; ; {
		page, err := s.Sessions(background, checkout.Test, stores, after, limit)
		if err != nil || len(page.Items) > limit || len(page.Items) == 0 && page.Next != "" {
			return fmt.Errorf("a page of at most %d has %d sessions, then %q: %w", limit, len(page.Items), page.Next, err)
		}
		for _, one := range page.Items {
			ids = append(ids, one.ID)
		}
		if after = page.Next; after == "" || len(ids) > len(wanted) {
			break
		}
	}
	if !slices.Equal(ids, wanted) {
		return fmt.Errorf("sessions by %d are %v, want %v", limit, ids, wanted)
	}
	return nil
}
