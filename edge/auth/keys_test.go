package auth

import (
	"bytes"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// testKeys are the ids of the test environment's keys, oldest first.
func (w *world) testKeys(t *testing.T) (ids []string) {
	t.Helper()
	keys, err := w.memory.SigningKeys(t.Context(), checkout.Test)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range alive(keys, w.now) {
		ids = append([]string{k.ID}, ids...)
	}
	if len(ids) != len(keys) {
		t.Errorf("%d keys, of which %d live", len(keys), len(ids))
	}
	return ids
}

func (w *world) rotateAfter(t *testing.T, d time.Duration) {
	t.Helper()
	w.now = w.now.Add(d)
	if err := w.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// signer is the id of the key that a process signs with in test.
func signerOf(t *testing.T, s *Service) string {
	t.Helper()
	ring, err := s.ring(t.Context(), checkout.Test)
	if err != nil {
		t.Fatal(err)
	}
	return decodedKid(t, decoded(ring.signer.header))
}

// TestRotation (J8) follows two keys through their lives, with a second process that never rotates.
func TestRotation(t *testing.T) {
	w := newWorld(t)
	other := w.another()
	first := w.testKeys(t)
	if len(first) != 1 || len(w.memory.keys) != 2 {
		t.Fatalf("keys at start: %v of %d", first, len(w.memory.keys))
	}

	w.rotateAfter(t, signFor-time.Millisecond)
	if got := w.testKeys(t); len(got) != 1 {
		t.Fatalf("a key was made before the month was over: %v", got)
	}
	last := w.customer(t, checkout.Test)
	if _, err := other.Session(t.Context(), "Bearer "+last, "test"); err != nil {
		t.Fatal(err)
	}

	w.rotateAfter(t, time.Millisecond)
	both := w.testKeys(t)
	if len(both) != 2 || both[0] != first[0] {
		t.Fatalf("after a month: %v", both)
	}
	if got := signerOf(t, w.Service); got != first[0] {
		t.Errorf("%s signs before every process can know it", got)
	}
	w.now = w.now.Add(publishFor)
	if got := signerOf(t, w.Service); got != both[1] {
		t.Errorf("%s signs after it was published", got)
	}
	fresh := w.customer(t, checkout.Test)
	for name, token := range map[string]string{"old": last, "new": fresh} {
		if _, err := other.Session(t.Context(), "Bearer "+token, "test"); err != nil {
			t.Errorf("the %s key's token at another process: %v", name, err)
		}
	}

	w.rotateAfter(t, retireFor-publishFor-time.Millisecond)
	if got := w.testKeys(t); len(got) != 2 {
		t.Errorf("the old key is gone while a token of it can live: %v", got)
	}
	w.rotateAfter(t, time.Millisecond)
	if got := w.testKeys(t); len(got) != 1 || got[0] != both[1] {
		t.Errorf("the old key was not removed: %v", got)
	}
}

// TestOldKeyOutlivesItsTokens: the last token that an old key can sign is good to its very end.
func TestOldKeyOutlivesItsTokens(t *testing.T) {
	w := newWorld(t)
	w.rotateAfter(t, signFor)
	made := w.now
	slow := w.another() // looks at the keys just before the new one may sign, and not again for as long as it need not
	w.now = made.Add(publishFor - time.Millisecond)
	old := signerOf(t, slow)
	w.now = w.now.Add(ringAge - time.Millisecond)
	if signerOf(t, slow) != old {
		t.Fatal("the slow process has looked again")
	}
	issued, err := slow.IssueCustomer(t.Context(), merchantIn(checkout.Test),
		TokenRequest{BuyerIdentity: buyer, StoreID: demo().Store.ID})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := w.test(t, issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.UnixMilli(caller.Token.ExpiresAt - 1); w.now.Before(end); {
		w.rotateAfter(t, min(4*time.Minute, end.Sub(w.now)))
		if _, err := w.test(t, issued.Token); err != nil {
			t.Fatalf("%v after the new key was made: %v", w.now.Sub(made), err)
		}
	}
}

// TestRemovedKey (J8): a minute after a key was taken away, no process believes its tokens, and a new key is there.
func TestRemovedKey(t *testing.T) {
	w := newWorld(t)
	other := w.another()
	token := w.customer(t, checkout.Test)
	if _, err := other.Session(t.Context(), "Bearer "+token, "test"); err != nil {
		t.Fatal(err)
	}
	if err := w.memory.RemoveSigningKey(t.Context(), checkout.Test, w.testKeys(t)[0]); err != nil {
		t.Fatal(err)
	}
	w.rotateAfter(t, 0)
	got, err := w.test(t, token)
	checkRefused(t, got, err, checkout.AuthenticationFailed)
	w.now = w.now.Add(ringAge)
	got, err = other.Session(t.Context(), "Bearer "+token, "test")
	checkRefused(t, got, err, checkout.AuthenticationFailed)
	if _, err := other.Session(t.Context(), "Bearer "+w.customer(t, checkout.Test), "test"); err != nil {
		t.Errorf("the new key's token: %v", err)
	}
}

// TestLooksAreFew: the keys are read when they may have changed, not for each token.
func TestLooksAreFew(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	w.memory.looks = 0
	for range 100 {
		w.now = w.now.Add(ringAge / 50)
		if _, err := w.test(t, token); err != nil {
			t.Fatal(err)
		}
	}
	if w.memory.looks != 2 {
		t.Errorf("%d looks in a minute", w.memory.looks)
	}
}

// TestManyKeys (J2): a process verifies with sixteen keys, whatever is stored.
func TestManyKeys(t *testing.T) {
	w := newWorld(t)
	oldest := w.customer(t, checkout.Test)
	for i := range byte(maxKeys) {
		w.now = w.now.Add(time.Millisecond)
		key := SigningKey{
			ID: "KEY_" + string('a'+rune(i)), Environment: checkout.Test, Secret: bytes.Repeat([]byte{i}, 32),
			CreatedAt: w.now.UnixMilli(),
		}
		if err := w.memory.AddSigningKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	w.rotateAfter(t, 0)
	ring, err := w.ring(t.Context(), checkout.Test)
	if err != nil || len(ring.known) != maxKeys {
		t.Fatalf("%d keys, %v", len(ring.known), err)
	}
	got, err := w.test(t, oldest)
	checkRefused(t, got, err, checkout.AuthenticationFailed)
}

// TestBadKeys: without a sound key nothing is signed and nothing believed, and that is our failure.
func TestBadKeys(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	unborn := New(Config{Deployment: deployment, Catalog: w.memory, Keys: newMemory(), Tokens: w.memory, Now: time.Now})
	_, err := unborn.Session(t.Context(), "Bearer "+token, "test")
	if err == nil || err.Error() != "auth: there is no signing key; Rotate makes the first" {
		t.Errorf("without keys: %v", err)
	}
	short := SigningKey{ID: "KEY_short", Environment: checkout.Test, Secret: []byte("short"), CreatedAt: w.now.UnixMilli()}
	if err := w.memory.AddSigningKey(t.Context(), short); err != nil {
		t.Fatal(err)
	}
	_, err = w.another().Session(t.Context(), "Bearer "+token, "test")
	if err == nil || err.Error() != "auth: signing key KEY_short has a secret of 5 bytes" {
		t.Errorf("with half a key: %v", err)
	}
}

// TestFirstKeys: three processes start at the same time on an empty store, each makes a key before it sees another's, and the last one
// by the clock is the first to be stored. Every process verifies the tokens of every other at once.
func TestFirstKeys(t *testing.T) {
	w := newWorld(t)
	clear(w.memory.keys)
	var processes []*Service
	for range 3 {
		p := w.another()
		w.now = w.now.Add(-time.Second)
		if err := p.addKey(t.Context(), checkout.Test); err != nil {
			t.Fatal(err)
		}
		signerOf(t, p) // loads what is there so far
		processes = append(processes, p)
	}
	w.now = w.now.Add(3 * time.Second)
	for i, issuer := range processes {
		issued, err := issuer.IssueCustomer(t.Context(), merchantIn(checkout.Test), TokenRequest{BuyerIdentity: buyer, StoreID: demo().Store.ID})
		if err != nil {
			t.Fatal(err)
		}
		for j, verifier := range processes {
			if _, err := verifier.Session(t.Context(), "Bearer "+issued.Token, "test"); err != nil {
				t.Errorf("process %d refuses a token of process %d: %v", j, i, err)
			}
		}
	}
}

// TestKnownKeyWaitsForNoRead: a request whose key is known does not wait while the keys are read for a token of an unknown one.
func TestKnownKeyWaitsForNoRead(t *testing.T) {
	w := newWorld(t)
	good := w.customer(t, checkout.Test)
	w.rings[checkout.Test].loading.Lock() // a read that takes long
	defer w.rings[checkout.Test].loading.Unlock()
	if _, err := w.test(t, good); err != nil {
		t.Error(err)
	}
}
