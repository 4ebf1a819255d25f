package orders

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// extension is how long a session is good for, at least, after its buyer has shown to be there.
const extension = 15 * time.Minute

// Extend gives the buyer of a session more time, as much as the session allows ([Session.LastsUntil]), and returns the
// instant at which it ends now, in Unix milliseconds. It never takes time away, and what is left long enough is not written.
// A session that has ended or is closed is refused like an order from it.
func (s *Service) Extend(ctx context.Context, id string) (int64, error) {
	for {
		session, err := s.Store.Session(ctx, id)
		if err != nil {
			return 0, err
		}
		now := s.nowMilli()
		if session.Closed || now >= session.ExpiresAt {
			return 0, checkout.InvalidSession()
		}
		until := min(now+extension.Milliseconds(), session.LastsUntil)
		if until <= session.ExpiresAt {
			return session.ExpiresAt, nil
		}
		session.ExpiresAt = until
		if err := s.Store.Commit(ctx, Change{Session: session}); !errors.Is(err, ErrStale) {
			return until, err
		}
	}
}
