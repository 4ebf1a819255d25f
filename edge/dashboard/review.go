package dashboard

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// rows is a page of a list.
type rows[T any] struct {
	Items []T
	First string // path of the first page; "" on the first page
	Next  string // path of the next page; "" on the last page
}

// rowsOf converts a page of a store's list.
func rowsOf[T, Row any](v *visit, p psp.Page[T], row func(*T) Row) rows[Row] {
	r := rows[Row]{Items: make([]Row, len(p.Items))}
	for i := range p.Items {
		r.Items[i] = row(&p.Items[i])
	}
	if v.query("after") != "" {
		r.First = v.path(v.section.name, "")
	}
	if p.Next != "" {
		r.Next = v.path(v.section.name, "", "after", p.Next)
	}
	return r
}

// quarantinedRow is an event in quarantine. Its order id is what the provider reported, and can be any text.
type quarantinedRow struct {
	ID         string // PROVIDER/EVENT_ID
	At         int64
	What       string
	Amount     string
	Why        string
	References []reference
	HandledAt  int64
}

// reference names an object at the provider or here.
type reference struct{ Name, ID string }

func (h *Handler) quarantine(v *visit) (page, error) {
	listed, err := h.config.Orders.Quarantined(v.ctx, v.env, v.query("after"), pageSize)
	return page{template: "quarantine", title: "Quarantine", data: rowsOf(v, listed, quarantinedOf)}, err
}

func quarantinedOf(q *orders.Quarantined) quarantinedRow {
	r := quarantinedRow{ID: q.Provider + "/" + q.ID, At: q.QuarantinedAt, Amount: amount(q.Checkout.Total), HandledAt: q.HandledAt,
		Why: why(q.Why), What: "Event without a payment"}
	if r.At == 0 && !q.Created.IsZero() {
		r.At = q.Created.UnixMilli()
	}
	if q.Checkout.Paid {
		r.What = "Payment"
	}
	for _, one := range []reference{{"Event", q.ID}, {"Payment", q.Checkout.PaymentID}, {"Checkout", q.Checkout.Ref},
		{"Order", q.Checkout.OrderID}, {"Session", q.Checkout.SessionID}} {
		if one.ID != "" {
			r.References = append(r.References, one)
		}
	}
	return r
}

func why(text string) string {
	if text == "orders: not found" { // of an older version
		return "there is no such order"
	}
	return strings.TrimPrefix(text, "orders: ")
}

func (h *Handler) handleQuarantined(v *visit, do, id string) (page, error) {
	provider, event, _ := strings.Cut(id, "/")
	if do != "handled" {
		return page{}, errNotFound
	}
	return page{to: v.path("quarantine", "", "done", "handled")}, h.config.Reviews.HandleQuarantined(v.ctx, v.env, provider, event)
}

// refundDueRow is an order that was paid more than once.
type refundDueRow struct {
	OrderID, Path string
	At            int64
	Email         string
	Payments      []paidRow
	HandledAt     int64
}

// paidRow is one of the payments of such an order.
type paidRow struct {
	At                    int64
	Provider, Ref, Amount string
}

func (h *Handler) refundDue(v *visit) (page, error) {
	listed, err := h.config.Orders.RefundDue(v.ctx, v.env, v.query("after"), pageSize)
	data := rowsOf(v, listed, func(o *orders.Order) refundDueRow { return refundDueOf(v, o) })
	return page{template: "refund-due", title: "Refund due", data: data}, err
}

func refundDueOf(v *visit, o *orders.Order) refundDueRow {
	r := refundDueRow{OrderID: o.ID, Path: v.path("orders", o.ID), At: o.UpdatedAt, Email: o.Sold().BuyerEmail, HandledAt: o.RefundHandledAt}
	for _, p := range o.Payments {
		a := o.Attempt(p.Attempt)
		if p.Status == orders.Succeeded && a != nil {
			r.Payments = append(r.Payments, paidRow{p.At, p.Provider, p.Ref, amount(totalOf(a))})
		}
	}
	return r
}

// totalOf is what an attempt asks the buyer to pay.
func totalOf(a *orders.Attempt) money.Amount {
	q := &a.Placed.Quote
	return money.Amount{Minor: q.Assessment.Total, Currency: q.Currency}
}

func (h *Handler) handleRefundDue(v *visit, do, id string) (page, error) {
	if do != "handled" {
		return page{}, errNotFound
	}
	return page{to: v.path("refund-due", "", "done", "handled")}, h.config.Reviews.HandleRefund(v.ctx, v.env, id)
}
