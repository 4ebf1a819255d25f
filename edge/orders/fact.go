package orders

import "github.com/crepe-checkout/crepe/core/checkout"

// Fact is what has happened to an order and concerns others than the buyer: the merchant's webhooks, the receipt. A [Store] keeps
// the facts of a change in an outbox, in the same transaction; package notify reads them there.
type Fact struct {
	Kind        FactKind
	Environment checkout.Environment
	StoreID     string
	OrderID     string
	EventID     string // the payment ("PAY_…") or refund ("REF_…") that it is about
	At          int64  // Unix milliseconds
}

// FactKind is what has happened. Its values are the published types of events, but for ReceiptMissing.
type FactKind string

const (
	// OrderCompleted: the order's first payment has arrived, in time or late. A second payment is a refund due and no second
	// completion: a merchant who heard of it would deliver twice. What the merchant hears of it is its refund.
	OrderCompleted FactKind = "order.completed"
	// RefundHasSucceeded: the provider has returned money, on a ticket's behalf or by hand.
	RefundHasSucceeded FactKind = "refund.succeeded"
	// RefundHasFailed: a refund was refused, or the buyer's bank has sent the money back.
	RefundHasFailed FactKind = "refund.failed"
	// ReceiptMissing: a version without receipts has recorded the payment that completed the order. Merchants do not hear of it.
	ReceiptMissing FactKind = "receipt.missing"
)

// CompletedBy returns the payment that completed the order, the first that succeeded; nil if none did.
func (o *Order) CompletedBy() *Payment {
	for i := range o.Payments {
		if o.Payments[i].Status == Succeeded {
			return &o.Payments[i]
		}
	}
	return nil
}

// completion is the fact that a payment has completed the order.
func (o *Order) completion(p *Payment, now int64) Fact {
	return Fact{Kind: OrderCompleted, Environment: o.Environment, StoreID: o.StoreID, OrderID: o.ID, EventID: p.ID, At: now}
}
