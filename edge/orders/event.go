package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// errMisfit: the event is genuine and fits no attempt of ours. It is kept, never applied.
var errMisfit = errors.New("orders: the event fits no attempt")

// Apply records what the provider of an environment reports. It is idempotent, and events may come in any order. A nil
// error means that the event is durable in one way or another: applied, known already, or in quarantine.
func (s *Service) Apply(ctx context.Context, env checkout.Environment, ev Event) error {
	_, err := s.take(ctx, env, ev)
	return err
}

// outcome is what has become of an event.
type outcome uint8

const (
	unneeded    outcome = iota // it is known, or no concern of ours
	applied                    // it counts now
	quarantined                // it fits nothing, and is kept
)

func (s *Service) take(ctx context.Context, env checkout.Environment, ev Event) (outcome, error) {
	if ev.Kind == EventIgnored || s.foreign(&ev.Remote) {
		return unneeded, nil
	}
	for range 10 {
		did, err := applied, s.apply(ctx, env, &ev)
		if errors.Is(err, errMisfit) || errors.Is(err, ErrNotFound) {
			did, err = s.unmatched(ctx, env, &ev, err)
		}
		switch {
		case errors.Is(err, ErrStale):
			continue
		case errors.Is(err, ErrRepeated):
			return unneeded, nil
		default:
			return did, err
		}
	}
	return unneeded, ErrStale
}

// foreign reports whether a checkout belongs to another deployment on the same account.
func (s *Service) foreign(r *Remote) bool {
	return s.Deployment != "" && r.Deployment != "" && r.Deployment != s.Deployment
}

// unmatched keeps an event that fits nothing in quarantine if it reports a payment, and closes the session that was paid: it must
// not be sold a second time. Other events that fit nothing are ignored. The log names the event by the provider's ids
// only: an order id that we do not know may be anything.
func (s *Service) unmatched(ctx context.Context, env checkout.Environment, ev *Event, why error) (outcome, error) {
	seen := s.seen(env, ev)
	if ev.Kind != EventCompleted && ev.Kind != EventSucceeded {
		s.Log.Warn("event ignored", "event", ev.ID, "ref", ev.Remote.Ref, "why", why)
		return unneeded, s.Store.Commit(ctx, Change{Event: seen})
	}
	change := Change{Event: seen, Quarantine: &Quarantined{Event: *ev, Environment: env, Provider: seen.Provider,
		Why: why.Error(), QuarantinedAt: s.nowMilli()}}
	session, err := s.Store.Session(ctx, ev.Remote.SessionID)
	switch {
	case err == nil && session.Environment == env:
		session.Closed, session.PaidUnmatched = true, true
		change.Session = session
	case err != nil && !errors.Is(err, ErrNotFound):
		return unneeded, err
	}
	if err := s.Store.Commit(ctx, change); err != nil {
		return unneeded, err
	}
	s.Log.Error("event in quarantine", "event", ev.ID, "ref", ev.Remote.Ref, "why", why)
	return quarantined, nil
}

func (s *Service) apply(ctx context.Context, env checkout.Environment, ev *Event) error {
	order, err := s.Store.Order(ctx, env, ev.Remote.OrderID)
	if err != nil {
		return err
	}
	session, err := s.Store.Session(ctx, order.SessionID)
	if err != nil {
		return fmt.Errorf("orders: session of %s: %w", order.ID, err)
	}
	if err := s.transition(order, env, ev); err != nil {
		return err
	}
	change := Change{Order: order, Event: s.seen(env, ev)}
	was := session.Closed
	if session.follow(order); session.Closed != was {
		change.Session = session
	}
	return s.Store.Commit(ctx, change)
}

// settle records a payment. A second payment of an order is logged as an error at once, and hourly until its refund is handled.
func (s *Service) settle(o *Order, a *Attempt, p Payment) {
	if a.State == Settled {
		return
	}
	if o.settled(a, p, s.nowMilli()); o.State == RefundDue {
		s.Log.Error("an order was paid more than once: a refund is due", "environment", o.Environment, "order", o.ID,
			"attempt", a.N, "payment", p.Ref)
	}
}

// transition moves the order to where the event's checkout stands, if the event is about an attempt that we know and about the
// money we froze. The checkout's own status and payment decide: the name of an event is no proof of a payment. The kind only
// tells a delayed payment that failed from one that is still under way, which look the same. A checkout that is still open
// reports nothing, and its event goes into quarantine.
func (s *Service) transition(o *Order, env checkout.Environment, ev *Event) error {
	a := o.attemptOf(&ev.Remote)
	if a == nil || ev.Remote.Live != (env == checkout.Prod) {
		return errMisfit
	}
	if ev.Kind != EventDeclined && !a.matches(ev.Remote) {
		return errMisfit
	}
	if a.Ref == "" {
		a.Ref = ev.Remote.Ref // the webhook was faster than our own commit
	}
	now := s.nowMilli()
	payment := s.payment(a, ev)
	switch {
	case ev.Kind == EventDeclined:
		payment.Status = Declined
		o.unpaid(a, payment, false, now)
	case ev.Remote.Paid:
		payment.Status = Succeeded
		s.settle(o, a, payment)
	case ev.Remote.Status == RemoteExpired:
		o.ended(a, now)
	case ev.Remote.Status == RemoteComplete && ev.Kind == EventFailed:
		payment.Status = Declined
		o.unpaid(a, payment, true, now)
	case ev.Remote.Status == RemoteComplete:
		o.taken(a, now)
	default:
		return errMisfit
	}
	return nil
}

func (s *Service) payment(a *Attempt, ev *Event) Payment {
	return Payment{ID: s.newID("PAY"), Attempt: a.N, Provider: a.Provider, Ref: ev.Remote.PaymentID, Method: ev.Method,
		Last4: ev.Last4, Reason: ev.Reason, At: ev.Created.UnixMilli()}
}

func (s *Service) seen(env checkout.Environment, ev *Event) *SeenEvent {
	return &SeenEvent{Environment: env, Provider: s.Gateways[env].Name(), ID: ev.ID}
}
