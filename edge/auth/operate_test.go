package auth

import (
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// states are what the test environment's keys are used for, newest first.
func (w *world) states(t *testing.T) (states []KeyState) {
	t.Helper()
	infos, err := w.SigningKeys(t.Context(), checkout.Test)
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		states = append(states, info.State)
		if !info.Until.After(w.now) {
			t.Errorf("%s is %s until %v, which is over", info.ID, info.State, info.Until)
		}
		if signs := signerOf(t, w.Service) == info.ID; signs != (info.State == KeySigning) {
			t.Errorf("%s is called %s and signs: %t", info.ID, info.State, signs)
		}
	}
	return states
}

func (w *world) rotateNow(t *testing.T) {
	t.Helper()
	w.now = w.now.Add(time.Millisecond)
	if err := w.RotateNow(t.Context(), checkout.Test); err != nil {
		t.Fatal(err)
	}
}

// TestRotateNow: a new key signs when every process knows it, tokens of the older keys stay valid, and no key is made for which an
// older one would stop verifying.
func TestRotateNow(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	w.rotateNow(t)
	if got := w.states(t); len(got) != 2 || got[0] != KeyPublished || got[1] != KeySigning {
		t.Errorf("at once: %v", got)
	}
	w.now = w.now.Add(publishFor)
	if got := w.states(t); len(got) != 2 || got[0] != KeySigning || got[1] != KeyVerifying {
		t.Errorf("a minute later: %v", got)
	}
	for len(w.states(t)) < maxKeys {
		w.rotateNow(t)
	}
	if _, err := w.test(t, token); err != nil {
		t.Errorf("the oldest key's token: %v", err)
	}
	if err := w.RotateNow(t.Context(), checkout.Test); !errors.Is(err, ErrTooManyKeys) || len(w.states(t)) != maxKeys {
		t.Errorf("one key too many: %v", err)
	}
	if got, err := w.SigningKeys(t.Context(), checkout.Prod); err != nil || len(got) != 1 {
		t.Errorf("prod has %v, %v", got, err)
	}
}

// TestRevoke: the tokens of a revoked key are refused at once, those of others are not, whichever key it is; there always is one
// that signs.
func TestRevoke(t *testing.T) {
	for revoked, name := range []string{"newest", "middle", "oldest"} {
		w := newWorld(t)
		var tokens []string // one of each key, newest first
		for range 2 {
			tokens = append([]string{w.customer(t, checkout.Test)}, tokens...)
			w.rotateNow(t)
			w.now = w.now.Add(publishFor)
		}
		tokens = append([]string{w.customer(t, checkout.Test)}, tokens...)
		infos, err := w.SigningKeys(t.Context(), checkout.Test)
		if err != nil || len(infos) != 3 {
			t.Fatal(infos, err)
		}
		if err := w.Revoke(t.Context(), checkout.Prod, infos[revoked].ID); !errors.Is(err, ErrNoKey) {
			t.Errorf("%s, in another environment: %v", name, err)
		}
		if err := w.Revoke(t.Context(), checkout.Test, infos[revoked].ID); err != nil {
			t.Fatal(err)
		}
		for i, token := range tokens {
			got, err := w.test(t, token)
			if i == revoked {
				checkRefused(t, got, err, checkout.AuthenticationFailed)
			} else if err != nil {
				t.Errorf("%s revoked: the token of key %d: %v", name, i, err)
			}
		}
		w.states(t)
		if _, err := w.test(t, w.customer(t, checkout.Test)); err != nil {
			t.Errorf("%s revoked: a new token: %v", name, err)
		}
		if want := map[bool]int{true: 3, false: 2}[revoked == 0]; len(w.testKeys(t)) != want {
			t.Errorf("%s revoked: %d keys, want %d", name, len(w.testKeys(t)), want)
		}
	}
	w := newWorld(t)
	if err := w.Revoke(t.Context(), checkout.Test, "KEY_1"); !errors.Is(err, ErrNoKey) {
		t.Errorf("an unknown key: %v", err)
	}
}
