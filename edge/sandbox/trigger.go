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

// ErrNoEvent: the session's state does not allow the event, and it has never happened.
var ErrNoEvent = errors.New("not in a state for that event")

// Trigger is an event that can be made to happen.
type Trigger struct {
	Event string // its type
	Means string // what happens
	step  func(*sessionTx) bool
}

// Triggers are the events that a trigger can make happen. All but those of payments that are confirmed later need a session
// that can be paid.
func Triggers() []Trigger {
	return []Trigger{
		{"checkout.session.completed", "the buyer pays", whilePayable((*sessionTx).pay)},
		{"checkout.session.async_payment_succeeded", "a payment that is confirmed later arrives", settling(false)},
		{"checkout.session.async_payment_failed", "a payment that is confirmed later fails", settling(true)},
		{"checkout.session.expired", "the checkout ends unpaid", whilePayable((*sessionTx).expire)},
		{"payment_intent.payment_failed", "a card is declined, and the checkout stays open",
			whilePayable(func(t *sessionTx) { t.decline(declined) })},
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

// settling decides about a payment that is confirmed later, which is first begun where it has not been.
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

// Triggered is the event that a trigger has sent.
type Triggered struct {
	Session string `json:"session"`
	Order   string `json:"order"`
	Event   string `json:"event"`
}

// happen takes the step that an event reports. Where that has been taken already, the same event is sent again: whoever
// receives webhooks must be ready for both.
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

// again sends an event once more.
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

// find is the id of the session that is meant by an order (then its newest), by its own id, by the URL of its page, or by what
// its metadata contains: the id, or the page, of the checkout that it was opened for.
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

// latest is the newest session of an order.
func (s *Sandbox) latest(order string) (id string, err error) {
	prefix := "or/" + order + "/"
	err = s.config.Store.Scan(prefix, "", func(key string, value []byte) bool {
		if id = string(value); key != prefix+id {
			id = "" // of another order, whose name goes on after a slash
		}
		return id == ""
	})
	if err == nil && id == "" {
		err = ErrNotFound
	}
	return id, err
}
