package admin

import (
	"context"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// Operator is the reviewer of a ticket that was decided by a command.
const Operator = "operator"

// Ticket is a refund ticket.
type Ticket struct {
	At           *time.Time           `json:"at"` // when it was submitted
	Environment  checkout.Environment `json:"environment"`
	ID           string               `json:"id"`
	Status       string               `json:"status"`
	OrderID      string               `json:"orderId"`
	PaymentID    string               `json:"paymentId"`
	SubmitterID  string               `json:"submitterId"`
	Amount       string               `json:"amount"`
	Refundable   string               `json:"refundable"` // what is left of the payment
	Currency     string               `json:"currency"`
	Reason       string               `json:"reason"`
	RefundID     string               `json:"refundId,omitempty"`
	RefundState  string               `json:"refundState,omitempty"`
	Failure      string               `json:"failure,omitempty"` // why the refund has failed, or the last error of its call
	RejectReason string               `json:"rejectReason,omitempty"`
}

func ticketOf(o *orders.Order, t *orders.Ticket) Ticket {
	p, version := o.Payment(t.PaymentID), t.Current()
	charged := o.Charged(p)
	shown := Ticket{At: moment(version.SubmittedAt), Environment: o.Environment, ID: t.ID, Status: string(t.Status), OrderID: o.ID, PaymentID: p.ID,
		SubmitterID: t.Submitter.ID, Amount: money.Amount{Minor: version.Amount, Currency: charged.Currency}.String(),
		Refundable: money.Amount{Minor: o.Refundable(p), Currency: charged.Currency}.String(), Currency: string(charged.Currency),
		Reason: version.Reason, RejectReason: t.RejectReason}
	if r := o.Refund(t.RefundID); r != nil {
		shown.RefundID, shown.RefundState, shown.Failure = r.ID, string(r.State), r.Failure
		if shown.Failure == "" {
			shown.Failure = r.LastError
		}
	}
	return shown
}

func (a *Admin) listTickets(ctx context.Context, in ListRequest) (List[Ticket], error) {
	return list(ctx, in, a.config.Reviews.OpenTickets, func(t *orders.OpenTicket) Ticket {
		return ticketOf(t.Order, t.Order.Ticket(t.TicketID))
	})
}

// ReviewRequest decides on a ticket.
type ReviewRequest struct {
	Environment string `json:"environment,omitempty"` // "" to look in both
	ID          string `json:"id"`
	Approve     bool   `json:"approve"`
	Note        string `json:"note,omitempty"` // why it is rejected, or a note on the approval
}

func (a *Admin) reviewTicket(ctx context.Context, in ReviewRequest) (reviewed Ticket, err error) {
	_, err = inOneOf(in.Environment, orders.ErrNotFound, func(env checkout.Environment) error {
		o, t, err := a.config.Orders.ReviewTicket(ctx, orders.Review{Environment: env, TicketID: in.ID, Approve: in.Approve, Reviewer: Operator, Note: in.Note})
		if err == nil {
			reviewed = ticketOf(o, t)
		}
		return missing(err)
	})
	if errors.Is(err, orders.ErrNotFound) {
		err = refusef(problem.NotFound, "there is no refund ticket %q%s", in.ID, where(in.Environment))
	}
	return reviewed, err
}

// CreateTicketRequest refunds a payment on behalf of its merchant.
type CreateTicketRequest struct {
	Environment string `json:"environment,omitempty"` // "" to look in both
	PaymentID   string `json:"paymentId"`
	Amount      string `json:"amount,omitempty"` // "" for all that is left
	Reason      string `json:"reason"`
}

func (a *Admin) createTicket(ctx context.Context, in CreateTicketRequest) (made Ticket, err error) {
	_, err = inOneOf(in.Environment, orders.ErrNotFound, func(env checkout.Environment) error {
		o, t, err := a.config.Orders.RefundPayment(ctx, orders.OperatorRefund{Environment: env, PaymentID: in.PaymentID, Amount: in.Amount, Reason: in.Reason})
		if err == nil {
			made = ticketOf(o, t)
		}
		return missing(err)
	})
	if errors.Is(err, orders.ErrNotFound) {
		err = refusef(problem.NotFound, "there is no payment %q%s", in.PaymentID, where(in.Environment))
	}
	return made, err
}

// missing returns [orders.ErrNotFound] for a problem that says so.
func missing(err error) error {
	if p, ok := errors.AsType[*problem.Problem](err); ok && p.Kind == problem.NotFound {
		return orders.ErrNotFound
	}
	return err
}
