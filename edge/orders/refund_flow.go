package orders

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// errElsewhere: the payment belongs to another account, where it can be refunded by hand only.
var errElsewhere = problem.New(problem.Invalid, "payment-elsewhere", "/paymentId",
	"Payment cannot be refunded here: it was made at another account of the payment provider")

// execute begins the refund of an approved ticket and calls the provider. The refund is persisted before the call.
func (f *flow) execute(t *Ticket) error {
	id, err := f.prepare(t)
	if err != nil {
		return err
	}
	if err := f.commit(Change{Order: f.order}); err != nil {
		return err
	}
	if err := f.sendRefund(id); err != nil {
		return fmt.Errorf("orders: %s of %s was sent: %v", id, f.order.ID, err) // not ErrStale: the step must not be taken again
	}
	return nil
}

// prepare adds the refund of a ticket with the exact bytes of its call, and returns its id. It commits nothing. What the provider
// would certainly refuse is a problem.
func (f *flow) prepare(t *Ticket) (id string, err error) {
	p := f.order.Payment(t.PaymentID)
	a := f.order.Attempt(p.Attempt)
	if a.elsewhere(f.provider.Account()) || a.Provider != f.provider.Name() {
		return "", errElsewhere
	}
	n, amount := f.order.nextRefund(), money.Amount{Minor: t.Current().Amount, Currency: a.Placed.Quote.Currency}
	request, err := f.provider.RenderRefund(psp.RefundParams{Deployment: f.config.Deployment, OrderID: f.order.ID, N: n, PaymentID: p.Ref,
		Amount: amount, Duplicate: f.order.surplus(p)})
	if err != nil {
		f.config.Log.WarnContext(f.ctx, "a refund cannot be rendered", "order", f.order.ID, "ticket", t.ID, "error", err)
		return "", errAmountNotRefundable
	}
	r := f.order.beginRefund(t, Refund{ID: f.order.refundID(n), N: n, Amount: amount.Minor, Provider: a.Provider, Account: f.provider.Account(),
		Key: fmt.Sprintf("crepe_%s_%s_refund_%d", f.order.Environment, f.order.ID, n), Request: request}, f.nowMilli())
	return r.ID, nil
}

// surplus reports whether a payment is not the one that has completed the order.
func (o *Order) surplus(p *Payment) bool {
	first := o.CompletedBy()
	return first != nil && first.ID != p.ID
}

// sendRefund calls the provider with the stored bytes until it answers or the time is up, and persists the outcome.
func (f *flow) sendRefund(id string) error {
	r := f.order.Refund(id)
	request, key := r.Request, r.Key
	tries, unknown := 0, r.EverUnknown
	for {
		tries++
		remote, callErr := f.provider.CreateRefund(f.tryDeadline(), request, key)
		if callErr == nil {
			return f.record(id, func(r *Refund) []Fact {
				r.Tries += tries
				return f.reported(r, &remote)
			})
		}
		unknown = unknown || callErr.Class == psp.Unknown || callErr.Class == psp.InProgress
		if retryable(callErr) && f.pause(max(callErr.RetryAfter, 200*time.Millisecond<<tries)) {
			continue
		}
		f.config.Log.WarnContext(f.ctx, "a refund is not confirmed", "order", f.order.ID, "refund", id, "error", callErr)
		return f.record(id, func(r *Refund) []Fact {
			if r.State != RefundSent && r.State != RefundUnresolved {
				return nil // a webhook was faster
			}
			r.Tries, r.EverUnknown = r.Tries+tries, unknown
			return f.order.refundCallFailed(r, callErr, f.nowMilli())
		})
	}
}

// record changes a refund and commits, again on a later version of the order if that was written meanwhile.
func (f *flow) record(id string, change func(*Refund) []Fact) error {
	for range 10 {
		r := f.order.Refund(id)
		if r == nil {
			return ErrNotFound
		}
		f.facts = change(r)
		f.order.UpdatedAt = f.nowMilli()
		err := f.commit(Change{Order: f.order})
		if !errors.Is(err, ErrStale) {
			return err
		}
		f.facts = nil
		if err = f.have(f.config.Store.Order(f.ctx, f.order.Environment, f.order.ID)); err != nil {
			return err
		}
	}
	return ErrStale
}

// reported moves a refund to where its own call or a look-up says it is. One with another amount is not this one.
func (f *flow) reported(r *Refund, remote *psp.Refund) []Fact {
	if remote.Amount.Minor != r.Amount || remote.Ref == "" {
		f.config.Log.ErrorContext(f.ctx, "the provider reports another refund", "order", f.order.ID, "refund", r.ID, "ref", remote.Ref)
		r.LookedForAt, r.EverUnknown, r.State, r.UpdatedAt = f.nowMilli(), true, RefundUnresolved, f.nowMilli()
		return nil
	}
	return f.order.refundReported(r, remote, f.nowMilli())
}

// resumeRefunds takes the steps that bring the refunds which are due nearer to their end.
func (f *flow) resumeRefunds() error {
	var failed []error
	if due := f.order.RefundsCheckAt; due != 0 && due <= f.nowMilli() {
		failed = append(failed, f.checkRefunds())
	}
	for i := range f.order.Tickets {
		if t := &f.order.Tickets[i]; t.Status == TicketApproved {
			failed = append(failed, f.executeApproved(t))
		}
	}
	for _, id := range f.dueRefunds() {
		failed = append(failed, f.resumeRefund(f.order.Refund(id)))
	}
	return errors.Join(failed...)
}

