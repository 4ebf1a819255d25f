package notify

import (
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// refundData is the data of refund.succeeded and refund.failed. Amount is that of the refund; what else it has of orderData describes
// the payment that is refunded, and ReceiptURL is that of the credit note, or of the receipt that takes one back.
type refundData struct {
	orderData
	RefundID              string     `json:"refundId"`
	TicketExternalID      string     `json:"refundTicketMerchantExternalId,omitempty"`
	RefundedAmount        string     `json:"refundedAmount,omitempty"` // only if the money was returned
	OriginalChargedAmount string     `json:"originalChargedAmount"`
	OriginalPayment       *breakdown `json:"originalPayment"`
	RefundStatus          string     `json:"refundStatus"`
	RefundReason          string     `json:"refundReason,omitempty"` // of the ticket
	RefundCreatedAt       string     `json:"refundCreatedAt"`
}

// refunded is the data of a refund's event. The status is that of the fact: a refund that has succeeded can fail before its first event
// is made.
func (s *sale) refunded(f *orders.Fact) (*refundData, error) {
	r := s.order.Refund(f.EventID)
	if r == nil {
		return nil, fmt.Errorf("%s has no refund %s", s.order.ID, f.EventID)
	}
	paid, err := s.completed(r.PaymentID)
	if err != nil {
		return nil, err
	}
	d := &refundData{orderData: *paid, RefundID: r.ID, OriginalChargedAmount: paid.ChargedAmount, OriginalPayment: paid.ListPrice,
		RefundStatus: "failed", RefundCreatedAt: time.UnixMilli(r.CreatedAt).UTC().Format(wireTime)}
	d.ChargedAmount, d.ListPrice = "", nil
	d.Amount = money.Amount{Minor: r.Amount, Currency: paid.Currency}.String()
	if f.Kind == orders.RefundHasSucceeded {
		d.RefundStatus, d.RefundedAmount = "succeeded", d.Amount
	}
	if t := s.order.Ticket(r.TicketID); t != nil {
		d.RefundReason, d.TicketExternalID = t.Current().Reason, t.ExternalID
	}
	return d, nil
}
