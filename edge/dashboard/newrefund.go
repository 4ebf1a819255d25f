package dashboard

import (
	"errors"
	"strings"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// The operator refunds a payment in three steps: a form (newRefund), its confirmation (previewRefund) and the refund itself
// (refundPayment). Nothing is written before the last one, and the confirmation carries what was left of the payment.

// refundForm is the form, or its confirmation.
type refundForm struct {
	PaymentID string
	OrderPath string
	Facts     []fact
	Amount    string // as typed; what is left of the payment at first
	Reason    string
	Left      string // without the currency
	Currency  string
	Error     string
	Confirmed string // the amount with its currency, on the confirmation
	Path      string // of the form
}

// refundable reports whether an operator can refund a part of a payment now.
func refundable(o *orders.Order, p *orders.Payment) bool {
	for i := range o.Tickets {
		if t := &o.Tickets[i]; t.PaymentID == p.ID && t.Status.Open() {
			return false
		}
	}
	return p.Status == orders.Succeeded && o.Refundable(p) > 0
}

// newRefund shows the form that refunds a payment of the visit's environment.
func (h *Handler) newRefund(v *visit) (page, error) {
	form, err := h.refundForm(v, v.id)
	return page{template: "new-refund", title: "Refund a payment", data: form}, err
}

func (h *Handler) refundForm(v *visit, paymentID string) (*refundForm, error) {
	o, err := h.config.Orders.OrderOf(v.ctx, v.env, paymentID)
	if err != nil {
		return nil, err
	}
	p := o.Payment(paymentID)
	if p == nil {
		return nil, errNotFound
	}
	left := money.Amount{Minor: o.Refundable(p), Currency: o.Charged(p).Currency}
	return &refundForm{PaymentID: p.ID, OrderPath: v.path("orders", o.ID), Amount: left.String(), Left: left.String(), Currency: string(left.Currency),
		Path: v.path("refunds", p.ID), Facts: facts(
			fact{"Product", o.Sold().Product.Name, false, ""}, fact{"Buyer", o.Sold().BuyerEmail, false, ""},
			fact{"Order", o.ID, true, v.path("orders", o.ID)}, fact{"Payment", p.ID, true, ""},
			fact{"Charged", amount(o.Charged(p)), false, ""}, fact{"Left of it", amount(left), false, ""},
		)}, nil
}

// previewRefund shows the confirmation of a refund, or the form with the reason why the refund is refused.
func (h *Handler) previewRefund(v *visit, paymentID string) (page, error) {
	form, err := h.refundForm(v, paymentID)
	if err != nil {
		return page{}, err
	}
	asked := askedRefund(v, paymentID)
	form.Amount, form.Reason = asked.Amount, asked.Reason
	amounted, err := h.config.Refunds.PreviewRefund(v.ctx, asked)
	if refused, ok := errors.AsType[*problem.Problem](err); ok && statuses[refused.Kind] != 0 {
		form.Error = refused.Message
		return page{template: "new-refund", title: "Refund a payment", data: form, status: statuses[refused.Kind]}, nil
	}
	form.Amount, form.Confirmed = amounted.String(), amount(amounted)
	return page{template: "confirm-refund", title: "Refund " + form.Confirmed, data: form}, err
}

func askedRefund(v *visit, paymentID string) orders.OperatorRefund {
	field := func(name string) string { return strings.TrimSpace(string(v.PostArgs().Peek(name))) }
	return orders.OperatorRefund{Environment: v.env, PaymentID: paymentID, Amount: field("amount"), Reason: field("reason"), Left: field("left")}
}

// refundPayment refunds a payment as confirmed.
func (h *Handler) refundPayment(v *visit, paymentID string) (page, error) {
	asked := askedRefund(v, paymentID)
	if asked.Amount == "" || asked.Left == "" {
		return page{}, errUnconfirmed
	}
	o, _, err := h.config.Refunds.RefundPayment(v.ctx, asked)
	if err != nil {
		return page{}, err
	}
	return page{to: v.path("orders", o.ID, "done", "refund")}, nil
}

const codeUnconfirmed = "refund-unconfirmed" // no code of the API

// errUnconfirmed refuses a refund whose form is no confirmation.
var errUnconfirmed = problem.New(problem.Invalid, codeUnconfirmed, "", "Open the payment's refund form on the page of its order, and confirm it.")
