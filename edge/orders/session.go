package orders

import (
	"github.com/crepe-checkout/crepe/core/checkout"
)

// Session is a checkout session as it is kept: what the rules see, and what they need not.
type Session struct {
	checkout.Session

	// Version counts the writes. A [Store] refuses to write a session that was read at another version.
	Version uint64

	MerchantID string
	PageURL    string // the hosted page of this session
	CreatedAt  int64  // Unix milliseconds
	LastsUntil int64  // how far [Service.Extend] may move ExpiresAt, Unix milliseconds; 0 is not at all
	OrderID    string // the one order of this session, "" before the first create-order got past the rules

	// PaidUnmatched: a payment that names this session is in quarantine. Nothing can be ordered from it any more.
	PaidUnmatched bool

	// ReturnHosts are the hosts that a buyer whom the merchant does not know may choose to return to; empty is any.
	ReturnHosts []string

	Metadata   map[string]string
	ExternalID string // orderMerchantExternalId
	Language   string // BCP 47, "" for the buyer's own
	DarkMode   *bool  // nil: the store's choice
}

// follow closes the session, or opens it again, as its order is.
func (s *Session) follow(o *Order) { s.Closed = o.closed() || s.PaidUnmatched }
