package auth

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func TestCustomer(t *testing.T) {
	w := newWorld(t)
	issued, err := w.IssueCustomer(t.Context(), merchantIn(checkout.Test),
		TokenRequest{BuyerIdentity: buyer, ProductID: demo().Products[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Truncate(time.Second).Add(5 * time.Minute).UnixMilli(); issued.ExpiresAt != want {
		t.Errorf("expires at %d, want %d", issued.ExpiresAt, want)
	}
	got, err := w.test(t, issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	want := Caller{Role: Customer, Environment: checkout.Test, StoreID: demo().Store.ID, Identity: buyer, Token: got.Token}
	if got != want || got.Token.ID == "" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if want := start.Truncate(time.Second).Add(time.Hour).UnixMilli(); got.Token.ExpiresAt != want {
		t.Errorf("the token ends at %d, want %d", got.Token.ExpiresAt, want)
	}
	if got := got.Checkout(); got != (checkout.Caller{Environment: checkout.Test, StoreID: demo().Store.ID, Identity: buyer}) {
		t.Errorf("create-order sees %+v", got)
	}
}

func TestShopper(t *testing.T) {
	w := newWorld(t)
	issued, err := w.IssueShopper(t.Context(), visitor(), openSession())
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.test(t, issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	end := start.Truncate(time.Second).Add(time.Minute).UnixMilli()
	want := Caller{
		Role: Shopper, Environment: checkout.Test, StoreID: demo().Store.ID, SessionID: sessionID,
		Token: Token{ID: got.Token.ID, ExpiresAt: end},
	}
	if got != want || got.Token.ID == "" || issued.ExpiresAt != end {
		t.Errorf("got %+v until %d, want %+v", got, issued.ExpiresAt, want)
	}
}

// TestShopperEnds: a minute, or one order.
func TestShopperEnds(t *testing.T) {
	w := newWorld(t)
	token := w.shopper(t)
	for _, at := range []time.Duration{0, 30 * time.Second, 59*time.Second + 499*time.Millisecond} {
		w.now = start.Add(at)
		if _, err := w.test(t, token); err != nil {
			t.Errorf("after %v: %v", at, err)
		}
	}
	w.now = start.Add(59*time.Second + 500*time.Millisecond) // a minute after the second in which it was issued
	got, err := w.test(t, token)
	checkRefused(t, got, err, checkout.AuthenticationFailed)

	token = w.shopper(t)
	caller, err := w.test(t, token)
	if err != nil {
		t.Fatal(err)
	}
	w.memory.spend(checkout.Test, caller.Token)
	if got, err = w.test(t, token); err != nil || !got.Spent || caller.Spent {
		t.Errorf("a token that has had its order: %+v, %v; before: %+v", got, err, caller)
	}
	if w.memory.touches != 0 {
		t.Errorf("a shopper's token was renewed %d times", w.memory.touches)
	}
}

// TestCustomerLives walks through a token's life: what it is asked, and how long after issue it must still answer.
func TestCustomerLives(t *testing.T) {
	const tick = time.Millisecond
	begin := start.Truncate(time.Second)
	for name, steps := range map[string][]struct {
		at    time.Duration // since begin
		alive bool
	}{
		"unused":                {{5*time.Minute - tick, true}},
		"unused for too long":   {{5 * time.Minute, false}},
		"renewed":               {{4 * time.Minute, true}, {8 * time.Minute, true}, {12 * time.Minute, true}},
		"renewed at once":       {{time.Second, true}, {5 * time.Minute, true}},
		"renewed, then too old": {{4 * time.Minute, true}, {9*time.Minute + touchEvery, false}},
		"never early":           {{time.Minute, true}, {69 * time.Second, true}, {6*time.Minute + 8*time.Second, true}},
		"dead stays dead":       {{6 * time.Minute, false}, {6*time.Minute + tick, false}},
		"an hour in all": {{4 * time.Minute, true}, {8 * time.Minute, true}, {12 * time.Minute, true}, {16 * time.Minute, true},
			{20 * time.Minute, true}, {24 * time.Minute, true}, {28 * time.Minute, true}, {32 * time.Minute, true},
			{36 * time.Minute, true}, {40 * time.Minute, true}, {44 * time.Minute, true}, {48 * time.Minute, true},
			{52 * time.Minute, true}, {56 * time.Minute, true}, {time.Hour - tick, true}, {time.Hour, false}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token := w.customer(t, checkout.Test)
			for _, step := range steps {
				w.now = begin.Add(step.at)
				got, err := w.test(t, token)
				if step.alive != (err == nil) {
					t.Fatalf("after %v: %v, want alive: %t", step.at, err, step.alive)
				}
				if !step.alive {
					checkRefused(t, got, err, checkout.AuthenticationFailed)
				}
			}
		})
	}
}

// TestTouchesAreFew: a burst of calls is written down once.
func TestTouchesAreFew(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	for range 100 {
		w.now = w.now.Add(200 * time.Millisecond) // 20 s in all
		if _, err := w.test(t, token); err != nil {
			t.Fatal(err)
		}
	}
	if w.memory.touches != 2 {
		t.Errorf("%d touches, want 2", w.memory.touches)
	}
}

// TestSessionHeaders: what stands in the two headers before anything is verified.
func TestSessionHeaders(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	if _, err := w.Session(t.Context(), "bearer "+token, "test"); err != nil {
		t.Errorf("the scheme is not case-sensitive (RFC 9110 §11.1): %v", err)
	}
	for _, environment := range []string{"", "Test", "production", "test,prod", " test"} {
		got, err := w.Session(t.Context(), "Bearer "+token, environment)
		checkRefused(t, got, err, incompleteHeaders)
	}
	for _, authorization := range []string{
		"", "Bearer", "Bearer ", token, "Basic " + token, "Bearer\t" + token, "Bearer  " + token, "Bearer " + token + " ",
		"Bearer " + token + ", Bearer " + token,
	} {
		got, err := w.Session(t.Context(), authorization, "test")
		checkRefused(t, got, err, checkout.AuthenticationFailed)
	}
	got, err := w.Session(t.Context(), "", "")
	checkRefused(t, got, err, checkout.AuthenticationFailed)
}

// TestEnvironmentsApart (J4): the header chooses the keys, and the keys of one know nothing of the other's tokens.
func TestEnvironmentsApart(t *testing.T) {
	w := newWorld(t)
	for token, elsewhere := range map[string]string{w.customer(t, checkout.Test): "prod", w.customer(t, checkout.Prod): "test"} {
		got, err := w.Session(t.Context(), "Bearer "+token, elsewhere)
		checkRefused(t, got, err, checkout.AuthenticationFailed)
	}
	if got, err := w.Session(t.Context(), "Bearer "+w.customer(t, checkout.Prod), "prod"); err != nil ||
		got.Environment != checkout.Prod {
		t.Errorf("at home: %+v, %v", got, err)
	}
}

// TestOneTextForAll (J7): whatever is wrong, the caller reads the same, and the reason holds no credential.
func TestOneTextForAll(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	for _, attack := range []string{"", "x", token + "x", token[:len(token)-2]} {
		_, err := w.test(t, attack)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Problem.Error() != "Authentication failed" {
			t.Errorf("%q: %v", attack, err)
		} else if strings.Contains(refusal.Error(), token[:20]) {
			t.Errorf("the log would hold the token: %v", refusal)
		}
	}
}

// TestStoreFailures: a database that is down is not the caller's fault.
func TestStoreFailures(t *testing.T) {
	down := errors.New("the disk is gone")
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	request := signed(w.now, "/v1/actions/x", nil)
	w.memory.fault = down
	_, session := w.test(t, token)
	_, key := w.APIKey(t.Context(), request)
	_, store := w.Storefront(t.Context(), demo().Store.Slug, "test")
	_, issue := w.IssueCustomer(t.Context(), merchantIn(checkout.Test), TokenRequest{BuyerIdentity: buyer, StoreID: demo().Store.ID})
	_, fresh := w.another().Session(t.Context(), "Bearer "+token, "test")
	for name, err := range map[string]error{
		"session": session, "key": key, "store": store, "issue": issue, "fresh": fresh, "rotate": w.Rotate(t.Context()),
	} {
		var refusal *Refusal
		if !errors.Is(err, down) || errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzSession: whatever is shown, only a token that was issued is believed, and everything else is refused in one way.
func FuzzSession(f *testing.F) {
	w := newWorld(f)
	issued := map[string]bool{w.customer(f, checkout.Test): true, w.shopper(f): true}
	for token := range issued {
		forge := newForger(f, w, token)
		f.Add(token)
		f.Add(forge.sign(forge.header, forge.payload(map[string]string{"exp": "1e309"})))
		f.Add(forge.sign(strings.Replace(forge.header, "{", `{"alg":"none",`, 1), forge.payload(nil)))
		f.Add((&forger{secret: []byte("x")}).sign(forge.header, forge.payload(nil)))
		f.Add(token[:strings.LastIndexByte(token, '.')+1])
	}
	f.Add("")
	f.Add("..")
	f.Add(strings.Repeat(".", 5000))
	f.Add(string(bytes.Repeat([]byte{0xff}, 100)))
	f.Fuzz(func(t *testing.T, token string) {
		got, err := w.test(t, token)
		if issued[token] {
			if err != nil {
				t.Errorf("our own token: %v", err)
			}
			return
		}
		checkRefused(t, got, err, checkout.AuthenticationFailed)
	})
}
