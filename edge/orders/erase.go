package orders

import (
	"slices"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// IsOf reports whether a buyer has ordered, in any attempt: by the normalised e-mail address, or by the merchant's name for the buyer if
// that is the address.
func (o *Order) IsOf(address string) bool {
	for i := range o.Attempts {
		p := &o.Attempts[i].Placed
		if email.Normalize(p.BuyerEmail) == address || BuyerKey(p.BuyerIdentity) == address {
			return true
		}
	}
	return false
}

// InFlight says why the order may not be erased yet, "" if it may: a payment or refund may still arrive, or a person has to decide.
// until is when the wait for the payment ends, in Unix milliseconds; 0 if that is not known.
func (o *Order) InFlight() (why string, until int64) {
	if due := o.attemptDueAt(); due != 0 {
		return "it can still be paid", max(due, o.Current().ExpiresAt)
	}
	if o.refundsDueAt() != 0 {
		return "a refund is on its way", 0
	}
	if o.State == RefundDue && o.RefundHandledAt == 0 {
		return "a refund is due", 0
	}
	for i := range o.Tickets {
		if o.Tickets[i].Status.Open() {
			return "a refund ticket is open", 0
		}
	}
	for i := range o.Disputes {
		if o.Disputes[i].ClosedAt == 0 {
			return "a dispute is open", 0
		}
	}
	return "", 0
}

// MoneyMovedAt is when the last payment or refund of the order succeeded, in Unix milliseconds; 0 if none did.
func (o *Order) MoneyMovedAt() (last int64) {
	for i := range o.Payments {
		if o.Payments[i].Status == Succeeded {
			last = max(last, o.Payments[i].At)
		}
	}
	for i := range o.Refunds {
		if o.Refunds[i].confirmed() {
			last = max(last, o.Refunds[i].SettledAt)
		}
	}
	return last
}

// Erase removes the buyer's data from what was not sold: attempts that were not paid, declined payments, and what the buyer wrote in
// refund tickets. With sale it removes them from what was sold, too. The amounts, the country and the provider's ids stay. It reports
// whether there was anything to remove. The order must not be [Order.InFlight].
func (o *Order) Erase(sale bool) (erased bool) {
	for i := range o.Attempts {
		if a := &o.Attempts[i]; sale || a.State != Settled {
			erased = a.erase() || erased
		}
	}
	for i := range o.Payments {
		if p := &o.Payments[i]; sale || p.Status == Declined {
			erased = erased || p.Last4 != ""
			p.Last4 = ""
		}
	}
	for i := range o.Tickets {
		erased = o.Tickets[i].erase() || erased
	}
	return erased
}

// forgetDueAt is when the buyer's data are to be removed from an order that has ended unpaid, in Unix milliseconds; 0 is never, or not yet
// known.
func (o *Order) forgetDueAt() int64 {
	if why, _ := o.InFlight(); o.KeepUnpaid == 0 || o.State.Settled() || why != "" || !slices.ContainsFunc(o.Attempts, Attempt.personal) {
		return 0
	}
	return o.UpdatedAt + o.KeepUnpaid
}

// forget removes the buyer's data from an order that has ended unpaid, and from its session. The caller has locked the session.
func (f *flow) forget(d DueOrder) (err error) {
	if err = f.have(f.config.Store.Order(f.ctx, d.Environment, d.ID)); err != nil {
		return err
	}
	if due := f.order.forgetDueAt(); due == 0 || due > f.nowMilli() {
		return nil // it was ordered again meanwhile
	}
	if f.session, err = f.config.Store.Session(f.ctx, f.order.SessionID); err != nil {
		return err
	}
	f.order.Erase(false)
	f.session.Erase(true, nil, f.nowMilli())
	return f.commit(Change{Order: f.order, Session: f.session})
}

// personal reports whether the attempt holds data of the buyer.
func (a Attempt) personal() bool {
	p := &a.Placed
	return p.BuyerEmail != "" || p.BuyerIdentity != "" || p.BuyerIP != "" || a.Digest != ""
}

// erase removes the buyer's data from an attempt. Its digest is a hash of them, and its request to the provider repeats them.
func (a *Attempt) erase() bool {
	if !a.personal() {
		return false
	}
	p := &a.Placed
	p.Billing = billing.Detail{Country: p.Billing.Country}
	p.BuyerEmail, p.BuyerIdentity, p.BuyerIP, p.SuccessURL, p.Consents = "", "", "", "", nil
	a.Address, a.Digest, a.Request = sessions.Address{}, "", psp.RenderedRequest{}
	return true
}

// erase removes what a customer and those who answered wrote in a ticket.
func (t *Ticket) erase() (erased bool) {
	if !t.Submitter.Merchant && t.Submitter.ID != "" {
		t.Submitter.ID, erased = "", true
	}
	for _, text := range []*string{&t.Metadata, &t.ReviewNote, &t.RejectReason} {
		erased = erased || *text != ""
		*text = ""
	}
	for i := range t.Versions {
		erased = erased || t.Versions[i].Reason != ""
		t.Versions[i].Reason = ""
	}
	return erased
}
