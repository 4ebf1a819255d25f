package psp

import (
	"time"

	"github.com/crepe-checkout/crepe/core/money"
)

// Refunds returns the money of payments.
type Refunds interface {
	// RenderRefund makes the exact bytes of the request that creates a refund. It is pure and deterministic. An error means that
	// the provider would refuse, so that nothing is stored or sent.
	RenderRefund(RefundParams) (RenderedRequest, error)

	// CreateRefund sends a rendered request under an idempotency key. As for [Checkouts.Create], the caller has stored the request
	// durably and always sends the same bytes under one key. A failure that the provider has stored under the key ([KeyBurned])
	// says nothing of the refund: only the list does.
	CreateRefund(deadline time.Time, r RenderedRequest, key string) (Refund, *CallError)

	// RetrieveRefund reads a refund by the provider's reference. One that the account does not have is [RefundMissing].
	RetrieveRefund(deadline time.Time, ref string) (Refund, *CallError)

	// ListRefunds lists refunds as a [Reconciler] lists checkouts: those of one payment, by the provider's id of the payment, or
	// those of all payments with "".
	ListRefunds(deadline time.Time, paymentID string, created Span, after string) (Page[Refund], *CallError)
}

// RefundParams is a refund as the provider needs to know it.
type RefundParams struct {
	Deployment string // which deployment asks, see [Checkout]; "" for none
	OrderID    string
	N          int          // which refund of the order, from 1
	PaymentID  string       // the provider's id of the payment
	Amount     money.Amount // at most what is left of the payment
	Duplicate  bool         // the payment is a second one for the same checkout session
}

// Refund is a refund as the provider reports it.
type Refund struct {
	Ref        string // the provider's id, "re_…"
	Status     RefundStatus
	PaymentID  string       // the provider's id of the payment
	Amount     money.Amount // zero where it is no amount that can be charged
	Failure    string       // why it failed, in the provider's words
	Created    time.Time
	OrderID    string // "" for a refund that was made by hand
	N          int    // 0 for a refund that was made by hand
	Deployment string // that made it; "" for a refund that was made by hand
}

// RefundStatus is where a refund stands at the provider.
type RefundStatus uint8

const (
	// RefundUnknown: the provider's status has no meaning here.
	RefundUnknown RefundStatus = iota
	// RefundPending: the money is on its way.
	RefundPending
	// RefundSucceeded: the buyer has the money. It can fail afterwards, if the buyer's bank sends it back.
	RefundSucceeded
	// RefundFailed: the merchant has the money. It is the end.
	RefundFailed
	// RefundMissing: the account has no such refund.
	RefundMissing
)

// Dispute is a payment that the buyer disputes at their bank, as the provider reports it.
type Dispute struct {
	Ref       string // the provider's id, "dp_…"
	PaymentID string // the provider's id of the payment
	Amount    money.Amount
	Status    string // in the provider's words: "needs_response", "won", "lost"
	Reason    string // in the provider's words: "fraudulent"
	Closed    bool
}
