package orders

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// OperatorRefund is what an operator returns of a payment, on behalf of its merchant.
type OperatorRefund struct {
	Environment checkout.Environment
	PaymentID   string
	Amount      string // in the payment's currency and its own decimals, "29.00"; "" for all that is left of the payment
	Reason      string

	// Left is what was left of the payment when the operator decided, like Amount. The refund is refused if something else is left
	// by now, so that a confirmation that arrives twice refunds once. "" is not compared.
	Left string
}

const codePaymentChanged = "payment-changed" // no code of the API

var errPaymentChanged = problem.New(problem.Conflict, codePaymentChanged, "/paymentId",
	"Another refund of this payment was made meanwhile. Look at the order again before you refund more.")

// RefundPayment refunds a payment at once, at any time after it. Errors are as of [Service.CreateTicket].
func (s *Service) RefundPayment(ctx context.Context, r OperatorRefund) (*Order, *Ticket, error) {
	id := s.newID(shortid.Ticket)
	o, err := s.onOrder(ctx, "", func() (*Order, error) { return s.orderOfPayment(ctx, &r) }, func(f *flow) error {
		f.operator = true
		asked, err := f.operatorRequest(&r)
		if err != nil {
			return err
		}
		return f.createTicket(id, Submitter{ID: f.order.MerchantID, Merchant: true}, asked)
	})
	if err != nil {
		return nil, nil, err
	}
	return o, o.Ticket(id), nil
}

// PreviewRefund returns what [Service.RefundPayment] would return of a payment, or its refusal. It writes nothing.
func (s *Service) PreviewRefund(ctx context.Context, r OperatorRefund) (amount money.Amount, err error) {
	o, err := s.orderOfPayment(ctx, &r)
	if err != nil {
		return amount, err
	}
	f := flow{Service: s, ctx: ctx, order: o, operator: true}
	asked, err := f.operatorRequest(&r)
	if err != nil {
		return amount, err
	}
	version, err := f.version(asked)
	return money.Amount{Minor: version.Amount, Currency: o.Charged(o.Payment(r.PaymentID)).Currency}, err
}

func (s *Service) orderOfPayment(ctx context.Context, r *OperatorRefund) (*Order, error) {
	o, err := s.config.Store.OrderOf(ctx, r.Environment, r.PaymentID)
	if errors.Is(err, ErrNotFound) || err == nil && o.Payment(r.PaymentID) == nil {
		return nil, errPaymentUnknown
	}
	return o, err
}

// operatorRequest returns the request that an operator's refund makes of the order's payment.
func (f *flow) operatorRequest(r *OperatorRefund) (*TicketRequest, error) {
	p := f.order.Payment(r.PaymentID)
	left := money.Amount{Minor: f.order.Refundable(p), Currency: f.order.Charged(p).Currency}
	asked := TicketRequest{PaymentID: r.PaymentID, Reason: r.Reason, Amount: r.Amount, Currency: string(left.Currency)}
	if asked.Amount == "" {
		asked.Amount = left.String()
	}
	if r.Left != "" && r.Left != left.String() {
		return nil, errPaymentChanged
	}
	return &asked, asked.check()
}
