package dashboard

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// ticketID is the id of the n-th ticket.
func ticketID(n int) string { return fmt.Sprintf("TKT_%022d", n) }

// asking is a paid order whose buyer asks for 10 euro back.
func asking(n int) func(*orders.Order) {
	return func(o *orders.Order) {
		paid(o)
		o.Tickets = []orders.Ticket{{ID: ticketID(n), PaymentID: o.Payments[0].ID, Status: orders.TicketPending, Submitter: orders.Submitter{ID: "user-1"},
			Versions: []orders.TicketVersion{{ID: "v", Reason: "It <b>does not</b> fit", Amount: 1000, SubmittedAt: o.CreatedAt}}, CreatedAt: o.CreatedAt}}
	}
}

// TestRefunds: a ticket is approved or rejected once, in its environment only.
func TestRefunds(t *testing.T) {
	w := open(t, token)
	w.logIn(t)
	const path = "/dashboard/test/refunds"
	w.get(path).shows(t, 200, "No refund ticket is open")
	w.ordered(t, checkout.Test, orderID(1), asking(1))
	w.ordered(t, checkout.Test, orderID(2), asking(2))
	w.get(path).shows(t, 200, ticketID(1), ticketID(2), "10.00 EUR", "34.51 EUR of the payment are left", "It &lt;b&gt;does not", "The buyer", "Refund 10.00 EUR")
	w.get("/dashboard/test").shows(t, 200, "2 refund tickets")
	w.get("/dashboard/prod/refunds").shows(t, 200, "No refund ticket is open")
	form := func(do, id, note string) url.Values {
		return url.Values{"token": {w.formToken(t, path)}, "do": {do}, "id": {id}, "note": {note}}
	}
	for _, wrong := range []url.Values{form("pay", ticketID(1), ""), form("approve", ticketID(3), ""), form("reject", "", ""), form("approve", orderID(1), "")} {
		w.do("POST", path, wrong).shows(t, 404)
	}
	w.do("POST", "/dashboard/prod/refunds", form("approve", ticketID(1), "")).shows(t, 404)
	w.do("POST", path, form("reject", ticketID(1), strings.Repeat("x", 1001))).shows(t, 400, "That cannot be done", "at most 1000 characters")

	if a := w.do("POST", path, form("reject", ticketID(1), "Too late")); a.to() != path+"?done=reject" {
		t.Errorf("reject: %d to %s", a.status, a.to())
	}
	if a := w.do("POST", path, form("approve", ticketID(2), "")); a.to() != path+"?done=approve" {
		t.Errorf("approve: %d to %s", a.status, a.to())
	}
	w.do("POST", path, form("approve", ticketID(1), "")).shows(t, 400, "That cannot be done", "rejected")
	w.get("/dashboard/test/orders/"+orderID(1)).shows(t, 200, "Rejected", "Too late")
	w.get("/dashboard/test/orders/"+orderID(2)).shows(t, 200, "Approved", ticketID(2))
	for n, want := range map[int]orders.TicketStatus{1: orders.TicketRejected, 2: orders.TicketApproved} {
		o, err := w.db.Order(t.Context(), checkout.Test, orderID(n))
		if err != nil || o.Tickets[0].Status != want || o.Tickets[0].ReviewerID != operator {
			t.Errorf("ticket %d: %+v, %v", n, o.Tickets, err)
		}
	}
}

// TestRefundsOfAnOrder: the page of an order shows its refunds and disputes.
func TestRefundsOfAnOrder(t *testing.T) {
	w := open(t, "")
	w.ordered(t, checkout.Test, orderID(1), func(o *orders.Order) {
		paid(o)
		pay := o.Payments[0].ID
		o.Refunds = []orders.Refund{{ID: "REF_1", N: 1, PaymentID: pay, State: orders.RefundSucceeded, Amount: 1000, Provider: "stripe", Ref: "re_1", CreatedAt: 1},
			{ID: "REF_2", N: 2, PaymentID: pay, State: orders.RefundUnresolved, Amount: 200, Provider: "stripe", LastError: "timeout", CreatedAt: 1}}
		o.Disputes = []orders.Dispute{{Ref: "dp_1", PaymentID: pay, Amount: 3451, Status: "needs_response", Reason: "fraudulent", OpenedAt: 1}}
	})
	w.get("/dashboard/test/orders/"+orderID(1)).shows(t, 200, "REF_1", "re_1", "10.00 EUR", "Succeeded", "REF_2", "Outcome unknown", "timeout", "dp_1", "Needs response", "Fraudulent")
}

