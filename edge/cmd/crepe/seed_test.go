package main

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
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

// expiredSession makes a session that ended a second ago.
func (s *shop) expiredSession(t testing.TB) string {
	t.Helper()
	id := s.session(t, nil).SessionID
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

// paidSession makes a session whose order has been paid.
func (s *shop) paidSession(t testing.TB, token string) string {
	t.Helper()
	id := s.session(t, nil).SessionID
	s.pay(t, s.createOrder(t, token, orderFor(id)).checkoutURL(t))
	eventually(t, "the session is closed", func() bool {
		session, _ := s.stored(t, id)
		return session.Closed
	})
	return id
}

// shopperToken issues a token for a session to anyone who has its link.
func (s *shop) shopperToken(t testing.TB, session string) string {
	t.Helper()
	got := s.post(t, "/v1/actions/auth/issue-shopper-token", `{"checkoutSessionId":"`+session+`"}`,
		map[string]string{"X-Store-Slug": s.file.StoreSlug, "X-Environment": "test"})
	var issued struct{ Data struct{ Token string } }
	if err := json.Unmarshal([]byte(got.body), &issued); err != nil || issued.Data.Token == "" {
		t.Fatal(got)
	}
	return issued.Data.Token
}

// usedToken is a shopper's token that has had its order.
func (s *shop) usedToken(t testing.TB) string {
	t.Helper()
	id := s.session(t, nil).SessionID
	token := s.shopperToken(t, id)
	s.createOrder(t, token, orderFor(id)).checkoutURL(t)
	return token
}

func orderFor(session string) map[string]any {
	return map[string]any{"checkoutSessionId": session, "buyerEmail": "ada@example.com",
		"billingDetail": map[string]any{"country": "DE", "isBusiness": false}}
}

// orderBody is the same in JSON.
func orderBody(session string) string {
	return `{"checkoutSessionId":"` + session + `","buyerEmail":"ada@example.com","billingDetail":{"country":"DE","isBusiness":false}}`
}
