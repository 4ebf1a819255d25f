package dashboard

import (
	"context"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// Refunds is the part of [orders.Service] that makes refunds and decides on refund tickets.
type Refunds interface {
	// ReviewTicket approves or rejects a pending ticket. A refusal is a [*problem.Problem].
	ReviewTicket(ctx context.Context, r orders.Review) (*orders.Order, *orders.Ticket, error)

	// PreviewRefund and RefundPayment check and make a refund of a payment. A refusal is a [*problem.Problem].
	PreviewRefund(ctx context.Context, r orders.OperatorRefund) (money.Amount, error)
	RefundPayment(ctx context.Context, r orders.OperatorRefund) (*orders.Order, *orders.Ticket, error)
}

// operator is the reviewer of a ticket that was decided in the dashboard.
const operator = "operator"

var ticketStates = map[orders.TicketStatus]status{
	orders.TicketPending:    {"Waiting", "warn"},
	orders.TicketApproved:   {"Approved", ""},
	orders.TicketRejected:   {"Rejected", ""},
	orders.TicketProcessing: {"Processing", ""},
	orders.TicketSucceeded:  {"Refunded", "ok"},
	orders.TicketFailed:     {"Failed", "danger"},
}

var refundStates = map[orders.RefundState]status{
	orders.RefundSent:       {"Sent", ""},
	orders.RefundUnresolved: {"Outcome unknown", "warn"},
	orders.RefundPending:    {"On its way", ""},
	orders.RefundSucceeded:  {"Succeeded", "ok"},
	orders.RefundFailed:     {"Failed", "danger"},
}

// ticketRow is a refund ticket.
type ticketRow struct {
	ID           string
	Status       status
	Amount       string
	Reason       string
	Facts        []fact
	Pending      bool // waits for a decision
	SubmittedAt  int64
	Refundable   string // what is left of the payment
	RejectReason string

	FormToken, Action string // of the form that decides
}

func (h *Handler) refunds(v *visit) (page, error) {
	listed, err := h.config.Orders.OpenTickets(v.ctx, v.env, v.query("after"), pageSize)
	data := rowsOf(v, listed, func(t *orders.OpenTicket) ticketRow { return ticketOf(v, t.Order, t.Order.Ticket(t.TicketID)) })
	return page{template: "refunds", title: "Refunds", data: data}, err
}

func ticketOf(v *visit, o *orders.Order, t *orders.Ticket) ticketRow {
	p, asked := o.Payment(t.PaymentID), t.Current()
	currency := o.Charged(p).Currency
	in := func(minor int64) string { return amount(money.Amount{Minor: minor, Currency: currency}) }
	r := ticketRow{ID: t.ID, Status: ticketStates[t.Status], Amount: in(asked.Amount), Reason: asked.Reason, Pending: t.Status == orders.TicketPending,
		SubmittedAt: asked.SubmittedAt, Refundable: in(o.Refundable(p)), RejectReason: t.RejectReason,
		FormToken: v.login.formToken, Action: v.path("refunds", "")}
	by := "The buyer"
	if t.Submitter.Merchant {
		by = "The merchant"
	}
	failure := ""
	if refund := o.Refund(t.RefundID); refund != nil {
		if failure = refund.Failure; failure == "" {
			failure = refund.LastError
		}
	}
	r.Facts = facts(
		fact{"Ticket", t.ID, true, ""}, fact{"Order", o.ID, true, v.path("orders", o.ID)}, fact{"Payment", p.ID, true, ""},
		fact{"Charged", amount(o.Charged(p)), false, ""}, fact{"Asked by", by, false, ""}, fact{"Buyer", o.Sold().BuyerEmail, false, ""},
		fact{"Refund", t.RefundID, true, ""}, fact{"Last error", failure, false, ""}, fact{"Rejected for", t.RejectReason, false, ""},
	)
	return r
}

// refundRow is a refund of an order.
type refundRow struct {
	ID       string
	Status   status
	At       int64
	Amount   string
	Provider string
	Ref      string
	Error    string
	Document document // the credit note
}

func refundOf(o *orders.Order, r *orders.Refund) refundRow {
	row := refundRow{ID: r.ID, Status: refundStates[r.State], At: r.CreatedAt, Provider: r.Provider, Ref: r.Ref, Error: r.Failure}
	if row.Error == "" {
		row.Error = r.LastError
	}
	if p := o.Payment(r.PaymentID); p != nil {
		row.Amount = amount(money.Amount{Minor: r.Amount, Currency: o.Charged(p).Currency})
	}
	return row
}

// actOnRefunds approves or rejects a ticket, or refunds a payment.
func (h *Handler) actOnRefunds(v *visit, do, id string) (page, error) {
	switch do {
	case "approve", "reject":
		return h.reviewTicket(v, do, id)
	case "preview":
		return h.previewRefund(v, id)
	case "refund":
		return h.refundPayment(v, id)
	}
	return page{}, errNotFound
}

func (h *Handler) reviewTicket(v *visit, do, id string) (page, error) {
	_, _, err := h.config.Refunds.ReviewTicket(v.ctx, orders.Review{Environment: v.env, TicketID: id, Approve: do == "approve", Reviewer: operator,
		Note: string(v.PostArgs().Peek("note"))})
	return page{to: v.path("refunds", "", "done", do)}, err
}

// disputeRow is a payment that its buyer disputes at their bank.
type disputeRow struct {
	Ref, Status, Reason, Amount string
	OpenedAt                    int64
}

// addRefunds adds an order's tickets, refunds and disputes to its page, the newest first.
func (h *Handler) addRefunds(v *visit, p *orderPage, o *orders.Order) (err error) {
	for i := len(o.Tickets) - 1; i >= 0; i-- {
		p.Tickets = append(p.Tickets, ticketOf(v, o, &o.Tickets[i]))
	}
	for i := len(o.Refunds) - 1; i >= 0; i-- {
		row := refundOf(o, &o.Refunds[i])
		if row.Document, err = h.documentOf(v, o, row.ID); err != nil {
			return err
		}
		p.Refunds = append(p.Refunds, row)
	}
	for _, d := range o.Disputes {
		row := disputeRow{Ref: d.Ref, Status: sentence(d.Status), Reason: sentence(d.Reason), OpenedAt: d.OpenedAt}
		if paid := o.Payment(d.PaymentID); paid != nil && d.Amount > 0 {
			row.Amount = amount(money.Amount{Minor: d.Amount, Currency: o.Charged(paid).Currency})
		}
		p.Disputes = append(p.Disputes, row)
	}
	return nil
}
