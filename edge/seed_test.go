package main

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// foreignSession makes a session of a store that the demo merchant does not own.
func (s *shop) foreignSession(t testing.TB) string {
	t.Helper()
	other, err := catalog.NewDemo(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.db.Put(context.Background(), other.Change()); err != nil {
		t.Fatal(err)
	}
	return s.sessionOf(t, other.Merchant.ID, other.PrivateKeys[checkout.Test], other.Products[0].ID)
}

// subscriptionSession makes a session of the demo store's subscription.
func (s *shop) subscriptionSession(t testing.TB) string {
	t.Helper()
	return s.session(t, map[string]any{"productId": s.file.Products[1].ID}).SessionID
}

// prodSession makes a session of the prod environment.
func (s *shop) prodSession(t testing.TB) string {
	t.Helper()
	return s.sessionOf(t, s.file.MerchantID, s.file.PrivateKey[checkout.Prod], s.file.Products[0].ID)
}

func (s *shop) sessionOf(t testing.TB, merchantID, key, productID string) string {
	t.Helper()
	merchant, err := newDemoMerchant(s.PublicURL, merchantID, key)
	if err != nil {
		t.Fatal(err)
	}
	var session demoSession
	if err := merchant.call("/v1/actions/checkout/create-session", map[string]string{"productId": productID, "currency": "EUR"}, &session); err != nil {
		t.Fatal(err)
	}
	return session.SessionID
}
