package orders

import (
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/limit"
)

// Provider is the payment provider of an environment as a [Service] calls it. Buyers and background jobs have separate limits,
// so that neither keeps the other from the provider.
type Provider struct {
	// ForBuyer returns the provider for the calls of one request about a session's order, which count to a store and to one of its
	// clients. A request that was refused for lack of capacity keeps its place, and the session's next one takes it.
	ForBuyer func(store, client, session string) BuyerCalls
	// Background is the provider for the sweeper and for reconciliation.
	Background Calls
}

// Limited returns a provider within the limits of l.
func Limited(l *limit.Limiter) Provider {
	return Provider{
		ForBuyer:   func(store, client, session string) BuyerCalls { return l.For(store, client, session) },
		Background: l.Background(),
	}
}

// Calls is what a [Service] needs of a [psp.Provider].
type Calls interface {
	psp.Checkouts
	psp.Reconciler
	psp.Refunds
}

// BuyerCalls is a provider for one create-order. Capacity can be reserved before anything is stored.
type BuyerCalls interface {
	Calls

	// Reserve waits, until latest at most, for the slot of the next call. Its error is Held. It does nothing if a slot is
	// reserved already.
	Reserve(latest time.Time) *psp.CallError
	// Extend makes a reserved slot serve one call more.
	Extend()
	// Release gives back a reserved slot that was not used up.
	Release()
}
