package e2e

import (
	"slices"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// refundFigures are what an audit has counted.
type refundFigures struct {
	orders, refunds, failed, notes int
	events, sent                   int // told, and how many times any was sent
}

// settle starts the server again, without faults, until every refund has ended and the merchant has heard of it, and audits it.
func (k *refundKills) settle() refundFigures {
	k.Helper()
	running := k.start()
	operator := admin.Dial(k.data)
	if operator == nil {
		k.Fatal("the server has no socket")
	}
	shoptest.Eventually(k.T, "every ticket has its end", func() bool {
		open, err := admin.Perform[admin.List[admin.Ticket]](operator, admin.ListTickets, admin.ListRequest{Environment: "test"})
		must(k.T, err)
		for _, ticket := range open.Items {
			if ticket.Status == string(orders.TicketPending) {
				if k.approved[ticket.ID] {
					k.Errorf("%s was approved and is pending", ticket.ID)
				}
				_, err := admin.Perform[admin.Ticket](operator, admin.ReviewTicket, admin.ReviewRequest{ID: ticket.ID, Note: "no"})
				must(k.T, err)
			}
		}
		return len(open.Items) == 0
	})
	running.kill()
	must(k.T, operator.Close())
	for {
		want := k.ends()
		running = k.start()
		shoptest.Eventually(k.T, "the merchant hears of every refund", func() bool {
			got, _ := k.merchant.events(k.T)
			return !slices.ContainsFunc(want, func(event string) bool { return len(got[event]) == 0 })
		})
		running.kill()
		if slices.Equal(k.ends(), want) { // no refund has failed since
			return k.audit(want)
		}
	}
}

// ends are the events that the merchant must have heard: of each order and of each refund that has ended, as it did.
func (k *refundKills) ends() (events []string) {
	k.Helper()
	r := openRecords(k.T, k.data)
	defer r.close()
	for _, o := range k.paid(r) {
		events = append(events, completed+o.ID)
		for i := range o.Refunds {
			if state := o.Refunds[i].State; state == orders.RefundSucceeded || state == orders.RefundFailed {
				events = append(events, "refund."+string(state)+" "+o.Refunds[i].ID)
			}
		}
	}
	slices.Sort(events)
	return events
}

// paid are the orders that the provider has as paid.
func (k *refundKills) paid(r *records) (paid []*orders.Order) {
	k.Helper()
	known, err := r.provider.Sessions()
	must(k.T, err)
	for _, c := range known {
		if c.Paid {
			o, err := r.db.Order(k.Context(), checkout.Test, c.Order)
			must(k.T, err)
			paid = append(paid, o)
		}
	}
	return paid
}

// audit checks what the killed server and the provider have stored, and what the merchant has heard.
func (k *refundKills) audit(want []string) (f refundFigures) {
	k.Helper()
	r := openRecords(k.T, k.data)
	defer r.close()
	for id, payment := range k.accepted {
		o, err := r.db.OrderOf(k.Context(), checkout.Test, id)
		if err != nil || o.Ticket(id) == nil || o.Ticket(id).PaymentID != payment {
			k.Errorf("ticket %s of %s was accepted and is lost: %v", id, payment, err)
		} else if ticket := o.Ticket(id); k.approved[id] && ticket.Status != orders.TicketSucceeded && ticket.Status != orders.TicketFailed {
			k.Errorf("ticket %s was approved and is %s", id, ticket.Status)
		}
	}
	reversals := 0
	for _, o := range k.paid(r) {
		f.orders++
		k.auditMoney(r, o)
		for i := range o.Refunds {
			refund := &o.Refunds[i]
			f.refunds++
			if refund.State == orders.RefundFailed {
				f.failed++
			}
			notes, reversed := k.auditNotes(r, o, refund)
			f.notes, reversals = f.notes+notes, reversals+reversed
		}
	}
	storeID := readDevFile(k.T, k.data).StoreID
	if notes := countDocuments(k.T, r.db, storeID, invoices.CreditNote); notes != f.notes {
		k.Errorf("there are %d credit notes for %d refunds", notes, f.notes)
	}
	if receipts := countDocuments(k.T, r.db, storeID, invoices.Receipt); receipts != f.orders+reversals {
		k.Errorf("there are %d receipts for %d orders, and %d refunds that failed afterwards", receipts, f.orders, reversals)
	}
	k.auditEvents(want, &f)
	return f
}

// auditMoney compares the refunds of an order with those of the provider.
func (k *refundKills) auditMoney(r *records, o *orders.Order) {
	k.Helper()
	made, err := r.provider.Refunds()
	must(k.T, err)
	made = slices.DeleteFunc(made, func(m sandbox.Refund) bool {
		return !slices.ContainsFunc(o.Attempts, func(a orders.Attempt) bool { return a.Ref == m.Session })
	})
	var sum int64
	for i := range o.Refunds {
		refund := &o.Refunds[i]
		of := func(m sandbox.Refund) bool { return m.Key == strconv.Itoa(refund.N) }
		at := slices.IndexFunc(made, of)
		switch {
		case refund.State == orders.RefundSucceeded && (at < 0 || made[at].ID != refund.Ref || made[at].Status != "succeeded" || made[at].Amount != refund.Amount),
			refund.State == orders.RefundFailed && at >= 0 && made[at].Status != "failed",
			refund.State != orders.RefundSucceeded && refund.State != orders.RefundFailed:
			k.Errorf("%s of %s is %s; at the provider: %+v", refund.ID, o.ID, refund.State, made)
		case refund.State == orders.RefundSucceeded:
			sum += refund.Amount
		}
		if at >= 0 {
			made = slices.Delete(made, at, at+1)
		}
	}
	if len(made) > 0 {
		k.Errorf("refunds of %s were made twice, or by nobody: %+v", o.ID, made)
	}
	if charged := o.Charged(&o.Payments[0]).Minor; sum > charged {
		k.Errorf("%d of %d was refunded of %s", sum, charged, o.ID)
	}
	for i := range o.Tickets {
		ticket := &o.Tickets[i]
		refund := o.Refund(ticket.RefundID)
		if ticket.Status.Open() || (ticket.Status == orders.TicketSucceeded) != (refund != nil && refund.State == orders.RefundSucceeded) {
			k.Errorf("%s is %s, and its refund %+v", ticket.ID, ticket.Status, refund)
		}
	}
}

// auditNotes checks that a refund has its credit note, and the receipt that takes it back if it failed afterwards.
func (k *refundKills) auditNotes(r *records, o *orders.Order, refund *orders.Refund) (notes, reversals int) {
	k.Helper()
	note, err := r.db.DocumentOf(k.Context(), checkout.Test, o.ID, refund.ID)
	if err == nil {
		notes++
		if note.Series.Kind != invoices.CreditNote || note.Total != refund.Amount {
			k.Errorf("the credit note of %s over %d is %+v", refund.ID, refund.Amount, note)
		}
	}
	_, takenBack := r.db.DocumentOf(k.Context(), checkout.Test, o.ID, refund.ID+"/failed")
	if takenBack == nil {
		reversals++
	}
	if refund.State == orders.RefundSucceeded && (err != nil || takenBack == nil) || refund.State == orders.RefundFailed && (err == nil) != (takenBack == nil) {
		k.Errorf("%s is %s; its credit note: %v, what takes it back: %v", refund.ID, refund.State, err, takenBack)
	}
	return notes, reversals
}

// auditEvents compares what the merchant has heard with what has happened. A refund can have failed after it was told as made.
func (k *refundKills) auditEvents(want []string, f *refundFigures) {
	k.Helper()
	got, sent := k.merchant.events(k.T)
	for event, deliveries := range got {
		if id, made := strings.CutPrefix(event, "refund.succeeded "); len(deliveries) != 1 || !slices.Contains(want, event) && !(made && slices.Contains(want, "refund.failed "+id)) {
			k.Errorf("%s was told in the deliveries %v", event, deliveries)
		}
	}
	f.events, f.sent = len(got), sent
}
