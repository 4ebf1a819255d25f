package sessions

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
)

// one is a store that holds at most one session.
type one struct{ session Session }

func (o *one) Session(_ context.Context, id string) (*Session, error) {
	if o.session.ID != id {
		return nil, ErrNotFound
	}
	copied := o.session
	return &copied, nil
}

func (o *one) WriteSession(_ context.Context, session *Session) error {
	if session.Version != o.session.Version {
		return ErrStale
	}
	o.session = *session
	o.session.Version++
	return nil
}

// TestExtend: an active buyer gets more time only when little is left, never beyond the bound, and none after the end.
func TestExtend(t *testing.T) {
	start, at := time.Now(), 0*time.Minute
	ends := func(minutes int64) int64 { return start.Add(time.Duration(minutes) * time.Minute).UnixMilli() }
	store := &one{Session{Session: checkout.Session{ID: sessionID, ExpiresAt: ends(45)}, LastsUntil: ends(60)}}
	s := New(Config{Store: store, Now: func() time.Time { return start.Add(at) }})
	for _, c := range []struct{ at, ends int64 }{{20, 45}, {35, 50}, {36, 51}, {49, 60}, {59, 60}} {
		at = time.Duration(c.at) * time.Minute
		if got, err := s.Extend(t.Context(), sessionID); err != nil || got != ends(c.ends) {
			t.Errorf("after %d minutes it ends after %v, not %d minutes (%v)", c.at, time.UnixMilli(got).Sub(start), c.ends, err)
		}
	}
	at = 61 * time.Minute
	var refused problem.List
	if _, err := s.Extend(t.Context(), sessionID); !errors.As(err, &refused) || refused[0] != checkout.InvalidSession()[0] {
		t.Errorf("an expired session: %v", err)
	}
	if _, err := s.Extend(t.Context(), "cs_unknown"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown session: %v", err)
	}
}

// TestExtendClosed: a closed session is not extended, however much time is left.
func TestExtendClosed(t *testing.T) {
	end := time.Now().Add(time.Hour).UnixMilli()
	store := &one{Session{Session: checkout.Session{ID: sessionID, ExpiresAt: end, Closed: true}, LastsUntil: 2 * end}}
	var refused problem.List
	if _, err := New(Config{Store: store, Now: time.Now}).Extend(t.Context(), sessionID); !errors.As(err, &refused) {
		t.Errorf("extended: %v", err)
	}
}

// TestOpenLastsUntil: the page may extend a session to ten times its life, and not beyond a day.
func TestOpenLastsUntil(t *testing.T) {
	for lifetime, want := range map[int64]int64{600: 6000, 2700: 27_000, 10_000: 86_400, 604_800: 86_400} {
		r := everything()
		r.ExpiresInSeconds = &lifetime
		got, refused := Open(opening(), r)
		if refused != nil {
			t.Fatal(refused)
		}
		if lasts := (got.LastsUntil - now) / 1000; lasts != want {
			t.Errorf("a session of %d s can last %d s, not %d", lifetime, lasts, want)
		}
	}
}
