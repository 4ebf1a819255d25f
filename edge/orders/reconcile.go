package orders

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	// reconcileEvery is the time between two comparisons, reconcileSoon the time after one that failed.
	reconcileEvery, reconcileSoon = time.Hour, 5 * time.Minute
	// reconcileBack is the greatest age of a checkout that is compared: a provider's checkout lives for a day at most.
	reconcileBack = 26 * time.Hour
	// A comparison ends after reconcilePages pages of a list, or after reconcileBudget. A page that cannot be read is tried
	// pageTries times.
	reconcilePages, pageTries  = 4000, 3
	reconcileBudget, pagePause = 30 * time.Minute, 200 * time.Millisecond
)

func (s *Service) reconcileHourly(ctx context.Context) {
	for ctx.Err() == nil {
		wait := reconcileEvery
		if s.Reconcile(ctx) != nil {
			wait = reconcileSoon
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// Reconcile compares every provider's records with the orders once: the events that it could not deliver, and the checkouts of the
// last 26 hours. It applies what a lost webhook would have reported, puts what matches nothing into quarantine, and ends a
// checkout that can be paid although its attempt was rolled back. It may run at any time and is idempotent. A provider that
// fails does not keep the next one from being compared.
func (s *Service) Reconcile(ctx context.Context) error {
	var failed []error
	for _, env := range slices.Sorted(maps.Keys(s.config.Providers)) {
		r := reconciliation{Service: s, env: env, provider: s.config.Providers[env].Background}
		err := r.run(ctx)
		if ctx.Err() != nil {
			return ctx.Err() // the service is stopping, which is no failure
		}
		report := []any{"environment", env, "checked", r.checked, "fixed", r.fixed, "quarantined", r.quarantined}
		if err != nil {
			s.config.Log.Warn("reconciled in part", append(report, "error", err)...)
		} else {
			s.config.Log.Info("reconciled", report...)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// reconciliation is one comparison with one provider.
type reconciliation struct {
	*Service
	env      checkout.Environment
	provider Calls

	checked     int   // events and checkouts of ours
	fixed       int   // of them: changed an order, or ended
	quarantined int   // of them: match nothing
	unended     error // the last failure to end a checkout

	kept map[string]bool // the checkouts in quarantine
}

func (r *reconciliation) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reconcileBudget)
	defer cancel()
	return r.compareSince(ctx, r.config.Now().Add(-reconcileBack))
}

// compareSince applies the events first, because they hold more than a checkout does.
func (r *reconciliation) compareSince(ctx context.Context, since time.Time) error {
	if err := r.loadQuarantine(ctx); err != nil {
		return err
	}
	return errors.Join(
		visit(ctx, r, r.provider.UndeliveredEvents, r.event),
		r.checkouts(ctx, psp.Span{Since: since}),
		r.refunds(ctx, psp.Span{Since: since}),
		r.unended)
}

func (r *reconciliation) checkouts(ctx context.Context, created psp.Span) error {
	return visit(ctx, r, func(deadline time.Time, after string) (psp.Page[psp.Checkout], *psp.CallError) {
		return r.provider.ListCheckouts(deadline, created, after)
	}, r.checkout)
}

// loadQuarantine reads which checkouts are in quarantine already.
func (r *reconciliation) loadQuarantine(ctx context.Context) error {
	r.kept = make(map[string]bool)
	for after := ""; ; {
		page, err := r.config.Store.Quarantined(ctx, r.env, after, 100)
		if err != nil {
			return err
		}
		for i := range page.Items {
			r.kept[page.Items[i].Checkout.Ref] = true
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// visit reads a list page by page and calls look for each item.
func visit[T any](ctx context.Context, r *reconciliation, read func(time.Time, string) (psp.Page[T], *psp.CallError),
	look func(context.Context, *T) error) error {
	after := ""
	for range reconcilePages {
		page, err := readPage(ctx, r, read, after)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := cmp.Or(ctx.Err(), look(ctx, &page.Items[i])); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
	return errors.New("orders: the provider's list is too long")
}

func readPage[T any](ctx context.Context, r *reconciliation, read func(time.Time, string) (psp.Page[T], *psp.CallError), after string) (psp.Page[T], error) {
	for try := 1; ; try++ {
		page, callErr := read(r.callDeadline(), after)
		if callErr == nil {
			return page, nil
		}
		if try == pageTries || callErr.Class == psp.Definitive {
			return page, fmt.Errorf("orders: a list cannot be read: %w", callErr)
		}
		select {
		case <-time.After(max(callErr.RetryAfter, pagePause<<try)):
		case <-ctx.Done():
			return page, ctx.Err()
		}
	}
}

func (r *reconciliation) callDeadline() time.Time { return r.config.Now().Add(r.config.TryTimeout) }

func (r *reconciliation) event(ctx context.Context, ev *psp.Event) error {
	if ev.Kind == psp.EventIgnored {
		return nil
	}
	r.checked++
	return r.count(r.take(ctx, r.env, *ev))
}

// checkout makes an order's transition to the state that the provider reports.
func (r *reconciliation) checkout(ctx context.Context, remote *psp.Checkout) error {
	if remote.OrderID == "" || r.foreign(remote) {
		return nil // another user of the account
	}
	r.checked++
	order, err := r.home(ctx, remote)
	if errors.Is(err, ErrNotFound) {
		return r.unknownOrder(ctx, remote)
	}
	if err != nil {
		return err
	}
	stray := order.stray(remote)
	if stray && !r.end(remote) {
		return nil
	}
	if !order.knows(remote) {
		return r.tell(ctx, remote)
	}
	if stray {
		r.fixed++
	}
	return nil
}

// unknownOrder handles a checkout of an order that the store does not have, because a restored backup lost it. If the checkout can
// be paid and is certainly ours, it is ended.
func (r *reconciliation) unknownOrder(ctx context.Context, remote *psp.Checkout) error {
	open := remote.Status == psp.CheckoutOpen
	switch {
	case open && (remote.Deployment == "" || !r.end(remote)):
		return nil
	case remote.Status == psp.CheckoutComplete:
		return r.tell(ctx, remote)
	case open:
		r.fixed++
	}
	return nil
}

// end ends a checkout that must not be paid, and reports whether its state is certain afterwards.
func (r *reconciliation) end(remote *psp.Checkout) bool {
	ended, callErr := r.provider.Expire(r.callDeadline(), remote.Ref)
	if callErr != nil {
		r.unended = fmt.Errorf("orders: %s attempt %d cannot be ended: %w", remote.OrderID, remote.Attempt, callErr)
		return false
	}
	r.config.Log.Warn("ended a checkout that must not be paid", "ref", remote.Ref, "attempt", remote.Attempt)
	*remote = ended
	return true
}

func (r *reconciliation) refunds(ctx context.Context, created psp.Span) error {
	return visit(ctx, r, func(deadline time.Time, after string) (psp.Page[psp.Refund], *psp.CallError) {
		return r.provider.ListRefunds(deadline, "", created, after)
	}, r.refund)
}

// refund records a refund of a payment of ours that is not known, or known in another state.
func (r *reconciliation) refund(ctx context.Context, remote *psp.Refund) error {
	if remote.PaymentID == "" {
		return nil
	}
	o, err := r.config.Store.OrderPaidBy(ctx, r.env, r.provider.Name(), remote.PaymentID)
	if errors.Is(err, ErrNotFound) {
		return nil // an account may serve others too
	}
	if err != nil {
		return err
	}
	r.checked++
	known := find(o.Refunds, func(k *Refund) bool { return k.Ref == remote.Ref })
	if known != nil && o.knowsRefund(known, remote) {
		return nil
	}
	return r.count(r.take(ctx, r.env, psp.Event{ID: fmt.Sprintf("reconciled_%s_%d", remote.Ref, remote.Status), Kind: psp.EventRefund,
		Created: r.config.Now(), Refund: *remote, Live: r.env == checkout.Prod}))
}

// tell applies what a checkout's event would have reported.
func (r *reconciliation) tell(ctx context.Context, remote *psp.Checkout) error {
	if r.kept[remote.Ref] {
		return nil
	}
	return r.count(r.take(ctx, r.env, *r.found(remote)))
}

// moved is the attempt of a checkout if it was made with another key of the same account; nil for all others.
func (r *reconciliation) moved(o *Order, remote *psp.Checkout) *Attempt {
	a := o.attemptOf(remote)
	if a == nil || a.Ref != remote.Ref || !a.elsewhere(r.provider.Account()) {
		return nil
	}
	return a
}

// home reads the order of a checkout. If the attempt is recorded at another account although its checkout is at this one, only the
// key was replaced, and home stores the current account.
func (r *reconciliation) home(ctx context.Context, remote *psp.Checkout) (*Order, error) {
	for {
		o, err := r.config.Store.Order(ctx, r.env, remote.OrderID)
		if err != nil {
			return nil, err
		}
		a := r.moved(o, remote)
		if a == nil {
			return o, nil
		}
		a.Account = r.provider.Account()
		if err := r.config.Store.Commit(ctx, Change{Order: o}); !errors.Is(err, ErrStale) { // the sweeper may be writing it
			o.Version++
			return o, err
		}
	}
}

func (r *reconciliation) count(o outcome, err error) error {
	switch {
	case err != nil:
	case o == applied:
		r.fixed++
	case o == quarantined:
		r.quarantined++
	}
	return err
}

// found returns the event that would have reported a checkout's state. Its id is the same each time, so that it is applied once.
func (r *reconciliation) found(remote *psp.Checkout) *psp.Event {
	kind := psp.EventIgnored // an open checkout needs no event
	switch remote.Status {
	case psp.CheckoutComplete:
		kind = psp.EventCompleted
	case psp.CheckoutExpired:
		kind = psp.EventExpired
	}
	return &psp.Event{ID: fmt.Sprintf("reconciled_%s_%d_%t", remote.Ref, remote.Status, remote.Paid), Kind: kind, Created: r.config.Now(), Checkout: *remote}
}

// stray reports whether a checkout can be paid at the provider although it must not be: its attempt was rolled back, or the order
// is paid. A checkout that a request is working on is not stray.
func (o *Order) stray(r *psp.Checkout) bool {
	if r.Status != psp.CheckoutOpen {
		return false
	}
	a := o.attemptOf(r)
	if a == nil {
		return true
	}
	switch a.State {
	case Sent, Unresolved, Superseding:
		return false
	case Open:
		return o.closed()
	}
	return true
}

// knows reports whether an attempt has the state that the provider reports.
func (o *Order) knows(r *psp.Checkout) bool {
	a := o.attemptOf(r)
	if a == nil {
		return r.Status == psp.CheckoutExpired // an attempt that a restored backup has lost, and nothing came of it
	}
	switch r.Status {
	case psp.CheckoutExpired:
		return a.State == Ended || a.State == Settled
	case psp.CheckoutComplete:
		return a.State == Settled || !r.Paid && (a.State == AttemptProcessing || a.State == Ended)
	}
	return true
}
