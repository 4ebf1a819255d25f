package notify

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Store keeps what merchants are told: the outbox of facts, endpoints and deliveries. Every method is one atomic step; what it
// returns belongs to the caller.
type Store interface {
	Keys

	// Facts returns up to limit facts of the outbox whose numbers are larger than after, in the order of their commits.
	Facts(ctx context.Context, after uint64, limit int) ([]QueuedFact, error)

	// Endpoints reads the endpoints of a store in one environment. A store without any has an empty record of version 0.
	Endpoints(ctx context.Context, env checkout.Environment, storeID string) (*Endpoints, error)

	// EndpointStore returns the id of the store that has an endpoint in an environment; [ErrNotFound] when none has.
	EndpointStore(ctx context.Context, env checkout.Environment, id string) (storeID string, err error)

	// AllEndpoints lists the endpoints of one environment, sorted by id. after is "" for the first page, then Next of the page
	// before; limit is at least 1.
	AllEndpoints(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[Endpoint], error)

	// Delivery reads a delivery of one environment; [ErrNotFound] when there is none there, or it is no longer kept.
	Delivery(ctx context.Context, env checkout.Environment, id string) (*Delivery, error)

	// Deliveries lists the deliveries of a store in one environment, the newest first. after is "" for the first page, then Next
	// of the page before; limit is at least 1.
	Deliveries(ctx context.Context, env checkout.Environment, storeID, after string, limit int) (psp.Page[Delivery], error)

	// FailedDeliveries lists the deliveries of one environment that have failed and are kept, sorted by id, with the pages of
	// AllEndpoints.
	FailedDeliveries(ctx context.Context, env checkout.Environment, after string, limit int) (psp.Page[Delivery], error)

	// DueDeliveries names the deliveries whose DueAt is not after now, for each endpoint up to limit of them, the longest due
	// first. An endpoint with many of them hides no other's.
	DueDeliveries(ctx context.Context, now int64, limit int) ([]DueDelivery, error)

	// CountDeliveries counts the deliveries of one environment.
	CountDeliveries(ctx context.Context, env checkout.Environment) (Counts, error)

	// CountDeliveriesOf counts the deliveries of a store in one environment. It costs the list, without its records.
	CountDeliveriesOf(ctx context.Context, env checkout.Environment, storeID string) (int, error)

	// CommitNotify makes a change durable as a whole or not at all, before it returns. [ErrStale] when the fact is no longer in
	// the outbox, or a record was written since it was read. Any other error leaves open whether the change happened.
	CommitNotify(ctx context.Context, c Change) error
}

// QueuedFact is a fact in the outbox.
type QueuedFact struct {
	orders.Fact
	Seq uint64 // its place: facts of later commits have larger numbers
}

// DueDelivery names a delivery that is to be sent.
type DueDelivery struct {
	Environment checkout.Environment
	EndpointID  string
	ID          string
}

// Counts counts deliveries: those that are still to be sent, and those that have failed and are kept.
type Counts struct {
	Pending, Failed int
	DueSince        int64 // least DueAt of the pending ones, in Unix milliseconds; 0 for none
}

// Change is what one step writes. Nil and empty fields write nothing.
//
// The step of a fact writes in one commit all that follows from the fact, and takes it out of the outbox. So nothing that follows
// from a fact is written twice, or is missing. Whatever else is to follow from a fact gets a field here.
type Change struct {
	// Fact is taken out of the outbox.
	Fact *QueuedFact

	// Document is new. Its number must be the one after the last of its series, and its event must have no document yet.
	Document *invoices.Document

	// Mail is the new e-mail about the document.
	Mail *invoices.Mail

	// VATCheck is the new check of the number with which the order was not taxed.
	VATCheck *vies.Check

	// Deliveries and Endpoints are written if their stored versions are still the ones they carry; the stored copies then carry
	// the next ones. A record with version 0 is new.
	Deliveries []*Delivery
	Endpoints  *Endpoints
}

var (
	// ErrNotFound: there is no such record, or none that this environment may see.
	ErrNotFound = errors.New("notify: not found")
	// ErrStale: a record of the change was written, or its fact was taken, since it was read.
	ErrStale = errors.New("notify: the record was written since it was read")
)
