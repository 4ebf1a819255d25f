package orders

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Config is what a [Service] is built from.
type Config struct {
	Store Store
	// Providers holds the provider of each environment. In an environment without one every create-order is refused for the
	// moment: its session was opened while there was a provider.
	Providers map[checkout.Environment]Provider
	Now       func() time.Time
	Rand      io.Reader // for ids; crypto/rand in production

	// Deployment tells our checkouts from those of others on the same account: two deployments do not end each other's. It is
	// kept with the orders, so that it comes back with a backup. With "" every checkout that names an order is ours.
	Deployment string

	// CatchUp makes every create-order wait, and then be refused for the moment, until Run has found that the provider has
	// no checkout that the store does not know; see [Service.Run].
	CatchUp bool

	Log *slog.Logger

	// FactAdded, if set, is called after each commit that has added facts to the outbox. It must not block.
	FactAdded func()

	// TryTimeout bounds one call to a provider, Budget everything a create-order does. Zero means 4 s and 9 s: the
	// published contract tells clients to come again from 5 s on.
	TryTimeout time.Duration
	Budget     time.Duration
}

// Service places orders and applies what the provider reports of them. It is safe for concurrent use.
type Service struct {
	config    Config
	sessions  keyedLock
	confirmed confirmations
	caughtUp  map[checkout.Environment]chan struct{} // closed when orders are taken
}

// New returns a service; it starts nothing.
func New(c Config) *Service {
	if c.TryTimeout == 0 {
		c.TryTimeout = 4 * time.Second
	}
	if c.Budget == 0 {
		c.Budget = 9 * time.Second
	}
	s := &Service{config: c, caughtUp: make(map[checkout.Environment]chan struct{})}
	for env := range c.Providers {
		s.caughtUp[env] = make(chan struct{})
		if !c.CatchUp {
			close(s.caughtUp[env])
		}
	}
	return s
}

var (
	// errAgain: a step was taken, or somebody else took one; read again and take the next.
	errAgain = errors.New("orders: read again")
	// errBusy: another request of the same session is still at work.
	errBusy = problem.New(problem.Unavailable, "order-in-progress", "", "Order is being created, please retry")
	// errCrowded: the provider is down, or enough others wait for it.
	errCrowded = problem.New(problem.Unavailable, "provider-busy", "", "Payment provider is busy, please retry")
)

// Order reads the order of a session; [ErrNotFound] while there is none.
func (s *Service) Order(ctx context.Context, session *sessions.Session) (*Order, error) {
	if session.OrderID == "" {
		return nil, ErrNotFound
	}
	return s.config.Store.Order(ctx, session.Environment, session.OrderID)
}

// Create places the order that r asks for and returns the URL where the buyer pays. The same request again gets the same
// URL; another one of the same session supersedes the first. Refusals are a [problem.List] or a [*problem.Problem], and
// nothing has been written for them; after one that is [problem.Unavailable], and after any other error, the same request
// may be sent again.
//
// client is the address to which the request counts where many wait for the provider; all whose address is "" are one.
// spend, when not nil, is the token to use up by success. A token that has been used up gets the answer of its order again, and
// nothing else. A buyer who disconnects does not stop the work: ctx carries values, not the deadline.
func (s *Service) Create(ctx context.Context, r *checkout.Request, client string, spend *SpentToken) (string, error) {
	deadline := s.config.Now().Add(s.config.Budget)
	unlock, ok := s.sessions.lock(r.SessionID, s.config.Budget)
	if !ok {
		return "", errBusy
	}
	defer unlock()
	f := flow{Service: s, ctx: ctx, request: r, client: client, spend: spend, deadline: deadline}
	defer func() {
		if f.buyer != nil {
			f.buyer.Release()
		}
	}()
	for {
		url, err := f.step()
		again := errors.Is(err, errAgain) || errors.Is(err, ErrStale)
		switch {
		case !again && errors.Is(err, ErrSpent): // after ErrStale: what was written meanwhile may be the answer
			return "", checkout.AuthenticationFailed // a session token that has had its order
		case !again:
			return url, err
		case !s.config.Now().Before(deadline):
			return "", errBusy // others have taken steps all the time
		}
	}
}

func (s *Service) nowMilli() int64 { return s.config.Now().UnixMilli() }

// orderID is made of the session, so that the same request leads to the same calls of the provider though a backup was restored
// in between. Order ids sort by the time of their sessions, and do not tell the session's id, which lets its holder order.
func orderID(session *sessions.Session) string {
	sum := sha256.Sum256([]byte("order of " + session.ID))
	return shortid.Format(shortid.Order, shortid.NewV7(time.UnixMilli(session.CreatedAt), bytes.NewReader(sum[:])))
}

func (s *Service) newID(prefix string) string {
	return shortid.Format(prefix, shortid.NewV7(s.config.Now(), s.config.Rand))
}
