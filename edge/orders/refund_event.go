package orders

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// refundsChecked is how long after a report of refunds that are not known here the provider's list is read: the reports of the
// refunds themselves usually arrive before.
const refundsChecked = 30 * time.Second

// takeMoneyBack applies an event about a refund or a dispute. One of a payment that no order has is none of ours.
func (s *Service) takeMoneyBack(ctx context.Context, env checkout.Environment, ev *psp.Event) (outcome, error) {
	if s.foreignRefund(&ev.Refund) {
		return unneeded, nil
	}
	for range 10 {
		did, err := s.applyMoneyBack(ctx, env, ev)
		switch {
		case errors.Is(err, ErrStale):
			continue
		case errors.Is(err, ErrRepeated), errors.Is(err, ErrNotFound):
			return unneeded, nil
		}
		return did, err
	}
	return unneeded, ErrStale
}

// foreignRefund reports whether a refund belongs to another deployment on the same account.
func (s *Service) foreignRefund(r *psp.Refund) bool {
	return s.config.Deployment != "" && r.Deployment != "" && r.Deployment != s.config.Deployment
}

func (s *Service) applyMoneyBack(ctx context.Context, env checkout.Environment, ev *psp.Event) (outcome, error) {
	provider := s.config.Providers[env].Background
	paymentID := ev.Refund.PaymentID
	if ev.Kind == psp.EventDispute {
		paymentID = ev.Dispute.PaymentID
	}
	o, err := s.config.Store.OrderPaidBy(ctx, env, provider.Name(), paymentID)
	if err != nil {
		return unneeded, err
	}
	change := Change{Event: s.seen(env, ev)}
	if ev.Live != (env == checkout.Prod) {
		s.config.Log.WarnContext(ctx, "event ignored", "event", ev.ID, "why", "it is of the other mode")
		return unneeded, s.config.Store.Commit(ctx, change)
	}
	changed := false
	switch ev.Kind {
	case psp.EventRefund:
		change.Facts, changed = o.applyRefund(&ev.Refund, provider.Name(), provider.Account(), s.nowMilli())
	case psp.EventRefunded:
		changed = o.refundsUnknown(&ev.Refund, s.nowMilli())
	case psp.EventDispute:
		changed = s.applyDispute(o, ev)
	}
	if !changed {
		return unneeded, s.config.Store.Commit(ctx, change)
	}
	change.Order = o
	return applied, s.commit(ctx, change)
}

// applyRefund records what the provider reports of a refund: of the one that it was made for, by its number, or of one that was
// made at the provider by hand, which becomes a refund without a ticket. It reports whether something is new.
func (o *Order) applyRefund(remote *psp.Refund, provider string, account psp.Account, now int64) (facts []Fact, changed bool) {
	p := find(o.Payments, func(p *Payment) bool { return p.Status == Succeeded && p.Ref == remote.PaymentID })
	if p == nil || remote.Ref == "" || remote.Amount.Minor <= 0 || remote.Amount.Currency != o.Quote(p).Currency {
		return nil, false
	}
	r := o.refundOf(remote, p)
	if r != nil && o.knowsRefund(r, remote) {
		return nil, false
	}
	if r == nil {
		sum := sha256.Sum256([]byte("refund " + remote.Ref + " of " + o.ID))
		id := shortid.Format(shortid.Refund, shortid.NewV7(remote.Created, bytes.NewReader(sum[:])))
		o.Refunds = append(o.Refunds, Refund{ID: id, PaymentID: p.ID, State: RefundUnresolved, Amount: remote.Amount.Minor,
			Provider: provider, Account: account, SentAt: remote.Created.UnixMilli(), CreatedAt: now, UpdatedAt: now})
		r = &o.Refunds[len(o.Refunds)-1]
	}
	return o.refundReported(r, remote, now), true
}

// refundOf finds the refund of a provider's, by the provider's id or, while we know no id, by its number; nil when there is none.
func (o *Order) refundOf(remote *psp.Refund, p *Payment) *Refund {
	if r := find(o.Refunds, func(r *Refund) bool { return r.Ref == remote.Ref }); r != nil {
		return r
	}
	return find(o.Refunds, func(r *Refund) bool {
		return remote.N != 0 && remote.OrderID == o.ID && r.N == remote.N && r.Ref == "" && r.PaymentID == p.ID && r.Amount == remote.Amount.Minor
	})
}

// knowsRefund reports whether a refund is where the provider says it is, or was there before.
func (o *Order) knowsRefund(r *Refund, remote *psp.Refund) bool {
	if r.Ref == "" {
		return false
	}
	switch r.State {
	case RefundFailed:
		return true
	case RefundSucceeded:
		return remote.Status != psp.RefundFailed
	}
	return remote.Status != psp.RefundFailed && remote.Status != psp.RefundSucceeded
}

// refundsUnknown plans to read the provider's refunds, if it has returned more of a payment than is known here.
func (o *Order) refundsUnknown(remote *psp.Refund, now int64) bool {
	var known int64
	for i := range o.Refunds {
		r := &o.Refunds[i]
		if p := o.Payment(r.PaymentID); p != nil && p.Ref == remote.PaymentID && r.confirmed() {
			known += r.Amount
		}
	}
	if o.RefundsCheckAt != 0 || remote.Amount.Minor <= known {
		return false
	}
	o.RefundsCheckAt = now + refundsChecked.Milliseconds()
	return true
}

// applyDispute records a dispute, and logs it: only the merchant can answer it, at the provider.
func (s *Service) applyDispute(o *Order, ev *psp.Event) bool {
	remote := &ev.Dispute
	p := find(o.Payments, func(p *Payment) bool { return p.Status == Succeeded && p.Ref == remote.PaymentID })
	if p == nil || remote.Ref == "" {
		return false
	}
	d := find(o.Disputes, func(d *Dispute) bool { return d.Ref == remote.Ref })
	switch {
	case d == nil:
		o.Disputes = append(o.Disputes, Dispute{Ref: remote.Ref, PaymentID: p.ID, OpenedAt: ev.Created.UnixMilli()})
		d = &o.Disputes[len(o.Disputes)-1]
		if remote.Amount.Currency == o.Quote(p).Currency {
			d.Amount = remote.Amount.Minor
		}
	case d.ClosedAt != 0 || d.Status == remote.Status && !remote.Closed:
		return false // an older report
	}
	d.Status, d.Reason = remote.Status, remote.Reason
	if remote.Closed {
		d.ClosedAt = ev.Created.UnixMilli()
	}
	o.UpdatedAt = s.nowMilli()
	s.config.Log.Error("a payment is disputed: answer at the provider", "environment", o.Environment, "order", o.ID, "payment", p.Ref,
		"dispute", d.Ref, "status", d.Status)
	return true
}
