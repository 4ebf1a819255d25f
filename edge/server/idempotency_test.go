package server

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const createSessionPath = "/v1/actions/checkout/create-session"

// createSessionUnder sends a create-session as the demo merchant, under an idempotency key.
func (s *shop) createSessionUnder(t testing.TB, key, currency string) shoptest.Reply {
	t.Helper()
	body, err := json.Marshal(map[string]string{"productId": s.File.Products[0].ID, "currency": currency})
	if err != nil {
		t.Fatal(err)
	}
	return s.signedUnder(t, s.Merchant, key, createSessionPath, string(body))
}

// signedUnder sends a call of a merchant's server, under an idempotency key.
func (s *shop) signedUnder(t testing.TB, merchant *demo.Client, key, path, body string) shoptest.Reply {
	t.Helper()
	header, err := merchant.Sign(path, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	header["X-Idempotency-Key"] = key
	return s.Post(t, path, body, header)
}

// TestIdempotencyKey: a key replays a success byte for byte, is freed by a failure, and belongs to one credential.
func TestIdempotencyKey(t *testing.T) {
	shop := openShop(t)
	first := shop.createSessionUnder(t, "key-1", "EUR")
	if again := shop.createSessionUnder(t, "key-1", "EUR"); first.Status != 200 || again.Body != first.Body {
		t.Errorf("first %s, again %s", first, again)
	}
	if other := shop.createSessionUnder(t, "key-2", "EUR"); other.Body == first.Body {
		t.Error("another key got the same answer")
	}
	if other := shop.createSessionUnder(t, "key-1", "USD"); other.Status != 400 || !strings.Contains(other.Body, "idempotency-key-reused") {
		t.Errorf("another body: %s", other)
	}
	for _, key := range []string{strings.Repeat("k", 257), "a b", "ключ", "a/b"} {
		if got := shop.createSessionUnder(t, key, "EUR"); got.Status != 400 || !strings.Contains(got.Body, "idempotency-key-invalid") {
			t.Errorf("key %q: %s", key, got)
		}
	}
	if got := shop.createSessionUnder(t, "key-3", "XXX"); got.Status != 400 {
		t.Errorf("an unknown currency: %s", got)
	}
	if got := shop.createSessionUnder(t, "key-3", "EUR"); got.Status != 200 {
		t.Errorf("a failure did not free its key: %s", got)
	}

	session := shop.Session(t, nil).SessionID
	order := func(identity string) shoptest.Reply {
		header := shoptest.Bearer(shop.Token(t, identity))
		header["X-Idempotency-Key"] = "key-1"
		return shop.Post(t, shoptest.CreateOrderPath, `{"checkoutSessionId":"`+session+`","buyerEmail":"a@example.com","billingDetail":{"country":"DE","isBusiness":false}}`, header)
	}
	ours := order("user-1")
	if again := order("user-1"); again.Body != ours.Body || ours.Status != 200 {
		t.Errorf("first %s, again %s", ours, again)
	}
	if theirs := order("user-2"); theirs.Body == ours.Body {
		t.Error("another buyer's key replayed the answer")
	}
}

// TestIdempotencyKeyAtOnce: one of many concurrent requests is executed; the others get its answer or a refusal to retry.
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
			answers[fmt.Sprint(got.Status, got.Body)]++
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

// TestIdempotencyKeyMeansOneRequest: requests are compared by their meaning, not by the bytes of the JSON.
func TestIdempotencyKeyMeansOneRequest(t *testing.T) {
	shop := openShop(t)
	product := shop.File.Products[0].ID
	send := func(body string) shoptest.Reply {
		return shop.signedUnder(t, shop.Merchant, "key-1", createSessionPath, body)
	}
	first := send(`{"productId":"` + product + `","currency":"EUR","metadata":{"a":"1","b":"2"}}`)
	if first.Status != 200 {
		t.Fatal(first)
	}
	for _, same := range []string{
		`{ "currency" : "EUR", "productId" : "` + product + `", "metadata":{"b":"2","a":"1"} }`,
		`{"productId":"` + product + `","currency":"\u0045UR","metadata":{"a":"1","b":"2"},"cache":1.50,"storeId":[]}`,
		`{"productId":"` + product + `","currency":"EUR","metadata":{"a":"1","b":"2"},"buyerEmail":null}`,
	} {
		if again := send(same); again.Body != first.Body {
			t.Errorf("%s: %s", same, again)
		}
	}
	for _, other := range []string{
		`{"productId":"` + product + `","currency":"EUR"}`,
		`{"productId":"` + product + `","currency":"EUR","metadata":{"a":"2","b":"1"}}`,
		`{"productId":"` + product + `","currency":"EUR","metadata":{"a":"1","b":"2"},"darkMode":false}`,
	} {
		if again := send(other); again.Status != 400 || !strings.Contains(again.Body, "idempotency-key-reused") {
			t.Errorf("%s: %s", other, again)
		}
	}
}

// TestIdempotencyKeyOfOneEnvironment: the same merchant, path, body and key in the two environments are two requests, also while both
// are running.
func TestIdempotencyKeyOfOneEnvironment(t *testing.T) {
	shop := openShop(t)
	live, err := demo.NewClient(shop.PublicURL, shop.File.MerchantID, shop.File.PrivateKey[checkout.Prod])
	if err != nil {
		t.Fatal(err)
	}
	for round := range 50 {
		key := fmt.Sprint("key-", round)
		body := `{"storeId":"` + shop.File.StoreID + `","buyerIdentity":"user-1"}`
		tokens := make(map[checkout.Environment]string)
		var mu sync.Mutex
		var wait sync.WaitGroup
		for env, merchant := range map[checkout.Environment]*demo.Client{checkout.Test: shop.Merchant, checkout.Prod: live} {
			wait.Go(func() {
				got := shop.signedUnder(t, merchant, key, "/v1/actions/auth/issue-session-token", body)
				var issued struct{ Data struct{ Token string } }
				if err := json.Unmarshal([]byte(got.Body), &issued); err != nil || got.Status != 200 {
					t.Errorf("%s: %s", env, got)
				}
				mu.Lock()
				defer mu.Unlock()
				tokens[env] = issued.Data.Token
			})
		}
		wait.Wait()
		for env, token := range tokens {
			if caller, err := shop.auth.Session(t.Context(), "Bearer "+token, string(env)); err != nil || caller.Environment != env {
				t.Fatalf("round %d: a token for %s: %+v, %v", round, env, caller, err)
			}
		}
	}
	key := idempotency.Key{Credential: []string{"a"}, Path: "/", Value: "k"}
	guard := idempotency.NewGuard(shop.db, time.Now, shop.server.log)
	within := func(env checkout.Environment, call func() ([]byte, error)) string {
		key.Environment = env
		body, err := guard.Do(t.Context(), key, nil, call)
		return fmt.Sprint(string(body), err)
	}
	outer := within(checkout.Test, func() ([]byte, error) {
		inner := within(checkout.Prod, func() ([]byte, error) { return []byte("prod"), nil })
		return []byte("test in " + inner), nil
	})
	if outer != "test in prod<nil><nil>" {
		t.Error(outer)
	}
}

// TestIdempotencyKeyOfOneVisitor: visitors of a store share a credential, but not their keys.
func TestIdempotencyKeyOfOneVisitor(t *testing.T) {
	shop := openShop(t, trusting("127.0.0.0/8"))
	visit := func(address string) string {
		got := shop.Post(t, createSessionPath, `{"productId":"`+shop.File.Products[0].ID+`","currency":"EUR"}`, map[string]string{
			"X-Store-Slug": shop.File.StoreSlug, "X-Environment": "test", "X-Idempotency-Key": "1", "X-Forwarded-For": address})
		if got.Status != 200 {
			t.Fatal(got)
		}
		return got.Body
	}
	first := visit("192.0.2.1")
	if visit("192.0.2.1") != first {
		t.Error("the same visitor's request was carried out again")
	}
	if visit("192.0.2.2") == first {
		t.Error("another visitor got the first one's session")
	}
}

// TestIdempotencyKeyRunning: a key whose call is running is refused, with a Retry-After.
func TestIdempotencyKeyRunning(t *testing.T) {
	shop := openShop(t)
	shop.sandboxes[checkout.Test].Script("slow:500ms")
	session := shop.Session(t, nil).SessionID
	header := shoptest.Bearer(shop.Token(t, "user-1"))
	header["X-Idempotency-Key"] = "key-1"
	body := `{"checkoutSessionId":"` + session + `","buyerEmail":"a@example.com","billingDetail":{"country":"DE","isBusiness":false}}`
	first := make(chan shoptest.Reply, 1)
	go func() { first <- shop.Post(t, shoptest.CreateOrderPath, body, header) }()
	shoptest.Eventually(t, "the first call is at work", func() bool {
		known, _ := shop.db.Session(t.Context(), session)
		return known != nil && known.OrderID != ""
	})
	got := shop.Post(t, shoptest.CreateOrderPath, body, header)
	if got.Status != 409 || !strings.Contains(got.Body, "idempotency-key-in-use") || got.Header.Get("Retry-After") != "5" {
		t.Errorf("%s %v", got, got.Header)
	}
	if again := <-first; again.Status != 200 {
		t.Error(again)
	}
}
