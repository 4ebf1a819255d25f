package orders

import (
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// Order is the one order of a checkout session with all of its attempts. It is never deleted: "rolled back" is a state. An order
// is stored as one record, so that each transition is atomic.
type Order struct {
	ID         string // "ORD_…"
	SessionID  string
	MerchantID string
	StoreID    string

	Environment checkout.Environment

	// Version counts the writes; see [sessions.Session.Version].
	Version uint64

	State     State
	Attempts  []Attempt // oldest first, never empty; the last one is current
	Payments  []Payment
	Tickets   []Ticket  // oldest first
	Refunds   []Refund  // in the order in which they became known
	Disputes  []Dispute // in the order in which they became known
	CreatedAt int64     // Unix milliseconds
	UpdatedAt int64

	// RefundHandledAt is when a person handled the refund that is due, in Unix milliseconds; 0 is not yet.
	RefundHandledAt int64

	// RefundsCheckAt is when the provider's refunds are to be compared, because it has reported some that are not known here, in
	// Unix milliseconds; 0 is never.
	RefundsCheckAt int64

	// KeepUnpaid is how long the buyer's data are kept after the order has ended unpaid, in milliseconds; 0 is for ever.
	KeepUnpaid int64
}

// Clone returns a copy that shares with the order only what is replaced as a whole and never changed in place: what was placed, the
// provider's requests, and the parts of refunds.
func (o *Order) Clone() *Order {
	c := *o
	c.Attempts, c.Payments, c.Tickets = slices.Clone(o.Attempts), slices.Clone(o.Payments), slices.Clone(o.Tickets)
	c.Refunds, c.Disputes = slices.Clone(o.Refunds), slices.Clone(o.Disputes)
	for i := range c.Tickets {
		c.Tickets[i].Versions = slices.Clone(c.Tickets[i].Versions)
	}
	return &c
}

// State is where an order stands.
type State string

const (
	// Pending: an attempt is stored, and no buyer has its URL yet.
	Pending State = "pending"
	// AwaitingPayment: a buyer can pay.
	AwaitingPayment State = "awaiting-payment"
	// Processing: the buyer has finished, and the payment is being processed.
	Processing State = "processing"
	// Paid: the payment has arrived, and it is the only one of the checkout session.
	Paid State = "paid"
	// PaidLate: the payment arrived after the order had been rolled back or had expired. It counts as paid.
	PaidLate State = "paid-late"
	// RolledBack: the provider refused; the session can be ordered from again.
	RolledBack State = "rolled-back"
	// Expired: the provider's checkout expired unpaid. The order is canceled, and its session is closed. Stored as "lapsed".
	Expired State = "lapsed"
	// Canceled: the buyer canceled the order before it was paid. Its session is closed.
	Canceled State = "canceled"
	// Failed: a delayed payment did not arrive. The buyer may try again.
	Failed State = "failed"
	// RefundDue: more than one payment arrived for one checkout session.
	RefundDue State = "refund-due"
)

// Settled reports whether a payment has arrived. No event makes such an order unpaid again.
func (s State) Settled() bool { return s == Paid || s == PaidLate || s == RefundDue }

// Attempt is one try to create a checkout at the provider: the request, its exact bytes, and the outcome.
type Attempt struct {
	N     int // from 1
	State AttemptState
	// Placed is what this attempt asks the buyer to pay, and for what. It never changes. Its session, store, product and terms
	// are those of the order's first attempt, so that a [Store] may keep them once.
	Placed  checkout.Order
	Address sessions.Address // of the buyer, for the documents
	Digest  string           // of the buyer's request; see digest

	Provider  string              // see [psp.Checkouts.Name]
	Account   psp.Account         // that the attempt belongs to; its ID is "" in records of older versions
	Key       string              // idempotency key
	Request   psp.RenderedRequest // emptied when the bytes can never be sent again
	SentAt    int64               // Unix milliseconds
	ExpiresAt int64               // when the provider's checkout ends, Unix milliseconds

	EverUnknown bool // an earlier try may have had its effect
	KeyTaken    bool // the provider had seen Key before; see [psp.KeyTaken]
	Tries       int
	Ref         string // the provider's checkout, "" until known
	URL         string // where the buyer pays, "" until known
	LastError   string // for operators; holds no buyer data
}

// AttemptState is where an attempt stands. Its transitions are in state.go.
type AttemptState string

const (
	// Sent: stored, and possibly at the provider.
	Sent AttemptState = "sent"
	// Unresolved: the outcome is unknown. Sending the same bytes under the same key resolves it.
	Unresolved AttemptState = "unresolved"
	// Open: payable, and its URL may be given to the buyer.
	Open AttemptState = "open"
	// Superseding: a buyer asked for something else; the old checkout is being ended.
	Superseding AttemptState = "superseding"
	// Refused: the provider certainly has no checkout for it.
	Refused AttemptState = "refused"
	// Abandoned: rolled back with an unknown outcome; its URL was not disclosed. A checkout that the provider may have of it is
	// ended before the next attempt.
	Abandoned AttemptState = "abandoned"
	// Ended: the provider confirmed that it cannot be paid any more, or that it has none.
	Ended AttemptState = "ended"
	// AttemptProcessing: the buyer has finished, and the payment is being processed. Stored as "taken".
	AttemptProcessing AttemptState = "taken"
	// Settled: paid.
	Settled AttemptState = "settled"
)

// Payment is one payment, or one declined try to pay.
type Payment struct {
	ID       string // "PAY_…"
	Attempt  int
	Status   PaymentStatus
	Provider string
	Ref      string // the provider's id of the payment
	Method   string // "card", "" unknown
	Last4    string
	Reason   string // why it was declined, in the provider's words
	At       int64  // Unix milliseconds
}

// PaymentStatus is where a payment stands.
type PaymentStatus string

const (
	Succeeded PaymentStatus = "succeeded"
	Declined  PaymentStatus = "failed"
)

// Current is the last attempt.
func (o *Order) Current() *Attempt { return &o.Attempts[len(o.Attempts)-1] }

// Attempt is the n-th attempt, nil when there is none.
func (o *Order) Attempt(n int) *Attempt {
	if n < 1 || n > len(o.Attempts) {
		return nil
	}
	return &o.Attempts[n-1]
}

// Payment returns a payment by its id, nil when there is none.
func (o *Order) Payment(id string) *Payment {
	for i := range o.Payments {
		if o.Payments[i].ID == id {
			return &o.Payments[i]
		}
	}
	return nil
}

// PaidAt returns when the first payment succeeded, in Unix milliseconds; 0 if none did.
func (o *Order) PaidAt() int64 {
	for i := range o.Payments {
		if o.Payments[i].Status == Succeeded {
			return o.Payments[i].At
		}
	}
	return 0
}

// attemptOf finds the attempt of a provider's checkout, by the provider's id or, while we know no id, by its number; nil if
// there is none.
func (o *Order) attemptOf(r *psp.Checkout) *Attempt {
	for i := range o.Attempts {
		if a := &o.Attempts[i]; r.Ref != "" && a.Ref == r.Ref {
			return a
		}
	}
	if a := o.Attempt(r.Attempt); a != nil && (a.Ref == "" || r.Ref == "") {
		return a
	}
	return nil
}

// Sold is what was paid for, or else what the current attempt asks the buyer to pay for.
func (o *Order) Sold() *checkout.Order {
	for i := range o.Attempts {
		if o.Attempts[i].State == Settled {
			return &o.Attempts[i].Placed
		}
	}
	return &o.Current().Placed
}

// Published is the order's status in the API, and whether it is visible there. An order whose URL was never disclosed is not.
func (o *Order) Published() (status string, visible bool) {
	switch o.State {
	case Paid, PaidLate, RefundDue:
		return "completed", true
	case Expired, Canceled:
		return "canceled", true
	}
	for i := range o.Attempts {
		if o.Attempts[i].URL != "" {
			return "pending", true
		}
	}
	return "", false
}
