package orders

import (
	"slices"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Ticket is a request to return the money of a payment, in full or in part. At most one of a payment is open.
type Ticket struct {
	ID           string // "TKT_…"
	PaymentID    string // "PAY_…"
	Status       TicketStatus
	Submitter    Submitter
	ExternalID   string          // the merchant's name for it
	Metadata     string          // a JSON object, "" for an empty one
	Versions     []TicketVersion // oldest first, never empty; the last one is current
	RefundID     string          // "REF_…", "" until it was approved
	ReviewerID   string          // who approved or rejected it, "" for nobody yet
	ReviewedAt   int64           // Unix milliseconds, 0 for not yet
	ReviewNote   string
	RejectReason string
	ExecutedAt   int64 // when the provider had made the refund, or refused it; Unix milliseconds, 0 for not yet
	CreatedAt    int64
	UpdatedAt    int64
}

// Submitter is who asked for a refund.
type Submitter struct {
	ID       string // the merchant's id, or the merchant's name for the buyer
	Merchant bool
}

// TicketVersion is what a ticket asks for. Submitting a rejected ticket again adds one.
type TicketVersion struct {
	ID          string // a UUID
	Reason      string
	Amount      int64 // minor units of the payment's currency
	SubmittedAt int64 // Unix milliseconds
}

// TicketStatus is where a ticket stands, as published.
type TicketStatus string

const (
	TicketPending    TicketStatus = "pending"    // waits for the merchant
	TicketApproved   TicketStatus = "approved"   // its refund has not begun yet
	TicketRejected   TicketStatus = "rejected"   // can be submitted again
	TicketProcessing TicketStatus = "processing" // its refund is on its way, or it is unknown whether it is
	TicketSucceeded  TicketStatus = "succeeded"
	TicketFailed     TicketStatus = "failed"
)

// Open reports whether the ticket is undecided or its refund is on its way.
func (s TicketStatus) Open() bool {
	return s == TicketPending || s == TicketApproved || s == TicketProcessing
}

// Current is the version that counts now.
func (t *Ticket) Current() *TicketVersion { return &t.Versions[len(t.Versions)-1] }

// Refund is one refund of a payment at the provider, or the call that is to make it.
type Refund struct {
	ID        string // "REF_…"
	N         int    // from 1 among those of the order that were made here; 0 for one that was made at the provider by hand
	TicketID  string // "" for one that was made at the provider by hand
	PaymentID string // "PAY_…"
	State     RefundState
	Amount    int64 // minor units of the payment's currency
	Split     Split // how it divides; empty until the provider has the refund

	Provider string
	Account  psp.Account
	Key      string              // idempotency key; "" for one that was made by hand
	Request  psp.RenderedRequest // emptied when the bytes are never sent again
	SentAt   int64               // Unix milliseconds

	EverUnknown bool  // an earlier try may have had its effect
	LookedForAt int64 // since when only the provider's list can tell what became of the call, Unix milliseconds; 0 for never
	Tries       int
	Ref         string // the provider's refund, "" until known
	Failure     string // why it failed, in the provider's words
	LastError   string // for operators; holds no buyer data
	CreatedAt   int64
	UpdatedAt   int64
	SettledAt   int64 // when it succeeded or failed for the first time; 0 for not yet
}

// RefundState is where a refund stands; refund_state.go moves it.
type RefundState string

const (
	// RefundSent: persisted and possibly at the provider.
	RefundSent RefundState = "sent"
	// RefundUnresolved: the provider may or may not have it.
	RefundUnresolved RefundState = "unresolved"
	// RefundPending: the provider has it, the money is on its way.
	RefundPending RefundState = "pending"
	// RefundSucceeded: the buyer has the money. It can still fail, if the buyer's bank sends it back.
	RefundSucceeded RefundState = "succeeded"
	// RefundFailed: the provider has refused or failed it.
	RefundFailed RefundState = "failed"
)

// confirmed reports whether the provider has the refund and has not failed it.
func (r *Refund) confirmed() bool { return r.State == RefundPending || r.State == RefundSucceeded }

// refundStatus values of a payment, as published.
const (
	RefundStatusNone     = "none"
	RefundStatusPending  = "pending"  // a ticket is open, or a refund is on its way
	RefundStatusRefunded = "refunded" // in full or in part
	RefundStatusFailed   = "failed"
)

// Ticket is the ticket with an id, nil when there is none.
func (o *Order) Ticket(id string) *Ticket {
	return find(o.Tickets, func(t *Ticket) bool { return t.ID == id })
}

// Refund is the refund with an id, nil when there is none.
func (o *Order) Refund(id string) *Refund {
	return find(o.Refunds, func(r *Refund) bool { return r.ID == id })
}

// find returns the element of which is holds, nil when there is none.
func find[T any](all []T, is func(*T) bool) *T {
	for i := range all {
		if is(&all[i]) {
			return &all[i]
		}
	}
	return nil
}

// Quote is what a payment has paid for: the quote of its attempt. It is nil for a payment of an unknown attempt.
func (o *Order) Quote(p *Payment) *checkout.Quote {
	if a := o.Attempt(p.Attempt); a != nil {
		return &a.Placed.Quote
	}
	return nil
}

// Charged is what a payment has paid; zero unless it has succeeded.
func (o *Order) Charged(p *Payment) money.Amount {
	q := o.Quote(p)
	if q == nil || p.Status != Succeeded {
		return money.Amount{}
	}
	return money.Amount{Minor: q.Assessment.Total, Currency: q.Currency}
}

// Refundable is what is left of a payment to be refunded, in minor units. A refund whose outcome is unknown counts.
func (o *Order) Refundable(p *Payment) int64 {
	left := o.Charged(p).Minor
	for i := range o.Refunds {
		if r := &o.Refunds[i]; r.PaymentID == p.ID && r.State != RefundFailed {
			left -= r.Amount
		}
	}
	return max(0, left)
}

// RefundStatus is the published refundStatus of a payment.
func (o *Order) RefundStatus(p *Payment) string {
	has := func(states ...RefundState) bool {
		return slices.ContainsFunc(o.Refunds, func(r Refund) bool { return r.PaymentID == p.ID && slices.Contains(states, r.State) })
	}
	open := slices.ContainsFunc(o.Tickets, func(t Ticket) bool { return t.PaymentID == p.ID && t.Status.Open() })
	switch {
	case open || has(RefundSent, RefundUnresolved, RefundPending):
		return RefundStatusPending
	case has(RefundSucceeded):
		return RefundStatusRefunded
	case has(RefundFailed):
		return RefundStatusFailed
	}
	return RefundStatusNone
}

// Dispute is a payment that its buyer disputes at their bank.
type Dispute struct {
	Ref       string // the provider's id
	PaymentID string // "PAY_…"
	Amount    int64  // minor units of the payment's currency; 0 unless the dispute is in that currency
	Status    string // in the provider's words
	Reason    string // in the provider's words
	OpenedAt  int64  // Unix milliseconds
	ClosedAt  int64  // Unix milliseconds, 0 for not yet
}
