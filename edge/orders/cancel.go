package orders

import (
	"cmp"
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// errStillPayable: the provider has not confirmed that the order's checkout has ended.
var errStillPayable = problem.New(problem.Unavailable, "order-still-payable", "", "Order cannot be canceled yet, please retry")

// Cancel cancels an order that is not paid, and closes its session. It first ends the provider's checkout: while it is unknown
// whether the buyer can still pay, the order is not canceled and the error is [problem.Unavailable]. A status that is not pending
// is refused. client is as in [Service.Create].
func (s *Service) Cancel(ctx context.Context, scope Scope, id, client string) error {
	o, err := s.orderIn(ctx, &scope, id)
	if err != nil {
		return err
	}
	deadline := s.config.Now().Add(s.config.Budget)
	unlock, ok := s.sessions.lock(o.SessionID, s.config.Budget)
	if !ok {
		return errBusy
	}
	defer unlock()
	for {
		err := s.cancelOnce(ctx, &scope, id, client, flow{Service: s, ctx: ctx, deadline: deadline})
		if !errors.Is(err, errAgain) && !errors.Is(err, ErrStale) {
			return err
		}
		if !s.config.Now().Before(deadline) {
			return errBusy
		}
	}
}

// cancelOnce reads the order and takes one step towards its cancellation.
func (s *Service) cancelOnce(ctx context.Context, scope *Scope, id, client string, f flow) (err error) {
	if err = f.have(s.orderIn(ctx, scope, id)); err != nil {
		return err
	}
	if f.session, err = s.config.Store.Session(ctx, f.order.SessionID); err != nil {
		return err
	}
	provider, ok := s.config.Providers[f.order.Environment]
	if !ok {
		return sessions.ProviderMissing(problem.Unavailable, f.order.Environment)
	}
	f.buyer = provider.ForBuyer(f.order.StoreID, client, f.order.SessionID)
	f.provider = f.buyer
	defer f.buyer.Release()
	return f.cancel()
}

func (f *flow) cancel() error {
	if status := f.order.cancelable(); status != "" {
		return problem.New(problem.Invalid, "order-not-cancelable", "", "Order cannot be canceled, current status: "+status)
	}
	if err := f.leave(); err != nil {
		return unresolved(err)
	}
	f.digest = f.order.Current().Digest
	switch a := f.order.Current(); a.State {
	case Sent, Unresolved:
		if !a.replayableAt(f.nowMilli()) {
			f.order.rollBack(Abandoned)
			_, err := f.clear()
			return err
		}
		if _, err := f.resend(); err != nil {
			return unresolved(err)
		}
		return errAgain
	case Abandoned:
		_, err := f.clear()
		return unresolved(err)
	case Open, Superseding:
		return f.cancelOpen()
	default:
		return f.canceled()
	}
}

// cancelable returns the status that forbids to cancel the order, "" for none.
func (o *Order) cancelable() string {
	status, _ := o.Published()
	switch {
	case o.State == Processing:
		return string(Processing)
	case status == "pending":
		return ""
	}
	return status
}

// unresolved converts the error of a step that the cancellation shares with create-order. After a call that failed it is unknown
// whether there is a checkout; a session that is not ordered from again has one at another account that can be paid; a refused
// attempt has none, so that the order can be canceled.
func unresolved(err error) error {
	var failed *psp.CallError
	var closed problem.List
	var refused *problem.Problem
	switch {
	case errors.As(err, &failed), errors.As(err, &closed):
		return errStillPayable
	case errors.As(err, &refused) && refused.Kind == problem.Invalid:
		return errAgain
	}
	return err
}

// cancelOpen ends the current checkout at the provider and then cancels the order.
func (f *flow) cancelOpen() error {
	a := f.order.Current()
	if a.State == Open {
		f.order.superseding(f.nowMilli())
		if err := f.commit(Change{Order: f.order}); err != nil {
			return err
		}
	}
	remote, failed := f.provider.Expire(f.tryDeadline(), a.Ref)
	switch {
	case failed != nil && failed.Held:
		return crowded(failed)
	case failed != nil:
		f.config.Log.WarnContext(f.ctx, "an order cannot be canceled yet", "order", f.order.ID, "attempt", a.N, "error", failed)
		return errStillPayable
	}
	if err := f.observe(a, remote); err != nil {
		if !errors.Is(err, errAgain) {
			err = errStillPayable
		}
		return cmp.Or(f.commit(Change{Order: f.order}), err)
	}
	if f.order.closed() { // the buyer was faster
		return cmp.Or(f.commitClosed(), errAgain)
	}
	return f.canceled()
}

// canceled records the cancellation of an order whose current attempt cannot be paid.
func (f *flow) canceled() error {
	f.order.State = Canceled
	f.order.UpdatedAt = f.nowMilli()
	return f.commitClosed()
}
