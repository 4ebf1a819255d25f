package orders

import (
	"context"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// errUnmatched: the event is genuine and matches no attempt. It is stored in quarantine, never applied.
var errUnmatched = errors.New("the event matches no attempt")

// Apply records what the provider of an environment reports. It is idempotent, and events may come in any order. A nil
// error means that the event is durable: applied, known already, or in quarantine.
func (s *Service) Apply(ctx context.Context, env checkout.Environment, ev psp.Event) error {
	_, err := s.take(ctx, env, ev)
	return err
}

// outcome is the result of applying an event.
type outcome uint8

const (
	unneeded    outcome = iota // it is known already, or concerns no order
	applied                    // the order has changed
	quarantined                // it matches nothing
)

func (s *Service) take(ctx context.Context, env checkout.Environment, ev psp.Event) (outcome, error) {
	did, err := s.takeOnce(ctx, env, ev)
	s.measures.event(env, did, err, s.config.Now().Sub(ev.Created))
	return did, err
}

func (s *Service) takeOnce(ctx context.Context, env checkout.Environment, ev psp.Event) (outcome, error) {
	switch ev.Kind {
	case psp.EventRefund, psp.EventRefunded, psp.EventDispute:
		return s.takeMoneyBack(ctx, env, &ev)
	}
	if ev.Kind == psp.EventIgnored || s.foreign(&ev.Checkout) {
		return unneeded, nil
	}
	for range 10 {
		did, err := applied, s.apply(ctx, env, &ev)
		if errors.Is(err, errUnmatched) || errors.Is(err, ErrNotFound) {
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
func (s *Service) foreign(r *psp.Checkout) bool {
	return s.config.Deployment != "" && r.Deployment != "" && r.Deployment != s.config.Deployment
}

// unmatched puts an event that matches nothing into quarantine if it reports a payment, and closes the session that was paid, which
// must not be sold a second time. Other such events are ignored. The log names the event by the provider's ids only, because
// an unknown order id can be any text.
func (s *Service) unmatched(ctx context.Context, env checkout.Environment, ev *psp.Event, why error) (outcome, error) {
	seen := s.seen(env, ev)
	if ev.Kind != psp.EventCompleted && ev.Kind != psp.EventSucceeded {
		s.config.Log.WarnContext(ctx, "event ignored", "event", ev.ID, "ref", ev.Checkout.Ref, "why", why)
		return unneeded, s.config.Store.Commit(ctx, Change{Event: seen})
	}
	change := Change{Event: seen, Quarantine: &Quarantined{Event: *ev, Environment: env, Provider: seen.Provider,
		Why: reason(why), QuarantinedAt: s.nowMilli()}}
	session, err := s.config.Store.Session(ctx, ev.Checkout.SessionID)
	switch {
	case err == nil && session.Environment == env:
		session.Closed, session.PaidUnmatched = true, true
		change.Session = session
	case err != nil && !errors.Is(err, ErrNotFound):
		return unneeded, err
	}
	if err := s.config.Store.Commit(ctx, change); err != nil {
		return unneeded, err
	}
	s.config.Log.ErrorContext(ctx, "event in quarantine", "event", ev.ID, "ref", ev.Checkout.Ref, "why", why)
	return quarantined, nil
}

// reason says why an event matches nothing, for operators.
func reason(err error) string {
	if err == ErrNotFound {
		return "there is no such order"
	}
	return err.Error()
}

func (s *Service) apply(ctx context.Context, env checkout.Environment, ev *psp.Event) error {
	order, err := s.config.Store.Order(ctx, env, ev.Checkout.OrderID)
	if err != nil {
		return err
	}
	session, err := s.config.Store.Session(ctx, order.SessionID)
	if err != nil {
		return fmt.Errorf("orders: session of %s: %w", order.ID, err)
	}
	before := order.State
	facts, err := s.transition(ctx, order, env, ev)
	if err != nil {
		return err
	}
	change := Change{Order: order, Event: s.seen(env, ev), Facts: facts}
	was := session.Closed
	if closeAfter(order, session); session.Closed != was {
		change.Session = session
	}
	if err = s.commit(ctx, change); err == nil {
		s.measures.moved(before, order)
	}
	return err
}

// commit writes a change that may have facts, and tells that there are some.
func (s *Service) commit(ctx context.Context, c Change) error {
	err := s.config.Store.Commit(ctx, c)
	if err == nil && len(c.Facts) > 0 && s.config.FactAdded != nil {
		s.config.FactAdded()
	}
	return err
}

// settle records a payment and returns the facts. A second payment of an order is logged as an error at once, and hourly until its
// refund is handled.
func (s *Service) settle(ctx context.Context, o *Order, a *Attempt, p Payment) []Fact {
	if a.State == Settled {
		return nil
	}
	facts := o.settled(a, p, s.nowMilli())
	if o.State == RefundDue {
		s.config.Log.ErrorContext(ctx, "an order was paid more than once: a refund is due", "environment", o.Environment, "order", o.ID,
			"attempt", a.N, "payment", p.Ref)
	}
	return facts
}

// transition makes the order's transition for an event, if the event is about a known attempt and the attempt's frozen total. The
// checkout's status and payment decide, because the kind of an event is no proof of a payment. The kind only tells a delayed
// payment that failed from one that is still being processed, which look the same. The event of a checkout that is still open
// reports nothing and goes into quarantine.
func (s *Service) transition(ctx context.Context, o *Order, env checkout.Environment, ev *psp.Event) (facts []Fact, err error) {
	a := o.attemptOf(&ev.Checkout)
	if a == nil || ev.Checkout.Live != (env == checkout.Prod) {
		return nil, errUnmatched
	}
	if ev.Kind != psp.EventDeclined && !a.matches(ev.Checkout) {
		return nil, errUnmatched
	}
	if a.Ref == "" {
		a.Ref = ev.Checkout.Ref // the webhook arrived before the commit of the create
	}
	now := s.nowMilli()
	payment := s.payment(a, ev)
	switch {
	case ev.Kind == psp.EventDeclined:
		payment.Status = Declined
		o.unpaid(a, payment, false, now)
	case ev.Checkout.Paid:
		payment.Status = Succeeded
		facts = s.settle(ctx, o, a, payment)
	case ev.Checkout.Status == psp.CheckoutExpired:
		o.ended(a, now)
	case ev.Checkout.Status == psp.CheckoutComplete && ev.Kind == psp.EventFailed:
		payment.Status = Declined
		o.unpaid(a, payment, true, now)
	case ev.Checkout.Status == psp.CheckoutComplete:
		o.processing(a, now)
	default:
		return nil, errUnmatched
	}
	return facts, nil
}

func (s *Service) payment(a *Attempt, ev *psp.Event) Payment {
	return Payment{ID: s.newID("PAY"), Attempt: a.N, Provider: a.Provider, Ref: ev.Checkout.PaymentID, Method: ev.Method,
		Last4: ev.Last4, Reason: ev.Reason, At: ev.Created.UnixMilli()}
}

func (s *Service) seen(env checkout.Environment, ev *psp.Event) *SeenEvent {
	return &SeenEvent{Environment: env, Provider: s.config.Providers[env].Background.Name(), ID: ev.ID}
}
