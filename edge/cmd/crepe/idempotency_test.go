package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/goccy/go-json"
)

// createSessionUnder sends a create-session as the demo merchant, under an idempotency key.
func (s *shop) createSessionUnder(t testing.TB, key, currency string) reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"productId": s.file.Products[0].ID, "currency": currency})
	if err != nil {
		t.Fatal(err)
	}
	const path = "/v1/actions/checkout/create-session"
	header, err := s.merchant.sign(path, body)
	if err != nil {
		t.Fatal(err)
	}
	header["X-Idempotency-Key"] = key
	return s.post(t, path, string(body), header)
}

// TestIdempotencyKey: a key repeats a success to the byte, is freed by a failure, and belongs to one credential.
func TestIdempotencyKey(t *testing.T) {
	shop := openShop(t)
	first := shop.createSessionUnder(t, "key-1", "EUR")
	if again := shop.createSessionUnder(t, "key-1", "EUR"); first.status != 200 || again.body != first.body {
		t.Errorf("first %s, again %s", first, again)
	}
	if other := shop.createSessionUnder(t, "key-2", "EUR"); other.body == first.body {
		t.Error("another key got the same answer")
	}
	if other := shop.createSessionUnder(t, "key-1", "USD"); other.status != 400 || !strings.Contains(other.body, "idempotency-key-reused") {
		t.Errorf("another body: %s", other)
	}
	for _, key := range []string{strings.Repeat("k", 257), "a b", "ключ", "a/b"} {
		if got := shop.createSessionUnder(t, key, "EUR"); got.status != 400 || !strings.Contains(got.body, "idempotency-key-invalid") {
			t.Errorf("key %q: %s", key, got)
		}
	}
	if got := shop.createSessionUnder(t, "key-3", "XXX"); got.status != 400 {
		t.Errorf("an unknown currency: %s", got)
	}
	if got := shop.createSessionUnder(t, "key-3", "EUR"); got.status != 200 {
		t.Errorf("a failure did not free its key: %s", got)
	}

	session := shop.session(t, nil).SessionID
	order := func(identity string) reply {
		header := bearer(shop.token(t, identity))
		header["X-Idempotency-Key"] = "key-1"
		return shop.post(t, createOrderPath, `{"checkoutSessionId":"`+session+`","buyerEmail":"a@example.com","billingDetail":{"country":"DE","isBusiness":false}}`, header)
	}
	ours := order("user-1")
	if again := order("user-1"); again.body != ours.body || ours.status != 200 {
		t.Errorf("first %s, again %s", ours, again)
	}
	if theirs := order("user-2"); theirs.body == ours.body {
		t.Error("another buyer's key replayed the answer")
	}
}

// TestIdempotencyKeyAtOnce: one of many that come together does the work; the others are told to wait or get its answer.
func TestIdempotencyKeyAtOnce(t *testing.T) {
	shop := openShop(t)
	const clients = 16
	var mu sync.Mutex
	answers := make(map[string]int)
	var wait sync.WaitGroup
	for range clients {
		wait.Go(func() {
			got := shop.createSessionUnder(t, "key-1", "EUR")
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprint(got.status, got.body)]++
		})
	}
	wait.Wait()
	successes := 0
	for answer := range answers {
		if strings.HasPrefix(answer, "200") {
			successes++
		} else if !strings.HasPrefix(answer, "409") {
			t.Errorf("got %s", answer)
		}
	}
	if successes != 1 {
		t.Errorf("%d different sessions: %v", successes, answers)
	}
}