func (f *flow) dueRefunds() (ids []string) {
	for i := range f.order.Refunds {
		if due := f.order.Refunds[i].dueAt(); due != 0 && due <= f.nowMilli() {
			ids = append(ids, f.order.Refunds[i].ID)
		}
	}
	return ids
}

// executeApproved begins the refund of a ticket that was approved while there was no provider. One that cannot be made fails.
func (f *flow) executeApproved(t *Ticket) error {
	err := f.execute(t)
	var refused *problem.Problem
	if !errors.As(err, &refused) {
		return err
	}
	t.Status, t.ReviewNote, t.UpdatedAt = TicketFailed, refused.Message, f.nowMilli()
	return f.commit(Change{Order: f.order})
}

func (f *flow) resumeRefund(r *Refund) error {
	now := f.nowMilli()
	switch {
	case r.Account.ID != f.provider.Account().ID:
		return f.record(r.ID, func(r *Refund) []Fact { // it is known there only
			r.Tries, r.UpdatedAt, r.LastError = r.Tries+1, now, "at another account of the provider"
			return nil
		})
	case r.State == RefundPending:
		return f.pollRefund(r)
	case r.LookedForAt != 0 || now >= r.SentAt+refundReplay.Milliseconds():
		return f.lookForRefund(r)
	case !r.EverUnknown:
		// Durable first: a try of another process that certainly had no effect must not count as the end of this one.
		id := r.ID
		if err := f.record(id, func(r *Refund) []Fact { r.EverUnknown, r.UpdatedAt = true, now; return nil }); err != nil {
			return err
		}
		return f.sendRefund(id)
	}
	return f.sendRefund(r.ID)
}

// pollRefund asks about money on its way.
func (f *flow) pollRefund(r *Refund) error {
	remote, callErr := f.provider.RetrieveRefund(f.tryDeadline(), r.Ref)
	err := f.record(r.ID, func(r *Refund) []Fact {
		r.UpdatedAt = f.nowMilli()
		if callErr != nil || remote.Status == psp.RefundMissing {
			return nil
		}
		return f.reported(r, &remote)
	})
	if callErr != nil {
		err = errors.Join(callErr, err)
	}
	return err
}

// lookForRefund reads the provider's refunds of the payment. If none of them is the one of a call that may have had its effect, and
// time enough has passed, the refund has not been made.
func (f *flow) lookForRefund(r *Refund) error {
	now, id := f.nowMilli(), r.ID
	if r.LookedForAt == 0 {
		r.LookedForAt = now
	}
	err := f.compareRefunds(f.order.Payment(r.PaymentID))
	return cmp.Or(f.record(id, func(r *Refund) []Fact {
		if r.State != RefundSent && r.State != RefundUnresolved {
			return nil
		}
		r.Tries, r.UpdatedAt = r.Tries+1, now
		r.LookedForAt = cmp.Or(r.LookedForAt, now)
		if err != nil || now < r.LookedForAt+refundLookedFor.Milliseconds() {
			return nil
		}
		f.config.Log.ErrorContext(f.ctx, "a refund was not made", "order", f.order.ID, "refund", id, "why", r.LastError)
		return f.order.refundEnded(r, "not_found_at_provider", now)
	}), err)
}

// checkRefunds compares the refunds of all payments.
func (f *flow) checkRefunds() error {
	var failed []error
	for i := range f.order.Payments {
		if p := f.order.Payments[i]; p.Status == Succeeded {
			failed = append(failed, f.compareRefunds(&p))
		}
	}
	err := errors.Join(failed...)
	f.order.RefundsCheckAt = 0
	if err != nil {
		f.order.RefundsCheckAt = f.nowMilli() + lastBackoff.Milliseconds()
	}
	f.order.UpdatedAt = f.nowMilli()
	return errors.Join(err, f.commit(Change{Order: f.order}))
}

// compareRefunds applies the provider's list of the refunds of a payment.
func (f *flow) compareRefunds(p *Payment) error {
	for after := ""; ; {
		page, callErr := f.provider.ListRefunds(f.tryDeadline(), p.Ref, psp.Span{}, after)
		if callErr != nil {
			return callErr
		}
		for i := range page.Items {
			if f.foreignRefund(&page.Items[i]) {
				continue
			}
			if err := f.applyRefund(&page.Items[i]); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// applyRefund commits what the provider reports of one refund, unless it is known.
func (f *flow) applyRefund(remote *psp.Refund) error {
	for range 10 {
		facts, changed := f.order.applyRefund(remote, f.provider.Name(), f.provider.Account(), f.nowMilli())
		if !changed {
			return nil
		}
		f.facts = facts
		err := f.commit(Change{Order: f.order})
		if !errors.Is(err, ErrStale) {
			return err
		}
		f.facts = nil
		if err = f.have(f.config.Store.Order(f.ctx, f.order.Environment, f.order.ID)); err != nil {
			return err
		}
	}
	return ErrStale
}
