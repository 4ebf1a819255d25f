package sessions

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// The lifetime of a session in seconds, as published.
const (
	defaultLifetime = 45 * 60
	maxLifetime     = 7 * 24 * 60 * 60
	extensible      = 10           // how many lifetimes an active buyer gets (WCAG 2.2, 2.2.1)
	maxExtended     = 24 * 60 * 60 // but no longer than this, by extensions
)

// extension is how long a session lasts at least after its buyer was active.
const extension = 15 * time.Minute

// Extend extends a session for an active buyer, up to [Session.LastsUntil], and returns when it expires, in Unix milliseconds. It
// never shortens a session, and writes nothing if enough time is left. A session that has expired or is closed is refused, like
// an order from it.
func (s *Service) Extend(ctx context.Context, id string) (int64, error) {
	for {
		session, err := s.config.Store.Session(ctx, id)
		if err != nil {
			return 0, err
		}
		now := s.config.Now().UnixMilli()
		if session.Closed || now >= session.ExpiresAt {
			return 0, checkout.InvalidSession()
		}
		until := min(now+extension.Milliseconds(), session.LastsUntil)
		if until <= session.ExpiresAt {
			return session.ExpiresAt, nil
		}
		session.ExpiresAt = until
		if err := s.config.Store.WriteSession(ctx, session); !errors.Is(err, ErrStale) {
			return until, err
		}
	}
}

func (r *Request) lifetime() int64 {
	if r.ExpiresInSeconds == nil {
		return defaultLifetime
	}
	return *r.ExpiresInSeconds
}
