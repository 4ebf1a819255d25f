package orders

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	sweepEvery    = 5 * time.Second
	sweepBatch    = 100
	sweepParallel = 5
)

// Run runs the background jobs until ctx ends; of several servers on one store, one needs to run them. It sweeps at once and every five
// seconds, which resolves what a crash, a lost response or a lost webhook has left open. It reconciles every hour, the first time after
// [Service.CatchUp], and logs an error every hour while payments wait for a person.
func (s *Service) Run(ctx context.Context) {
	var hourly sync.WaitGroup
	hourly.Go(func() { s.untilCaughtUp(ctx); s.reconcileHourly(ctx) })
	hourly.Go(func() { s.reportHourly(ctx) })
	defer hourly.Wait()
	s.sweep(ctx)
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.sweep(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) sweep(ctx context.Context) {
	if err := s.Sweep(ctx); err != nil {
		s.config.Log.ErrorContext(ctx, "the sweep was incomplete", "error", err)
	}
}

// Sweep resumes once every order that is due. An order that a request is working on, or that fails again, stays due.
func (s *Service) Sweep(ctx context.Context) error {
	due, err := s.config.Store.Due(ctx, s.nowMilli(), sweepBatch)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	slots := make(chan struct{}, sweepParallel)
	for _, d := range due {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := s.resume(ctx, d); err != nil && !errors.Is(err, ErrStale) {
				s.config.Log.WarnContext(ctx, "an order could not be resumed", "order", d.ID, "error", err)
			}
		})
	}
	all.Wait()
	return nil
}

// resume makes the next transition of a due order.
func (s *Service) resume(ctx context.Context, d DueOrder) error {
	order, err := s.config.Store.Order(ctx, d.Environment, d.ID)
	if err != nil {
		return err
	}
	unlock, ok := s.sessions.lock(order.SessionID, 0)
	if !ok {
		return nil // a buyer's request is doing the same
	}
	defer unlock()
	f := flow{Service: s, ctx: ctx, deadline: s.config.Now().Add(s.config.Budget)}
	if due := order.forgetDueAt(); due != 0 && due <= s.nowMilli() {
		return f.forget(d)
	}
	if f.provider = s.config.Providers[d.Environment].Background; f.provider == nil {
		return errors.New("orders: no payment provider is configured any more")
	}
	if err = f.have(s.config.Store.Order(ctx, d.Environment, d.ID)); err != nil {
		return err
	}
	if f.session, err = s.config.Store.Session(ctx, order.SessionID); err != nil {
		return err
	}
	var failed []error
	if due := f.order.attemptDueAt(); due != 0 && due <= s.nowMilli() { // otherwise it was resolved meanwhile
		failed = append(failed, f.resume())
		f.facts = nil
	}
	if due := f.order.refundsDueAt(); due != 0 && due <= s.nowMilli() {
		failed = append(failed, f.resumeRefunds())
	}
	return errors.Join(failed...)
}

func (f *flow) resume() error {
	a := f.order.Current()
	f.digest = a.Digest
	if a.elsewhere(f.provider.Account()) {
		return f.resumeElsewhere()
	}
	switch a.State {
	case Sent, Unresolved:
		if !a.replayableAt(f.nowMilli()) {
			f.order.rollBack(Abandoned)
			return f.resumeAbandoned()
		}
		_, err := f.resend()
		return err
	case Abandoned:
		return f.resumeAbandoned()
	case Superseding:
		return f.settle(f.provider.Expire)
	default:
		return f.settle(f.provider.Retrieve)
	}
}

// resumeElsewhere rolls back an attempt of another account once it is over, because no event of that account arrives.
func (f *flow) resumeElsewhere() error {
	a, now := f.order.Current(), f.nowMilli()
	if !a.overAt(now) || a.State == AttemptProcessing && !a.Account.TestMode {
		a.Tries++
		f.order.UpdatedAt = now
		return f.commit(Change{Order: f.order})
	}
	if !a.Account.TestMode && a.URL != "" {
		f.config.Log.WarnContext(f.ctx, "an attempt ended at another account of the provider; check there whether it was paid",
			"order", f.order.ID, "attempt", a.N, "account", a.Account.ID, "ref", a.Ref)
	}
	f.order.left(now)
	return f.commitClosed()
}

// settle reads the state of the current attempt from the provider and persists it. If it is still open, the order is due again
// later.
func (f *flow) settle(ask func(time.Time, string) (psp.Checkout, *psp.CallError)) error {
	a := f.order.Current()
	a.Tries++
	remote, callErr := ask(f.tryDeadline(), a.Ref)
	f.order.UpdatedAt = f.nowMilli()
	if callErr != nil {
		return errors.Join(callErr, f.commit(Change{Order: f.order}))
	}
	if err := f.observe(a, remote); err != nil {
		return errors.Join(err, f.commit(Change{Order: f.order}))
	}
	return f.commitClosed()
}
