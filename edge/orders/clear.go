package orders

import (
	"cmp"
	"errors"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	// clockMargin is how far the provider's clock may be from ours.
	clockMargin = 5 * time.Minute
	// clearBudget is how long the sweeper looks for what the provider has of one abandoned attempt.
	clearBudget = 2 * time.Minute
)

// clear makes sure that the current attempt, which was abandoned, cannot be paid: it ends the provider's checkout of it, or records
// the payment. Only then may the next attempt begin. The provider cannot search by our ids, so that clear lists the
// checkouts of that time.
func (f *flow) clear() (string, error) {
	a := f.order.Current()
	a.Tries++
	payable, callErr := f.unfinished()
	over := f.nowMilli() >= a.ExpiresAt+expiryGrace.Milliseconds() // whatever there is of it
	f.order.UpdatedAt = f.nowMilli()
	if callErr != nil && !over {
		f.config.Log.WarnContext(f.ctx, "cannot search for the checkout of an abandoned attempt", "order", f.order.ID, "attempt", a.N, "error", callErr)
		return "", cmp.Or(f.commit(Change{Order: f.order}), crowded(callErr))
	}
	f.begun, f.ending = 0, 0 // this request may begin another attempt
	if payable == nil {
		f.order.ended(a, f.nowMilli())
		return "", cmp.Or(f.commitClosed(), errAgain)
	}
	a.Ref = payable.Ref
	if err := f.observe(a, *payable); err != nil {
		return "", cmp.Or(f.commit(Change{Order: f.order}), err)
	}
	return "", cmp.Or(f.commitClosed(), errAgain)
}

// unfinished ends every open checkout that the provider has of the current attempt, or of attempts that a restored backup has
// lost. It returns one that could not be ended because the buyer had finished, a paid one first; nil if there is none.
func (f *flow) unfinished() (faster *psp.Checkout, _ *psp.CallError) {
	found, callErr := f.find()
	if callErr != nil {
		return nil, callErr
	}
	for _, r := range found {
		if r.Status == psp.CheckoutOpen {
			if r, callErr = f.provider.Expire(f.tryDeadline(), r.Ref); callErr != nil {
				return nil, callErr
			}
		}
		if r.Status != psp.CheckoutExpired && r.Status != psp.CheckoutMissing && (faster == nil || r.Paid) {
			faster = &r
		}
	}
	return faster, nil
}

// find lists the provider's checkouts of this order that no earlier attempt accounts for.
func (f *flow) find() (found []psp.Checkout, _ *psp.CallError) {
	a := f.order.Current()
	if a.Ref != "" {
		r, callErr := f.provider.Retrieve(f.tryDeadline(), a.Ref)
		return []psp.Checkout{r}, callErr
	}
	for after := ""; ; {
		page, callErr := f.provider.ListCheckouts(f.tryDeadline(), f.span(), after)
		if callErr != nil {
			return nil, callErr
		}
		for _, r := range page.Items {
			if known := f.order.attemptOf(&r); r.OrderID == f.order.ID && !f.foreign(&r) && (known == nil || known == a) {
				found = append(found, r)
			}
		}
		if after = page.Next; after == "" {
			return found, nil
		}
		if !f.config.Now().Before(f.deadline) {
			return nil, &psp.CallError{Class: psp.NotExecuted, Held: true, Code: "list_too_long"}
		}
	}
}

// span is when the checkout of the current attempt was created, if it was. If the provider had seen the key before, the checkout
// can be as old as the session.
func (f *flow) span() psp.Span {
	a := f.order.Current()
	if a.KeyTaken {
		return psp.Span{Since: time.UnixMilli(f.session.CreatedAt).Add(-clockMargin)}
	}
	return psp.Span{Since: time.UnixMilli(a.SentAt).Add(-clockMargin), Until: time.UnixMilli(f.order.UpdatedAt).Add(clockMargin)}
}

// resumeAbandoned clears an attempt without waiting for the buyer's next request.
func (f *flow) resumeAbandoned() error {
	f.deadline = f.config.Now().Add(clearBudget)
	_, err := f.clear()
	if errors.Is(err, errAgain) {
		return nil
	}
	return err
}
