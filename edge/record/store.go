package record

import (
	"context"

	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// Store is a database for everything that the server keeps: the ports of the packages that own the records, and what the
// server itself asks of it. Package storetest tests an implementation, and badgerstore is one.
//
// A method that finds a write impossible for the moment, because the disk is full or the database cannot be reached, returns
// a *problem.Problem of kind problem.Unavailable, and nothing has been written.
type Store interface {
	orders.Store
	catalog.Records
	catalog.Origins
	auth.Tokens
	auth.Keys
	notify.Keys
	idempotency.Store

	// Claim records what the database is for. The first call with a use stores it, and every call returns what is stored; "" if
	// nothing is.
	Claim(ctx context.Context, use string) (string, error)

	// Full reports whether new records are refused at the moment because space runs out.
	Full() bool

	// Stopped is closed when the store has stopped for good after an error, which Err then returns. The process should end.
	Stopped() <-chan struct{}
	Err() error

	Close() error
}
