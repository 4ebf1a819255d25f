package orders

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// Store keeps sessions and orders. Every method is one atomic step; what it returns belongs to the caller.
type Store interface {
	ReviewStore

	// Session is as in [sessions.Store].
	Session(ctx context.Context, id string) (*sessions.Session, error)

	// Order reads an order of one environment. [ErrNotFound] when there is none there.
	Order(ctx context.Context, env checkout.Environment, id string) (*Order, error)

	// OrderOf reads the order of one environment that has a payment ("PAY_…") or a ticket ("TKT_…"). [ErrNotFound] when there is
	// none there.
	OrderOf(ctx context.Context, env checkout.Environment, id string) (*Order, error)

	// OrderPaidBy reads the order of one environment that has a payment, by the provider's id of the payment. [ErrNotFound] when
	// there is none there.
	OrderPaidBy(ctx context.Context, env checkout.Environment, provider, ref string) (*Order, error)

	// Commit makes a change durable as a whole or not at all, before it returns. [ErrStale] when a record in it has
	// been written since it was read. [ErrRepeated] when its event is known. After any other error the outcome is unknown.
	Commit(ctx context.Context, c Change) error

	// Deployment returns the id of this store. The first call stores made as the id.
	Deployment(ctx context.Context, made string) (string, error)

	// Due names up to limit orders of any environment whose [Order.DueAt] is not after now, the longest due first.
	Due(ctx context.Context, now int64, limit int) ([]DueOrder, error)
}

// Change is what one transition writes. Nil and zero fields write nothing.
type Change struct {
	// Session and Order are written if their stored version is still the one they carry; the stored copy then carries the
	// next one. A record with version 0 is new.
	Session *sessions.Session
	Order   *Order
	// Spend is the session token that this change uses up, Unspent one that must not have been; [ErrSpent] otherwise.
	Spend, Unspent *SpentToken
	// Event is the provider's message that caused the change.
	Event *SeenEvent
	// Quarantine stores a genuine event that matches no order, so that no payment is lost. An event that is in quarantine
	// already is left as it is.
	Quarantine *Quarantined
	// Facts are added to the outbox, in their order and behind all earlier ones.
	Facts []Fact
}

// SpentToken is a one-order token that has been used.
type SpentToken struct {
	Environment checkout.Environment
	ID          string
	ExpiresAt   int64 // Unix milliseconds; it need not be remembered longer
}

// SeenEvent is a provider's event, remembered so that it counts once.
type SeenEvent struct {
	Environment checkout.Environment
	Provider    string
	ID          string
}

// DueOrder names an order that is due; see [Order.DueAt].
type DueOrder struct {
	Environment checkout.Environment
	ID          string
}

var (
	// ErrNotFound: there is no such record, or none that this environment may see.
	ErrNotFound = sessions.ErrNotFound
	// ErrStale: the record has been written since it was read. A [Change] may hold an order and a session.
	ErrStale = sessions.ErrStale
	// ErrSpent: the token has been used.
	ErrSpent = errors.New("orders: session token already used")
	// ErrRepeated: the event has been applied before.
	ErrRepeated = errors.New("orders: event already applied")
)
