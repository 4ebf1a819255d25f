package record

import (
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// The parts of an order that return money.

type ticket struct {
	ID           string              `json:"id"`
	PaymentID    string              `json:"paymentId"`
	Status       orders.TicketStatus `json:"status"`
	SubmitterID  string              `json:"submitterId"`
	ByMerchant   bool                `json:"byMerchant,omitempty"`
	ExternalID   string              `json:"externalId,omitempty"`
	Metadata     string              `json:"metadata,omitempty"` // a JSON object as text
	Versions     []ticketVersion     `json:"versions"`
	RefundID     string              `json:"refundId,omitempty"`
	ReviewerID   string              `json:"reviewerId,omitempty"`
	ReviewedAt   int64               `json:"reviewedAt,omitempty"`
	ReviewNote   string              `json:"reviewNote,omitempty"`
	RejectReason string              `json:"rejectReason,omitempty"`
	ExecutedAt   int64               `json:"executedAt,omitempty"`
	CreatedAt    int64               `json:"createdAt"`
	UpdatedAt    int64               `json:"updatedAt"`
}

type ticketVersion struct {
	ID          string `json:"id"`
	Reason      string `json:"reason"`
	Amount      int64  `json:"amount"`
	SubmittedAt int64  `json:"submittedAt"`
}

type refund struct {
	ID          string             `json:"id"`
	N           int                `json:"n,omitempty"`
	TicketID    string             `json:"ticketId,omitempty"`
	PaymentID   string             `json:"paymentId"`
	State       orders.RefundState `json:"state"`
	Amount      int64              `json:"amount"`
	Net         int64              `json:"net,omitempty"`
	Tax         int64              `json:"tax,omitempty"`
	Parts       []splitPart        `json:"parts,omitempty"`
	Provider    string             `json:"provider"`
	Account     account            `json:"account"`
	Key         string             `json:"key,omitempty"`
	Request     *request           `json:"request,omitempty"`
	SentAt      int64              `json:"sentAt"`
	EverUnknown bool               `json:"everUnknown,omitempty"`
	LookedForAt int64              `json:"lookedForAt,omitempty"`
	Tries       int                `json:"tries,omitempty"`
	Ref         string             `json:"ref,omitempty"`
	Failure     string             `json:"failure,omitempty"`
	LastError   string             `json:"lastError,omitempty"`
	CreatedAt   int64              `json:"createdAt"`
	UpdatedAt   int64              `json:"updatedAt"`
	SettledAt   int64              `json:"settledAt,omitempty"`
}

type splitPart struct {
	Taxable int64 `json:"taxable"`
	Amount  int64 `json:"amount"`
}

type dispute struct {
	Ref       string `json:"ref"`
	PaymentID string `json:"paymentId"`
	Amount    int64  `json:"amount,omitempty"`
	Status    string `json:"status"`
	Reason    string `json:"reason,omitempty"`
	OpenedAt  int64  `json:"openedAt"`
	ClosedAt  int64  `json:"closedAt,omitempty"`
}

func ticketOf(t orders.Ticket) ticket {
	return ticket{ID: t.ID, PaymentID: t.PaymentID, Status: t.Status, SubmitterID: t.Submitter.ID, ByMerchant: t.Submitter.Merchant,
		ExternalID: t.ExternalID, Metadata: t.Metadata, Versions: mapped(t.Versions, func(v orders.TicketVersion) ticketVersion { return ticketVersion(v) }),
		RefundID: t.RefundID, ReviewerID: t.ReviewerID, ReviewedAt: t.ReviewedAt, ReviewNote: t.ReviewNote, RejectReason: t.RejectReason,
		ExecutedAt: t.ExecutedAt, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
}

func (t ticket) domain() orders.Ticket {
	return orders.Ticket{ID: t.ID, PaymentID: t.PaymentID, Status: t.Status, Submitter: orders.Submitter{ID: t.SubmitterID, Merchant: t.ByMerchant},
		ExternalID: t.ExternalID, Metadata: t.Metadata, Versions: mapped(t.Versions, func(v ticketVersion) orders.TicketVersion { return orders.TicketVersion(v) }),
		RefundID: t.RefundID, ReviewerID: t.ReviewerID, ReviewedAt: t.ReviewedAt, ReviewNote: t.ReviewNote, RejectReason: t.RejectReason,
		ExecutedAt: t.ExecutedAt, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt}
}

func refundOf(r orders.Refund) refund {
	return refund{ID: r.ID, N: r.N, TicketID: r.TicketID, PaymentID: r.PaymentID, State: r.State, Amount: r.Amount,
		Net: r.Split.Net, Tax: r.Split.Tax, Parts: mapped(r.Split.Parts, func(p orders.SplitPart) splitPart { return splitPart(p) }),
		Provider: r.Provider, Account: account(r.Account), Key: r.Key, Request: requestOf(r.Request), SentAt: r.SentAt,
		EverUnknown: r.EverUnknown, LookedForAt: r.LookedForAt, Tries: r.Tries, Ref: r.Ref, Failure: r.Failure, LastError: r.LastError,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, SettledAt: r.SettledAt}
}

func (r refund) domain() orders.Refund {
	return orders.Refund{ID: r.ID, N: r.N, TicketID: r.TicketID, PaymentID: r.PaymentID, State: r.State, Amount: r.Amount,
		Split:    orders.Split{Net: r.Net, Tax: r.Tax, Parts: mapped(r.Parts, func(p splitPart) orders.SplitPart { return orders.SplitPart(p) })},
		Provider: r.Provider, Account: psp.Account(r.Account), Key: r.Key, Request: r.Request.rendered(), SentAt: r.SentAt,
		EverUnknown: r.EverUnknown, LookedForAt: r.LookedForAt, Tries: r.Tries, Ref: r.Ref, Failure: r.Failure, LastError: r.LastError,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, SettledAt: r.SettledAt}
}

func disputeOf(d orders.Dispute) dispute { return dispute(d) }

func (d dispute) domain() orders.Dispute { return orders.Dispute(d) }
