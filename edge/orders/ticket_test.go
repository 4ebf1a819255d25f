package orders_test

import (
	"slices"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// merchant1 is the scope of the merchant whose orders these tests refund.
var merchant1 = orders.Scope{Environment: checkout.Test, MerchantID: "MER_1"}

// sold returns a service whose order user-17 has paid.
func sold(t *testing.T) (*desk, *orders.Order) {
	t.Helper()
	d, o := ordered(t)
	d.apply(t, d.event(o, 1, psp.EventCompleted, "evt_paid"))
	_, o = d.stored(t)
	return d, o
}

// ask creates a ticket for a part of the first payment.
func (d *desk) ask(t *testing.T, scope orders.Scope, amount string) (*orders.Ticket, error) {
	t.Helper()
	_, o := d.stored(t)
	_, ticket, err := d.CreateTicket(t.Context(), scope, orders.TicketRequest{PaymentID: o.Payments[0].ID, Reason: "not as described",
		Amount: amount, Currency: "EUR"}, "")
	return ticket, err
}

// made sums what the provider has refunded.
func (d *desk) made() (sum int64) {
	d.provider.mu.Lock()
	defer d.provider.mu.Unlock()
	for _, r := range d.refundList {
		if r.Status != psp.RefundFailed {
			sum += r.Amount.Minor
		}
	}
	return sum
}

// kinds are the facts of refunds in the outbox.
func (d *desk) kinds(t *testing.T) (kinds []orders.FactKind) {
	t.Helper()
	queued, err := d.db.Facts(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range queued {
		if f.Kind != orders.OrderCompleted {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

// TestMerchantRefund: a merchant's ticket is executed at once, in parts until nothing is left, and the parts add up to the order.
func TestMerchantRefund(t *testing.T) {
	d, o := sold(t)
	total := o.Sold().Quote.Assessment
	if total.Total != 3451 || total.Tax != 551 {
		t.Fatalf("the order is %+v", total)
	}
	for i, amount := range []string{"10.00", "0.01", "24.50"} {
		ticket, err := d.ask(t, merchant1, amount)
		if err != nil || ticket.Status != orders.TicketSucceeded || ticket.Submitter != (orders.Submitter{ID: "MER_1", Merchant: true}) {
			t.Fatalf("%s: %+v, %v", amount, ticket, err)
		}
		if _, o = d.stored(t); len(o.Refunds) != i+1 || o.RefundStatus(&o.Payments[0]) != orders.RefundStatusRefunded || o.DueAt() != 0 {
			t.Errorf("after %s: %+v, due %d", amount, o.Refunds, o.DueAt())
		}
	}
	var net, tax, component int64
	for _, r := range o.Refunds {
		net, tax, component = net+r.Split.Net, tax+r.Split.Tax, component+r.Split.Parts[0].Amount
	}
	if net != total.Subtotal || tax != total.Tax || component != total.Tax || d.made() != total.Total {
		t.Errorf("the splits are %d + %d (%d), of %+v", net, tax, component, total)
	}
	_, err := d.ask(t, merchant1, "0.01")
	wantProblem(t, err, problem.Invalid, "Refund amount exceeds the refundable amount: 0.00 EUR")
	if got := d.kinds(t); !slices.Equal(got, []orders.FactKind{orders.RefundHasSucceeded, orders.RefundHasSucceeded, orders.RefundHasSucceeded}) {
		t.Errorf("the facts are %v", got)
	}
}

// TestCustomerRefund: a customer's ticket waits. It is rejected, submitted again and approved.
func TestCustomerRefund(t *testing.T) {
	d, o := sold(t)
	ticket, err := d.ask(t, buyer17, "10.00")
	if err != nil || ticket.Status != orders.TicketPending || len(d.refundKeys) != 0 {
		t.Fatalf("%+v, %v", ticket, err)
	}
	_, err = d.ask(t, buyer17, "1.00")
	wantProblem(t, err, problem.Conflict, "A refund ticket is already open for this payment")
	open, err := d.db.OpenTickets(t.Context(), checkout.Test, "", 10)
	if err != nil || len(open.Items) != 1 || open.Items[0].TicketID != ticket.ID || open.Items[0].Order.ID != o.ID {
		t.Fatalf("open are %+v, %v", open, err)
	}
	review := func(approve bool) (*orders.Ticket, error) {
		_, ticket, err := d.ReviewTicket(t.Context(), orders.Review{Environment: checkout.Test, TicketID: ticket.ID, Approve: approve, Reviewer: "op", Note: "because"})
		return ticket, err
	}
	if ticket, err = review(false); err != nil || ticket.Status != orders.TicketRejected || ticket.RejectReason != "because" || ticket.ReviewerID != "op" {
		t.Fatalf("%+v, %v", ticket, err)
	}
	_, err = review(true)
	wantProblem(t, err, problem.Invalid, "Refund ticket cannot be approved, current status: rejected")
	again := orders.TicketRequest{PaymentID: o.Payments[0].ID, Reason: "really", Amount: "9.00", Currency: "EUR"}
	_, ticket, err = d.ResubmitTicket(t.Context(), buyer17, ticket.ID, again, "")
	if err != nil || ticket.Status != orders.TicketPending || len(ticket.Versions) != 2 || ticket.Current().Amount != 900 || ticket.RejectReason != "" {
		t.Fatalf("%+v, %v", ticket, err)
	}
	_, _, err = d.ResubmitTicket(t.Context(), buyer17, ticket.ID, again, "")
	wantProblem(t, err, problem.Invalid, "Refund ticket cannot be resubmitted, current status: pending")
	if ticket, err = review(true); err != nil || ticket.Status != orders.TicketSucceeded || d.made() != 900 {
		t.Fatalf("%+v, %v, %d refunded", ticket, err, d.made())
	}
	if open, err = d.db.OpenTickets(t.Context(), checkout.Test, "", 10); err != nil || len(open.Items) != 0 {
		t.Errorf("open are %+v, %v", open, err)
	}
}

// TestTicketRefusals: what is wrong is refused with its text, and nothing is written.
func TestTicketRefusals(t *testing.T) {
	d, o := sold(t)
	payment := o.Payments[0].ID
	long := make([]rune, 1001)
	for i := range long {
		long[i] = 'é'
	}
	for _, c := range []struct {
		name string
		edit func(*orders.TicketRequest)
		kind problem.Kind
		text string
	}{
		{"no payment", func(r *orders.TicketRequest) { r.PaymentID = "" }, problem.Invalid, "Missing required field: paymentId"},
		{"unknown payment", func(r *orders.TicketRequest) { r.PaymentID = "PAY_0000000000000000000001" }, problem.NotFound, "Payment not found"},
		{"malformed payment", func(r *orders.TicketRequest) { r.PaymentID = "x" }, problem.NotFound, "Payment not found"},
		{"an order's id", func(r *orders.TicketRequest) { r.PaymentID = o.ID }, problem.NotFound, "Payment not found"},
		{"no reason", func(r *orders.TicketRequest) { r.Reason = "" }, problem.Invalid, "Missing required field: reason"},
		{"long reason", func(r *orders.TicketRequest) { r.Reason = string(long) }, problem.Invalid, "reason must be at most 1000 characters"},
		{"no amount", func(r *orders.TicketRequest) { r.Amount = "" }, problem.Invalid, "Missing required field: requestedAmount.amount"},
		{"zero", func(r *orders.TicketRequest) { r.Amount = "0" }, problem.Invalid, `Invalid requestedAmount.amount: expected positive numeric string in display format (e.g., "9.99", "1000")`},
		{"too precise", func(r *orders.TicketRequest) { r.Amount = "1.001" }, problem.Invalid, `Invalid requestedAmount.amount: expected positive numeric string in display format (e.g., "9.99", "1000")`},
		{"too much", func(r *orders.TicketRequest) { r.Amount = "34.52" }, problem.Invalid, "Refund amount exceeds the refundable amount: 34.51 EUR"},
		{"no currency", func(r *orders.TicketRequest) { r.Currency = "" }, problem.Invalid, "Missing required field: requestedAmount.currency"},
		{"no such currency", func(r *orders.TicketRequest) { r.Currency = "XXX1" }, problem.Invalid, `Invalid requestedAmount.currency: expected 3-letter ISO 4217 currency code (e.g., "USD")`},
		{"another currency", func(r *orders.TicketRequest) { r.Currency = "USD" }, problem.Invalid, "Refund currency mismatch: expected EUR"},
		{"long external id", func(r *orders.TicketRequest) { r.ExternalID = string(long[:129]) }, problem.Invalid, "refundTicketMerchantExternalId must be at most 128 characters"},
		{"long metadata", func(r *orders.TicketRequest) { r.Metadata = string(make([]byte, 4097)) }, problem.Invalid, "metadata must be at most 4096 bytes of JSON"},
	} {
		r := orders.TicketRequest{PaymentID: payment, Reason: "r", Amount: "1.00", Currency: "EUR"}
		c.edit(&r)
		_, _, err := d.CreateTicket(t.Context(), merchant1, r, "")
		t.Log(c.name)
		wantProblem(t, err, c.kind, c.text)
	}
	for name, scope := range map[string]orders.Scope{
		"another buyer":       {Environment: checkout.Test, StoreID: "STO_1", Identity: "user-18"},
		"another store":       {Environment: checkout.Test, StoreID: "STO_2", Identity: "user-17"},
		"another environment": {Environment: checkout.Prod, MerchantID: "MER_1"},
		"another merchant":    {Environment: checkout.Test, MerchantID: "MER_2"},
	} {
		t.Log(name)
		_, err := d.ask(t, scope, "1.00")
		wantProblem(t, err, problem.NotFound, "Payment not found")
		_, _, err = d.ResubmitTicket(t.Context(), scope, "TKT_0000000000000000000001", orders.TicketRequest{PaymentID: payment, Reason: "r", Amount: "1.00", Currency: "EUR"}, "")
		wantProblem(t, err, problem.NotFound, "Payment not found")
	}
	d.ahead += 14*24*time.Hour + time.Minute
	_, err := d.ask(t, merchant1, "1.00")
	wantProblem(t, err, problem.Invalid, "Refund window has closed: 14 days after the payment")
	if _, now := d.stored(t); now.Version != o.Version || len(d.refundKeys) != 0 {
		t.Errorf("the order was written, %d calls", len(d.refundKeys))
	}
	_, ticket, err := d.RefundPayment(t.Context(), orders.OperatorRefund{Environment: checkout.Test, PaymentID: payment, Reason: "goodwill"})
	if err != nil || ticket.Status != orders.TicketSucceeded || d.made() != 3451 {
		t.Errorf("an operator's refund after the window: %+v, %v", ticket, err)
	}
	_, _, err = d.RefundPayment(t.Context(), orders.OperatorRefund{Environment: checkout.Test, PaymentID: payment, Reason: "goodwill"})
	wantProblem(t, err, problem.Invalid, "Refund amount exceeds the refundable amount: 0.00 EUR")
}

// TestOperatorRefundOnce: a confirmation that arrives twice refunds once, and a preview writes nothing.
func TestOperatorRefundOnce(t *testing.T) {
	d, o := sold(t)
	r := orders.OperatorRefund{Environment: checkout.Test, PaymentID: o.Payments[0].ID, Amount: "10.00", Reason: "goodwill", Left: "34.51"}
	if amount, err := d.PreviewRefund(t.Context(), r); err != nil || amount.Minor != 1000 || amount.Currency != "EUR" || d.made() != 0 {
		t.Errorf("previewed %+v, %v; %d refunded", amount, err, d.made())
	}
	if _, _, err := d.RefundPayment(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, _, err := d.RefundPayment(t.Context(), r)
	wantProblem(t, err, problem.Conflict, "Another refund of this payment was made meanwhile. Look at the order again before you refund more.")
	_, err = d.PreviewRefund(t.Context(), r)
	wantProblem(t, err, problem.Conflict, "Another refund of this payment was made meanwhile. Look at the order again before you refund more.")
	r.Left, r.Amount = "24.51", "24.52"
	_, err = d.PreviewRefund(t.Context(), r)
	wantProblem(t, err, problem.Invalid, "Refund amount exceeds the refundable amount: 24.51 EUR")
	if d.made() != 1000 {
		t.Errorf("%d refunded", d.made())
	}
}

// TestUnknownRefund: whatever a failed call proves, the ticket stays processing until the provider says what became of it; the
// buyer's money is returned once or not at all, and never under a second key.
func TestUnknownRefund(t *testing.T) {
	for _, c := range []struct {
		name   string
		class  psp.ErrorClass
		effect bool // the failed call has made the refund
		then   orders.TicketStatus
		made   int64
	}{
		{"unknown, not made", psp.Unknown, false, orders.TicketSucceeded, 1000},
		{"unknown, made", psp.Unknown, true, orders.TicketSucceeded, 1000},
		{"in progress", psp.InProgress, true, orders.TicketSucceeded, 1000},
		{"not executed", psp.NotExecuted, false, orders.TicketSucceeded, 1000},
		{"a stored failure, not made", psp.KeyBurned, false, orders.TicketFailed, 0},
		{"a stored failure, made", psp.KeyBurned, true, orders.TicketSucceeded, 1000},
		{"the key was used", psp.KeyTaken, false, orders.TicketFailed, 0},
		{"the key was used for the same", psp.KeyTaken, true, orders.TicketSucceeded, 1000},
		{"refused", psp.Definitive, false, orders.TicketFailed, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := sold(t)
			d.refundEffect = c.effect
			d.refundFaults = slices.Repeat([]*psp.CallError{{Class: c.class, Status: 401}}, 4) // 401 is not worth a second try at once
			ticket, err := d.ask(t, merchant1, "10.00")
			first := orders.TicketProcessing
			if c.class == psp.Definitive {
				first = orders.TicketFailed
			}
			if err != nil || ticket.Status != first {
				t.Fatalf("%+v, %v", ticket, err)
			}
			d.refundFaults = nil
			var o *orders.Order
			for range 20 {
				o = d.sweep(t, 5*time.Minute)
			}
			if got := o.Tickets[0].Status; got != c.then || d.made() != c.made || len(o.Refunds) != 1 || o.DueAt() != 0 {
				t.Errorf("the ticket is %s, %d refunded, %+v", got, d.made(), o.Refunds)
			}
			for _, key := range d.refundKeys {
				if key != d.refundKeys[0] {
					t.Errorf("sent under the keys %q", d.refundKeys)
				}
			}
			if want := map[orders.TicketStatus]orders.FactKind{orders.TicketSucceeded: orders.RefundHasSucceeded, orders.TicketFailed: orders.RefundHasFailed}[c.then]; !slices.Equal(d.kinds(t), []orders.FactKind{want}) {
				t.Errorf("the facts are %v", d.kinds(t))
			}
			if c.then == orders.TicketFailed {
				if ticket, err := d.ask(t, merchant1, "34.51"); err != nil || ticket.Status != orders.TicketSucceeded || d.made() != 3451 {
					t.Errorf("another refund: %+v, %v", ticket, err)
				}
			}
		})
	}
}

// TestPendingRefund: a refund whose money is on its way ends by the provider's webhook or when it is asked.
func TestPendingRefund(t *testing.T) {
	for _, last := range []psp.RefundStatus{psp.RefundSucceeded, psp.RefundFailed} {
		d, _ := sold(t)
		d.refundAs = psp.RefundPending
		ticket, err := d.ask(t, merchant1, "10.00")
		if err != nil || ticket.Status != orders.TicketProcessing || len(d.kinds(t)) != 0 {
			t.Fatalf("%+v, %v, %v", ticket, err, d.kinds(t))
		}
		d.refundList[0].Status = last
		if o := d.sweep(t, time.Minute); o.Refunds[0].State != orders.RefundPending {
			t.Errorf("asked too early: %s", o.Refunds[0].State)
		}
		o := d.sweep(t, 2*time.Hour)
		if len(d.kinds(t)) != 1 || o.Tickets[0].Status.Open() || (o.Refundable(&o.Payments[0]) == 3451) != (last == psp.RefundFailed) {
			t.Errorf("then it is %+v, %v", o.Tickets[0], d.kinds(t))
		}
	}
}

// refundEvent is the webhook of a refund as the provider has it.
func (d *desk) refundEvent(r psp.Refund, id string) psp.Event {
	return psp.Event{ID: id, Kind: psp.EventRefund, Created: time.Now(), Refund: r}
}

// TestRefundEvents: reports may come in any order and repeatedly; a success that fails later is a failure for good.
func TestRefundEvents(t *testing.T) {
	d, _ := sold(t)
	if _, err := d.ask(t, merchant1, "10.00"); err != nil {
		t.Fatal(err)
	}
	remote := d.refundList[0]
	report := func(status psp.RefundStatus, id string) *orders.Refund {
		r := remote
		r.Status = status
		d.apply(t, d.refundEvent(r, id))
		_, o := d.stored(t)
		return &o.Refunds[0]
	}
	for i, c := range []struct {
		status psp.RefundStatus
		want   orders.RefundState
	}{
		{psp.RefundPending, orders.RefundSucceeded}, {psp.RefundSucceeded, orders.RefundSucceeded}, {psp.RefundUnknown, orders.RefundSucceeded},
		{psp.RefundFailed, orders.RefundFailed}, {psp.RefundSucceeded, orders.RefundFailed}, {psp.RefundPending, orders.RefundFailed}, {psp.RefundFailed, orders.RefundFailed},
	} {
		if r := report(c.status, string(rune('a'+i))); r.State != c.want {
			t.Errorf("report %d: %s, want %s", i, r.State, c.want)
		}
	}
	if got := d.kinds(t); !slices.Equal(got, []orders.FactKind{orders.RefundHasSucceeded, orders.RefundHasFailed}) {
		t.Errorf("the facts are %v", got)
	}
	if _, o := d.stored(t); o.Refundable(&o.Payments[0]) != 3451 || o.RefundStatus(&o.Payments[0]) != orders.RefundStatusFailed || o.Tickets[0].Status != orders.TicketFailed {
		t.Errorf("the ticket is %+v", o.Tickets[0])
	}
}

// TestRefundByHand: a refund that was made in the provider's dashboard is recorded once, without a ticket, by its own event or by
// that of its charge; one of another payment or account is none of ours.
func TestRefundByHand(t *testing.T) {
	d, o := sold(t)
	byHand := psp.Refund{Ref: "re_hand", Status: psp.RefundSucceeded, PaymentID: o.Payments[0].Ref, Amount: money.Amount{Minor: 500, Currency: "EUR"}, Created: time.Now()}
	d.refundList = append(d.refundList, byHand)
	charge := psp.Event{ID: "evt_charge", Kind: psp.EventRefunded, Created: time.Now(), Refund: psp.Refund{PaymentID: byHand.PaymentID, Amount: byHand.Amount}}
	d.apply(t, charge)
	if o = d.sweep(t, time.Minute); len(o.Refunds) != 1 || o.RefundsCheckAt != 0 {
		t.Fatalf("after the charge's event: %+v", o.Refunds)
	}
	for _, id := range []string{"evt_1", "evt_1", "evt_2"} {
		d.apply(t, d.refundEvent(byHand, id))
	}
	foreign := byHand
	foreign.Ref, foreign.PaymentID = "re_foreign", "pi_foreign"
	d.apply(t, d.refundEvent(foreign, "evt_3"))
	_, o = d.stored(t)
	if r := o.Refunds[0]; len(o.Refunds) != 1 || r.State != orders.RefundSucceeded || r.TicketID != "" || r.N != 0 || r.Split.Total() != 500 || r.Ref != "re_hand" {
		t.Errorf("recorded %+v", o.Refunds)
	}
	if got := d.kinds(t); len(got) != 1 {
		t.Errorf("the facts are %v", got)
	}
	charge.ID = "evt_charge_again"
	d.apply(t, charge)
	if _, o = d.stored(t); o.RefundsCheckAt != 0 {
		t.Error("a known refund is looked for")
	}
	_, err := d.ask(t, merchant1, "29.52")
	wantProblem(t, err, problem.Invalid, "Refund amount exceeds the refundable amount: 29.51 EUR")
}

// TestDispute: a dispute is recorded on the order and logged, and an older report of it changes nothing.
func TestDispute(t *testing.T) {
	d, o := sold(t)
	report := func(id, status string, closed bool) {
		d.apply(t, psp.Event{ID: id, Kind: psp.EventDispute, Created: time.Now(), Dispute: psp.Dispute{Ref: "dp_1", PaymentID: o.Payments[0].Ref,
			Amount: money.Amount{Minor: 3451, Currency: "EUR"}, Status: status, Reason: "fraudulent", Closed: closed}})
	}
	report("1", "needs_response", false)
	report("2", "lost", true)
	report("3", "needs_response", false)
	_, o = d.stored(t)
	if len(o.Disputes) != 1 || o.Disputes[0].Status != "lost" || o.Disputes[0].ClosedAt == 0 || o.Disputes[0].Amount != 3451 {
		t.Errorf("recorded %+v", o.Disputes)
	}
}

// TestSurplusRefund: a person refunds the second payment of an order, and its refund is handled then.
func TestSurplusRefund(t *testing.T) {
	d, o := sold(t)
	second := d.event(o, 1, psp.EventCompleted, "evt_second")
	second.Checkout.Ref, second.Checkout.PaymentID, second.Checkout.Attempt = "ref_second", "pi_second", 2
	o.Attempts = append(o.Attempts, o.Attempts[0])
	o.Attempts[1].N, o.Attempts[1].Ref, o.Attempts[1].State = 2, "ref_second", orders.Open
	if err := d.db.Commit(t.Context(), orders.Change{Order: o}); err != nil {
		t.Fatal(err)
	}
	d.apply(t, second)
	if _, o = d.stored(t); o.State != orders.RefundDue || len(o.Payments) != 2 {
		t.Fatalf("the order is %s, %d payments", o.State, len(o.Payments))
	}
	_, ticket, err := d.RefundPayment(t.Context(), orders.OperatorRefund{Environment: checkout.Test, PaymentID: o.Payments[1].ID, Reason: "paid twice"})
	if err != nil || ticket.Status != orders.TicketSucceeded {
		t.Fatalf("%+v, %v", ticket, err)
	}
	if _, o = d.stored(t); o.RefundHandledAt == 0 || d.made() != 3451 {
		t.Errorf("handled at %d, %d refunded", o.RefundHandledAt, d.made())
	}
}

// TestRefundCrash: a process that dies at any commit of a refund leaves a ticket that ends by itself, and the money is returned
// once or not at all.
func TestRefundCrash(t *testing.T) {
	for failAt := 1; failAt <= 2; failAt++ {
		d, _ := sold(t)
		d.restart(withStore(&failingStore{Store: d.db, failAt: failAt}))
		if _, err := d.ask(t, merchant1, "10.00"); err == nil {
			t.Fatalf("commit %d: no error", failAt)
		}
		d.restart(withStore(d.db))
		o := d.sweep(t, time.Minute)
		if failAt == 1 && (len(o.Tickets) != 0 || d.made() != 0) || failAt == 2 && (o.Tickets[0].Status != orders.TicketSucceeded || d.made() != 1000) {
			t.Errorf("commit %d: %+v, %d refunded", failAt, o.Tickets, d.made())
		}
	}
}

// TestRestoredRefund: a backup that was restored has lost a refund. The same refund again returns the money no second time, and
// another one finds the lost one.
func TestRestoredRefund(t *testing.T) {
	for _, amount := range []string{"10.00", "12.00"} {
		d, before := sold(t)
		if _, err := d.ask(t, merchant1, "10.00"); err != nil {
			t.Fatal(err)
		}
		_, o := d.stored(t)
		before.Version = o.Version
		if err := d.db.Commit(t.Context(), orders.Change{Order: before}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ask(t, merchant1, amount); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			o = d.sweep(t, 5*time.Minute)
		}
		if d.made() != 1000 || o.DueAt() != 0 || o.RefundStatus(&o.Payments[0]) != orders.RefundStatusRefunded || o.Refundable(&o.Payments[0]) != 2451 {
			t.Errorf("%s: %d refunded, %+v", amount, d.made(), o.Refunds)
		}
	}
}

// TestRefundRepeated: a repetition of a request whose answer was lost finds its ticket, and the money is returned once.
func TestRefundRepeated(t *testing.T) {
	d, o := sold(t)
	request := orders.TicketRequest{PaymentID: o.Payments[0].ID, Reason: "not as described", Amount: "10.00", Currency: "EUR", Name: "test/key/request"}
	var ids []string
	for _, name := range []string{request.Name, request.Name, "test/key/another"} {
		request.Name = name
		_, ticket, err := d.CreateTicket(t.Context(), merchant1, request, "")
		if err != nil || ticket.Status != orders.TicketSucceeded {
			t.Fatalf("%s: %+v, %v", name, ticket, err)
		}
		ids = append(ids, ticket.ID)
	}
	if ids[0] != ids[1] || ids[0] == ids[2] || d.made() != 2000 {
		t.Errorf("the tickets are %v, %d cents were returned", ids, d.made())
	}
}
