package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// ErrNoEvent is the error of a trigger whose event the session's state does not allow and which has not happened before.
var ErrNoEvent = errors.New("not in a state for that event")

// Trigger is an event that can be made to happen.
type Trigger struct {
	Event string // the type of the event
	Means string // what happens, for people
	step  func(*sessionTx) bool
}

// Triggers returns the events that can be triggered. Those of delayed payments need a session that is payable or whose delayed
// payment is undecided, those of refunds and disputes one that is paid; the others need one that is payable.
func Triggers() []Trigger {
	return []Trigger{
		{"checkout.session.completed", "the buyer pays", whilePayable((*sessionTx).pay)},
		{"checkout.session.async_payment_succeeded", "a payment that is confirmed later arrives", settling(false)},
		{"checkout.session.async_payment_failed", "a payment that is confirmed later fails", settling(true)},
		{"checkout.session.expired", "the checkout ends unpaid", whilePayable((*sessionTx).expire)},
		{"payment_intent.payment_failed", "a card is declined, and the checkout stays open",
			whilePayable(func(t *sessionTx) { t.decline(declined) })},
		{"refund.created", "the merchant refunds the payment at the provider by hand", (*sessionTx).refundByHand},
		{"charge.dispute.created", "the buyer disputes the payment", (*sessionTx).dispute},
		{"charge.dispute.closed", "the bank decides a dispute for the buyer", (*sessionTx).closeDispute},
	}
}

func whilePayable(step func(*sessionTx)) func(*sessionTx) bool {
	return func(t *sessionTx) bool {
		payable := t.payable()
		if payable {
			step(t)
		}
		return payable
	}
}

// settling decides a delayed payment, and starts it first where the session is payable.
func settling(bounces bool) func(*sessionTx) bool {
	return func(t *sessionTx) bool {
		if t.payable() {
			t.payLater(false)
		}
		settling := t.settling()
		if settling {
			t.settle(bounces)
		}
		return settling
	}
}

// Triggered is the result of a trigger.
type Triggered struct {
	Session string `json:"session"`
	Order   string `json:"order"`
	Event   string `json:"event"`
}

// Trigger makes an event happen to a session. The reference is the id of an order, whose newest session is meant, the session's
// own id, the URL of its page, or the id or page URL of the merchant's checkout session. with is the fault of the webhook, nil for
// the injector's. An event that the state does not allow and that has happened before is sent again. Trigger returns
// [ErrNotFound] for an unknown reference and an error that wraps [ErrNoEvent] for an event that cannot happen.
func (s *Sandbox) Trigger(what Trigger, reference string, with *fault.Injected) (done Triggered, err error) {
	id, err := s.find(reference)
	if err != nil {
		return done, err
	}
	var refused error
	err = s.update(id, func(t *sessionTx) {
		t.forced = with
		if !what.step(t) && !t.again(t.Events[what.Event]) {
			refused = fmt.Errorf("%s is %w: %s. It needs a checkout that can be paid, or a payment that is under way; with another country "+
				"or e-mail address create-order opens a new checkout while the order is unpaid", what.Event, ErrNoEvent, t.about())
			return
		}
		done = Triggered{id, string(t.Session.ClientReferenceID), t.Events[what.Event]}
		t.note("trigger " + what.Event)
	})
	return done, cmp.Or(err, refused)
}

// again sends an event again. It reports whether there is one.
func (t *sessionTx) again(id string) bool {
	d, err := load[delivery](t.sandbox.config.Store, "ev/"+id)
	if d == nil || err != nil || t.sandbox.config.WebhookURL == "" {
		return false
	}
	if t.forced == nil {
		t.send(id, 0)
		return true
	}
	t.deliver(d, *t.forced)
	t.change.put("ev/"+id, d)
	return true
}

// find returns the id of the session that a reference of [Sandbox.Trigger] names. The metadata names the merchant's checkout
// session.
func (s *Sandbox) find(reference string) (string, error) {
	if _, path, ok := strings.Cut(reference, "://"); ok {
		isEnd := func(r rune) bool { return r == '/' || r == '?' || r == '#' }
		parts := strings.FieldsFunc(path, isEnd)
		i := slices.IndexFunc(parts, func(part string) bool { return strings.HasPrefix(part, "cs_") })
		if i < 0 {
			return "", ErrNotFound
		}
		reference = parts[i]
	}
	if !strings.HasPrefix(reference, "cs_") {
		return s.latest(reference)
	}
	known, err := s.Sessions()
	for _, k := range known {
		if k.ID == reference || slices.Contains(slices.Collect(maps.Values(k.Metadata)), reference) {
			return k.ID, err
		}
	}
	return "", cmp.Or(err, ErrNotFound)
}

// latest returns the id of the newest session of an order.
func (s *Sandbox) latest(order string) (id string, err error) {
	prefix := "or/" + order + "/"
	err = s.config.Store.Scan(prefix, "", func(key string, value []byte) bool {
		if id = string(value); key != prefix+id {
			id = "" // of another order, whose id contains a slash
		}
		return id == ""
	})
	if err == nil && id == "" {
		err = ErrNotFound
	}
	return id, err
}