// TestRefundedStatus: an order whose money was returned says so, in the list and on its page.
func TestRefundedStatus(t *testing.T) {
	w := open(t, "")
	shop := w.store(t, 1)
	for want, refund := range map[string]orders.Refund{
		"Paid":            {State: orders.RefundFailed, Amount: 3451},
		"Partly refunded": {State: orders.RefundSucceeded, Amount: 3450},
		"Refunded":        {State: orders.RefundSucceeded, Amount: 3451},
	} {
		n := len(want)
		w.ordered(t, checkout.Test, orderID(n), in(shop, func(o *orders.Order) {
			paid(o)
			refund.ID, refund.PaymentID = "REF_1", o.Payments[0].ID
			o.Refunds = []orders.Refund{refund}
		}))
		w.get("/dashboard/test/orders").shows(t, 200, ">"+want+"<")
		w.get("/dashboard/test/orders/"+orderID(n)).shows(t, 200, ">"+want+"<")
	}
}

// TestRefundPayment: a payment is refunded once, after a confirmation, in its environment only, and with the refusals of the service.
func TestRefundPayment(t *testing.T) {
	w := open(t, token)
	w.logIn(t)
	pay := "PAY_" + orderID(1)[4:]
	order, list, path := "/dashboard/test/orders/"+orderID(1), "/dashboard/test/refunds", "/dashboard/test/refunds/"+pay
	w.ordered(t, checkout.Test, orderID(1), paid)
	w.ordered(t, checkout.Test, orderID(2), asking(2))
	w.get(order).shows(t, 200, `href="`+path+`">Refund`)
	if a := w.get("/dashboard/test/orders/" + orderID(2)); strings.Contains(a.body, ">Refund<span") {
		t.Error("a payment with an open ticket can be refunded")
	}
	w.get(path).shows(t, 200, `value="34.51"`, "Amount in EUR", "ada@example.com")
	w.get("/dashboard/prod/refunds/"+pay).shows(t, 404)
	w.get("/dashboard/test/refunds/PAY_x").shows(t, 404)
	w.get("/dashboard/test/refunds/"+orderID(1)).shows(t, 404)
	form := func(do, amount, reason, left string) url.Values {
		return url.Values{"token": {w.formToken(t, path)}, "do": {do}, "id": {pay}, "amount": {amount}, "reason": {reason}, "left": {left}}
	}
	for _, c := range []struct{ amount, reason, text string }{
		{"34.52", "x", "Refund amount exceeds the refundable amount: 34.51 EUR"},
		{"-1", "x", "expected positive numeric string"},
		{"1.001", "x", "expected positive numeric string"},
		{"1", "", "Missing required field: reason"},
		{"1", strings.Repeat("x", 1001), "reason must be at most 1000 characters"},
	} {
		w.do("POST", list, form("preview", c.amount, c.reason, "")).shows(t, 400, c.text, `name="amount" value="`+c.amount+`"`)
		w.do("POST", list, form("refund", c.amount, c.reason, "34.51")).shows(t, 400, c.text)
	}
	w.do("POST", "/dashboard/prod/refunds", form("preview", "1", "x", "")).shows(t, 404)
	w.do("POST", "/dashboard/prod/refunds", form("refund", "1", "x", "34.51")).shows(t, 404)
	w.do("POST", list, form("refund", "10", "<b>Goodwill</b>", "")).shows(t, 400, "confirm it")
	foreign := form("refund", "10", "x", "34.51")
	foreign.Set("token", "x")
	w.do("POST", list, foreign).shows(t, 403)
	w.do("POST", list, form("preview", "10", "<b>Goodwill</b>", "")).shows(t, 200, "Refund 10.00 EUR?", "&lt;b&gt;Goodwill", `name="left" value="34.51"`, `name="amount" value="10.00"`)
	if o, err := w.db.Order(t.Context(), checkout.Test, orderID(1)); err != nil || len(o.Tickets) != 0 {
		t.Errorf("written before the confirmation: %+v, %v", o, err)
	}

	confirmed := form("refund", "10.00", "Goodwill", "34.51")
	if a := w.do("POST", list, confirmed); a.to() != order+"?done=refund" {
		t.Errorf("%d to %s: %s", a.status, a.to(), a.body)
	}
	w.do("POST", list, confirmed).shows(t, 409, "That cannot be done", "already open")
	w.get(order+"?done=refund").shows(t, 200, "The refund is recorded", "10.00 EUR", "Goodwill", "The merchant")
	o, err := w.db.Order(t.Context(), checkout.Test, orderID(1))
	if err != nil || len(o.Tickets) != 1 || o.Tickets[0].Status != orders.TicketApproved || o.Tickets[0].Current().Amount != 1000 || !o.Tickets[0].Submitter.Merchant {
		t.Errorf("%+v, %v", o.Tickets, err)
	}
}
