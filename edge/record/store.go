package record

import (
	"context"

	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/lease"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Store is a database of all records of the server: the ports of the packages that own the records, and what the server needs of
// the database itself. It is safe for concurrent use.
//
// To add a store, implement these methods, call storetest.Run in its test, and open it in the server. The
// packages badgerstore and pgstore are examples. Values that need no column of their own can be stored with [Marshal].
//
// A write that is impossible for the moment, because the disk is full or the database cannot be reached, returns a
// *problem.Problem of kind problem.Unavailable and has no effect. If its code is "storage-outcome-unknown", the write may have had
// its effect: the caller reads the record again, or repeats the request.
type Store interface {
	sessions.Store
	sessions.Reader
	orders.Store
	orders.Reader
	catalog.Records
	catalog.Origins
	catalog.Lists
	auth.Tokens
	auth.Keys
	notify.Store
	invoices.Store
	vies.Store
	idempotency.Store
	erasure.Store
	lease.Store
	plugins.Store

	// Claim records what the database is used for. The first call with a use stores it. Every call returns the stored use, "" if
	// there is none.
	Claim(ctx context.Context, use string) (string, error)

	// Full reports whether new records are refused at the moment because the disk is nearly full.
	Full() bool

	// Stopped returns a channel that is closed when the store has stopped for good after an error, which Err then returns. The
	// process should end.
	Stopped() <-chan struct{}
	Err() error

	// Close waits for the writes in progress and releases the database.
	Close() error
}
