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
	extensible      = 10           // how many lifetimes a buyer who needs the time gets (WCAG 2.2, 2.2.1)
	maxExtended     = 24 * 60 * 60 // but no longer than this, by extensions
)

// extension is how long a session is good for, at least, after its buyer has shown to be there.
const extension = 15 * time.Minute

// Extend gives the buyer of a session more time, as much as the session allows ([Session.LastsUntil]), and returns the
// instant at which it ends now, in Unix milliseconds. It never takes time away, and what is left long enough is not written.
// A session that has ended or is closed is refused like an order from it.
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
