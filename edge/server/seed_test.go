package server

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// foreign seeds a merchant who is not the demo merchant.
func (s *shop) foreign(t testing.TB) *catalog.Demo {
	t.Helper()
	other, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Put(context.Background(), other.Change()); err != nil {
		t.Fatal(err)
	}
	return other
}

// foreignProduct is a product of a store that the demo merchant does not own.
func (s *shop) foreignProduct(t testing.TB) string {
	t.Helper()
	return s.foreign(t).Products[0].ID
}

// foreignSession creates a session of a store that the demo merchant does not own.
func (s *shop) foreignSession(t testing.TB) string {
	t.Helper()
	other := s.foreign(t)
	return s.SessionOf(t, other.Merchant.ID, other.PrivateKeys[checkout.Test], other.Products[0].ID)
}

// expiredSession creates a session that expired a second ago.
func (s *shop) expiredSession(t testing.TB) string {
	t.Helper()
	id := s.Session(t, nil).SessionID
	session, err := s.db.Session(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	session.ExpiresAt = time.Now().Add(-time.Second).UnixMilli()
	if err := s.db.Commit(context.Background(), orders.Change{Session: session}); err != nil {
		t.Fatal(err)
	}
	return id
}

// paidSession creates a session whose order has been paid.
func (s *shop) paidSession(t testing.TB, token string) string {
	t.Helper()
	id := s.Session(t, nil).SessionID
	s.Pay(t, s.CreateOrder(t, token, shoptest.OrderFor(id)).CheckoutURL(t))
	shoptest.Eventually(t, "the session is closed", func() bool {
		session, _ := s.stored(t, id)
		return session.Closed
	})
	return id
}

// usedToken returns a shopper's token that has been used up by an order.
func (s *shop) usedToken(t testing.TB) string {
	t.Helper()
	id := s.Session(t, nil).SessionID
	token := s.ShopperToken(t, id)
	s.CreateOrder(t, token, shoptest.OrderFor(id)).CheckoutURL(t)
	return token
}
