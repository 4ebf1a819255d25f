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
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/metrics"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Config is what a [Service] is built from.
type Config struct {
	Store Store
	// Providers holds the provider of each environment. In an environment without one every create-order is refused as
	// unavailable: its session was opened while there was a provider.
	Providers map[checkout.Environment]Provider
	Now       func() time.Time
	Rand      io.Reader // for ids; crypto/rand in production

	// Deployment identifies this deployment's checkouts among those of the account, so that two deployments do not end each
	// other's. It is stored with the orders, and therefore in their backups. With "" every checkout that names an order is ours.
	Deployment string

	// CatchUp makes every create-order wait, and be refused as unavailable after its budget, until Run has found that the
	// provider has no checkout that the store does not know; see [Service.Run].
	CatchUp bool
	// Restored is the time of the backup from which the store was restored; zero for none. CatchUp then compares all that has happened since,
	// however much the newest checkouts agree.
	Restored time.Time

	Log *slog.Logger

	// FactAdded, if set, is called after each commit that has added facts to the outbox. It must not block.
	FactAdded func()

	// TryTimeout bounds one call to a provider, Budget everything a create-order does. Zero means 4 s and 9 s: the
	// published contract tells clients to retry after 5 s at the earliest.
	TryTimeout time.Duration
	Budget     time.Duration

	Metrics *metrics.Set // counts what happens; nil for none

	Rules Rules // the stores' own rules; nil for none

	// KeepUnpaid is how long a buyer's data are kept after an order has ended unpaid; zero is for ever. It is stored with the order.
	KeepUnpaid time.Duration

	// RefundWindow is how long after a payment a refund can be asked for; zero means [RefundWindow].
	RefundWindow time.Duration
}

// Service creates orders and applies the provider's events to them. It is safe for concurrent use.
type Service struct {
	config    Config
	sessions  keyedLock
	confirmed confirmations
	caughtUp  map[checkout.Environment]chan struct{} // closed when orders are accepted
	measures  measures
}

// New returns a service. It starts no goroutine; see [Service.Run].
func New(c Config) *Service {
	if c.TryTimeout == 0 {
		c.TryTimeout = 4 * time.Second
	}
	if c.Budget == 0 {
		c.Budget = 9 * time.Second
	}
	if c.RefundWindow == 0 {
		c.RefundWindow = RefundWindow
	}
	s := &Service{config: c, caughtUp: make(map[checkout.Environment]chan struct{}), measures: newMeasures(c.Metrics)}
	for env := range c.Providers {
		s.caughtUp[env] = make(chan struct{})
		if !c.CatchUp {
			close(s.caughtUp[env])
		}
	}
	return s
}

var (
	// errAgain: a transition was made, here or by another process; read again and make the next one.
	errAgain = errors.New("orders: read again")
	// errBusy: another request of the same session is still at work.
	errBusy = problem.New(problem.Unavailable, "order-in-progress", "", "Order is being created, please retry")
	// Crowded refuses a request before which others come. The refusal's RetryAfter is when it is this request's turn.
	Crowded = problem.New(problem.Unavailable, "provider-busy", "", "Payment provider is busy, please retry")
	// errDown: the provider does not answer, or has not been compared with the store yet.
	errDown = problem.New(problem.Unavailable, "provider-unavailable", "", "Payment provider is not available, please retry")
)

// Order reads the order of a session; [ErrNotFound] while there is none.
func (s *Service) Order(ctx context.Context, session *sessions.Session) (*Order, error) {
	if session.OrderID == "" {
		return nil, ErrNotFound
	}
	return s.config.Store.Order(ctx, session.Environment, session.OrderID)
}

// Request is a create-order request: what the rules see, and what they need not.
type Request struct {
	checkout.Request
	Address sessions.Address // belongs to Billing
	Total   string           // that the buyer has been shown, "29.00"; nothing else is charged. "" for any
}

// expects reports whether the request may be charged a quote's total.
func (r *Request) expects(q *checkout.Quote) bool {
	shown, ok := money.ParseAmount(r.Total, q.Currency)
	return r.Total == "" || ok && shown.Minor == q.Assessment.Total
}

// address returns the buyer's address: the request's, or the session's with the session's billing detail.
func (r *Request) address(s *sessions.Session) sessions.Address {
	if given := r.Address.Clean(); r.Billing != nil || given != (sessions.Address{}) {
		return given
	}
	return s.Address
}

// Create creates the order that r asks for and returns the URL where the buyer pays. The same request again gets the same
// URL, unless it expects another total; another one of the same session supersedes the first. Refusals are a [problem.List] or a [*problem.Problem], and
// nothing has been stored for them. After one that is [problem.Unavailable], and after any other error, the same request may
// be retried.
//
// client is the address that the request counts to while it waits for the provider; all requests with "" count to one. spend, if
// not nil, is the token that success uses up. A used token gets the result of its order again, and nothing else. ctx carries
// values only; a buyer who disconnects does not cancel the work.
func (s *Service) Create(ctx context.Context, r *Request, client string, spend *SpentToken) (string, error) {
	f := flow{Service: s, ctx: ctx, request: r, client: client, spend: spend}
	url, err := f.create()
	s.measures.create(f.session, err)
	return url, err
}

// create is the workflow of [Service.Create].
func (f *flow) create() (string, error) {
	f.deadline = f.config.Now().Add(f.config.Budget)
	unlock, ok := f.sessions.lock(f.request.SessionID, f.config.Budget)
	if !ok {
		return "", errBusy
	}
	defer unlock()
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
		case !f.config.Now().Before(f.deadline):
			return "", errBusy // other processes kept writing
		}
	}
}

func (s *Service) nowMilli() int64 { return s.config.Now().UnixMilli() }

// orderID derives the id from the session, so that the same request makes the same calls to the provider even after a backup was
// restored. Order ids sort by the time of their sessions. The session's id, a capability, cannot be derived from them.
func orderID(session *sessions.Session) string {
	sum := sha256.Sum256([]byte("order of " + session.ID))
	return shortid.Format(shortid.Order, shortid.NewV7(time.UnixMilli(session.CreatedAt), bytes.NewReader(sum[:])))
}

func (s *Service) newID(prefix string) string {
	return shortid.Format(prefix, shortid.NewV7(s.config.Now(), s.config.Rand))
}
