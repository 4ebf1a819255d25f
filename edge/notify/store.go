package notify

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// Store keeps what merchants are told: the outbox of facts and, later, endpoints and deliveries. Every method is one atomic step;
// what it returns belongs to the caller.
type Store interface {
	Keys

	// Facts returns up to limit facts of the outbox in the order of their commits, the oldest first.
	Facts(ctx context.Context, limit int) ([]QueuedFact, error)

	// CommitNotify makes a change durable as a whole or not at all, before it returns. [ErrStale] when the fact is no longer in
	// the outbox. Any other error leaves open whether the change happened.
	CommitNotify(ctx context.Context, c Change) error
}

// QueuedFact is a fact in the outbox.
type QueuedFact struct {
	orders.Fact
	Seq uint64 // its place: facts of later commits have larger numbers
}

// Change is what one step writes. Nil and empty fields write nothing.
//
// The step of a fact writes in one commit all that follows from the fact, and takes it out of the outbox. So nothing that follows
// from a fact is written twice, or is missing.
type Change struct {
	// Fact is taken out of the outbox.
	Fact *QueuedFact
}

// ErrStale: a record of the change has been written, or a fact taken, since it was read.
var ErrStale = errors.New("notify: written by somebody else in between")
