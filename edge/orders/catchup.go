package orders

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	// catchUpBudget is how long orders wait at most for the service to catch up with a provider.
	catchUpBudget = time.Minute
	// catchUpPause is the time between two attempts to ask a provider.
	catchUpPause = time.Second
	// payableBack is the greatest age of a checkout that can still be paid.
	payableBack = checkoutLife + 2*clockMargin
)

// CatchUp compares each provider's newest checkouts with the orders, and then lets orders be accepted ([Config.CatchUp]). Every server
// calls it once. After a restored backup the provider has checkouts that the store does not know, or knows in an earlier state. All
// that can still be paid are then compared as by [Service.Reconcile], or with [Config.Restored] all since then.
//
// It stops after a minute, so that a provider that refuses to list (a restricted key) does not stop sales for ever. Orders are then
// protected by their keys: a session's next call has the same key as a lost one, see [psp.KeyTaken]. The error says that it has not compared.
func (s *Service) CatchUp(ctx context.Context) error {
	var all sync.WaitGroup
	failed := make(chan error, len(s.caughtUp))
	for env, caughtUp := range s.caughtUp {
		select {
		case <-caughtUp:
			continue
		default:
		}
		all.Go(func() {
			defer close(caughtUp)
			ctx, cancel := context.WithTimeout(ctx, catchUpBudget)
			defer cancel()
			r := reconciliation{Service: s, env: env, provider: s.config.Providers[env].Background}
			if err := r.catchUp(ctx); err != nil {
				s.config.Log.Error("orders are accepted although the provider's checkouts could not be compared", "environment", env, "error", err)
				failed <- err
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

// untilCaughtUp waits until orders are accepted, or ctx ends.
func (s *Service) untilCaughtUp(ctx context.Context) {
	for _, caughtUp := range s.caughtUp {
		select {
		case <-caughtUp:
		case <-ctx.Done():
		}
	}
}

// catchUp tries until it has compared, or ctx ends.
func (r *reconciliation) catchUp(ctx context.Context) error {
	compare := r.compareNewest
	if !r.config.Restored.IsZero() {
		compare = func(ctx context.Context) error { return r.compareSince(ctx, r.config.Restored.Add(-reconcileBack)) }
	}
	for {
		err := compare(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(catchUpPause):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// compareNewest reads one page. If a checkout on it is new, it goes on to all that can still be paid.
func (r *reconciliation) compareNewest(ctx context.Context) error {
	since := psp.Span{Since: r.config.Now().Add(-payableBack)}
	page, callErr := r.provider.ListCheckouts(r.callDeadline(), since, "")
	if callErr != nil {
		return callErr
	}
	for i := range page.Items {
		news, err := r.isNews(ctx, &page.Items[i])
		if err != nil {
			return err
		}
		if news {
			r.config.Log.Warn("the provider is ahead of the database: its checkouts are compared before orders are accepted", "environment", r.env)
			return errors.Join(r.loadQuarantine(ctx), r.checkouts(ctx, since), r.unended)
		}
	}
	return nil
}

// isNews reports whether a checkout is one of ours that the store does not know, or knows in another state.
func (r *reconciliation) isNews(ctx context.Context, remote *psp.Checkout) (bool, error) {
	if remote.OrderID == "" || r.foreign(remote) {
		return false, nil
	}
	order, err := r.config.Store.Order(ctx, r.env, remote.OrderID)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return order.stray(remote) || !order.knows(remote) || r.moved(order, remote) != nil, nil
}

// awaitCatchUp waits until orders are accepted, as long as there is time left for a call to the provider. After a wait it returns
// errAgain, because catching up may have written the order.
func (f *flow) awaitCatchUp() error {
	caughtUp := f.caughtUp[f.session.Environment]
	select {
	case <-caughtUp:
		return nil
	default:
	}
	select {
	case <-caughtUp:
		return errAgain
	case <-time.After(f.deadline.Sub(f.config.Now()) - f.config.TryTimeout):
		return errDown
	}
}
