package throttle

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
)

var noon = time.Date(2026, time.June, 1, 12, 0, 0, 0, time.UTC)

// admitted is how many of n requests at an instant are served.
func admitted(t *Throttle, n int, store, client string, now time.Time) (served int) {
	for range n {
		if t.Admit(store, client, now) == nil {
			served++
		}
	}
	return served
}

func TestThrottle(t *testing.T) {
	throttle := New(5, 20)
	for _, c := range []struct {
		after         time.Duration
		store, client string
		want          int
	}{
		{0, "A", "1", 50},
		{0, "A", "1", 0},
		{0, "A", "2", 50}, // another client is not concerned
		{time.Second, "A", "1", 5},
		{time.Second, "A", "", 115}, // what is left of the store's 200 and the 20 of this second
		{time.Second, "A", "3", 0},
		{time.Second, "B", "3", 0}, // refused by the store, and counted all the same
		{time.Second, "B", "4", 50},
		{time.Hour, "A", "1", 50},
	} {
		if got := admitted(throttle, 300, c.store, c.client, noon.Add(c.after)); got != c.want {
			t.Errorf("after %v, store %s, client %s: %d requests, not %d", c.after, c.store, c.client, got, c.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	throttle := New(0.5, 0)
	admitted(throttle, 5, "A", "1", noon)
	err := throttle.Admit("A", "1", noon.Add(time.Second))
	var refusal *Refusal
	var said *problem.Problem
	if !errors.As(err, &refusal) || refusal.RetryAfter() != time.Second || !errors.As(err, &said) || said.Kind != problem.Unavailable {
		t.Errorf("got %v", err)
	}
	if err := throttle.Admit("A", "1", noon.Add(time.Second+refusal.RetryAfter())); err != nil {
		t.Errorf("after that time: %v", err)
	}
}

func TestOff(t *testing.T) {
	if got := admitted(New(0, 0), 10_000, "A", "1", noon); got != 10_000 {
		t.Errorf("%d requests without a limit", got)
	}
}

// TestMemory: a million addresses take no more memory than the last ones of them, and somebody who keeps coming is not
// forgotten among them.
func TestMemory(t *testing.T) {
	throttle := New(1, 0)
	admitted(throttle, 100, "A", "constant", noon)
	for i := range 1_000_000 {
		throttle.Admit("A", fmt.Sprint(i), noon)
		if i%1000 == 0 && throttle.Admit("A", "constant", noon) == nil {
			t.Fatalf("forgotten after %d others", i)
		}
	}
	if kept := len(throttle.clients.young) + len(throttle.clients.old); kept > 2*maxBuckets {
		t.Errorf("%d buckets", kept)
	}
}

// TestWrongCredentials: an address has a burst of wrong credentials, then is refused before the next one, without a charge for right ones.
func TestWrongCredentials(t *testing.T) {
	throttle := New(5, 20)
	for range 100 {
		if err := throttle.AdmitCredential("1", noon); err != nil {
			t.Fatalf("a right credential is refused: %v", err)
		}
	}
	for i := range 50 {
		if err := throttle.AdmitCredential("1", noon); err != nil {
			t.Fatalf("wrong credential %d: %v", i, err)
		}
		throttle.CredentialFailed("1", noon)
	}
	refusal, ok := errors.AsType[*Refusal](throttle.AdmitCredential("1", noon))
	if !ok || refusal.RetryAfter() != 200*time.Millisecond {
		t.Errorf("after 50 wrong ones: %v", refusal)
	}
	for what, err := range map[string]error{"later": throttle.AdmitCredential("1", noon.Add(time.Second)), "another address": throttle.AdmitCredential("2", noon),
		"an unknown address": throttle.AdmitCredential("", noon), "off": New(0, 0).AdmitCredential("1", noon), "nil": (*Throttle)(nil).AdmitCredential("1", noon),
		"buyers of the address": throttle.Admit("A", "1", noon)} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
