package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
)

// errNoEvent: the session's state does not allow the event, and it has never happened.
var errNoEvent = errors.New("not in a state for that event")

// Triggered is an event that a trigger can make happen.
type Triggered struct {
	Event string // its type
	Means string // what happens
	step  func(*turn) bool
}

// Triggers are the events that a trigger can make happen. All but those of payments that are confirmed later need a session
// that can be paid.
func Triggers() []Triggered {
	return []Triggered{
		{"checkout.session.completed", "the buyer pays", whilePayable((*turn).pay)},
		{"checkout.session.async_payment_succeeded", "a payment that is confirmed later arrives", settling(false)},
		{"checkout.session.async_payment_failed", "a payment that is confirmed later fails", settling(true)},
		{"checkout.session.expired", "the checkout ends unpaid", whilePayable((*turn).expire)},
		{"payment_intent.payment_failed", "a card is declined, and the checkout stays open",
			whilePayable(func(t *turn) { t.decline(declined) })},
	}
}

func whilePayable(step func(*turn)) func(*turn) bool {
	return func(t *turn) bool {
		payable := t.payable()
		if payable {
			step(t)
		}
		return payable
	}
}

// settling decides about a payment that is confirmed later, which is first begun where it has not been.
func settling(bounces bool) func(*turn) bool {
	return func(t *turn) bool {
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

// trigger makes an event happen to the latest session of an order: POST {"event": "checkout.session.expired", "order":
// "ORD_…"}, and with "fault": "late:1m" what goes wrong with its webhook. In place of the order a session can be named, see
// find. The body must be declared as JSON, which keeps forms of other sites out.
func (s *Sandbox) trigger(ctx *fasthttp.RequestCtx) {
	var in struct {
		Event, Order string
		Fault        Fault
	}
	if !readJSON(ctx, &in) {
		return
	}
	known, fate, err := readTrigger(in.Event, in.Fault)
	if err != nil {
		writeJSON(ctx, fasthttp.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	done, err := s.happen(known, in.Order, fate)
	switch {
	case err == nil:
		writeJSON(ctx, fasthttp.StatusOK, done)
	case errors.Is(err, ErrNotFound):
		writeJSON(ctx, fasthttp.StatusNotFound, map[string]string{"error": fmt.Sprintf("no such order in the sandbox of this "+
			"environment: %q; give an order (ORD_…), a checkout session (cs_…) or the URL of a payment page, as the log has them. "+
			"There is one once create-order has answered", in.Order)})
	case errors.Is(err, errNoEvent):
		writeJSON(ctx, fasthttp.StatusConflict, map[string]string{"error": err.Error()})
	default:
		writeJSON(ctx, fasthttp.StatusInternalServerError, map[string]string{"error": "the sandbox cannot write"})
	}
}

// readTrigger says what is asked for; the fate is nil where its webhook has no fault of its own.
func readTrigger(event string, fault Fault) (Triggered, *fate, error) {
	var names []string
	for _, known := range Triggers() {
		names = append(names, known.Event)
		if known.Event != event {
			continue
		}
		if fault == "" {
			return known, nil, nil
		}
		f, err := fault.read()
		if err == nil && !f.fits(Webhook) {
			err = errors.New("no fault of a webhook: " + string(fault))
		}
		return known, &f, err
	}
	return Triggered{}, nil, errors.New("no such event; it can be " + strings.Join(names, ", "))
}

// readJSON reads a body that is declared as JSON, or answers.
func readJSON(ctx *fasthttp.RequestCtx, into any) bool {
	if kind := string(ctx.Request.Header.ContentType()); !strings.HasPrefix(kind, "application/json") {
		writeJSON(ctx, fasthttp.StatusUnsupportedMediaType, map[string]string{"error": "send application/json"})
		return false
	}
	if json.Unmarshal(ctx.PostBody(), into) != nil {
		writeJSON(ctx, fasthttp.StatusBadRequest, map[string]string{"error": "the body is not what is taken here"})
		return false
	}
	return true
}

func writeJSON(ctx *fasthttp.RequestCtx, status int, body any) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBody(encode(body))
}

// happened is what a trigger answers.
type happened struct {
	Session string `json:"session"`
	Order   string `json:"order"`
	Event   string `json:"event"`
}

// happen takes the step that an event reports. Where that has been taken already, the same event is sent again: whoever
// receives webhooks must be ready for both.
func (s *Sandbox) happen(what Triggered, reference string, with *fate) (done happened, err error) {
	id, err := s.find(reference)
	if err != nil {
		return done, err
	}
	var refused error
	err = s.turn(id, func(t *turn) {
		t.forced = with
		if !what.step(t) && !t.again(t.Events[what.Event]) {
			refused = fmt.Errorf("%s is %w: %s. It needs a checkout that can be paid, or a payment that is under way; with another country "+
				"or e-mail address create-order opens a new checkout while the order is unpaid", what.Event, errNoEvent, t.about())
			return
		}
		done = happened{id, string(t.Session.ClientReferenceID), t.Events[what.Event]}
		s.note(t, "trigger "+what.Event)
	})
	return done, cmp.Or(err, refused)
}

// again sends an event once more.
func (t *turn) again(id string) bool {
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
