package sandbox

import (
	"errors"
	"strings"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"
)

// errNoEvent: the session's state does not allow the event, and it has never happened.
var errNoEvent = errors.New("sandbox: the order is not in a state for that event")

// trigger makes an event happen to the latest session of an order: POST {"event": "checkout.session.expired", "order":
// "ORD_…"}. The body must be declared as JSON, which keeps forms of other sites out.
func (s *Sandbox) trigger(ctx *fasthttp.RequestCtx) {
	var in struct{ Event, Order string }
	if !readJSON(ctx, &in) {
		return
	}
	id, event, err := s.happen(in.Event, in.Order)
	switch {
	case err == nil:
		writeJSON(ctx, fasthttp.StatusOK, map[string]string{"session": id, "event": event})
	case errors.Is(err, ErrNotFound):
		writeJSON(ctx, fasthttp.StatusNotFound, map[string]string{"error": "no such order in the sandbox"})
	case errors.Is(err, errNoEvent):
		writeJSON(ctx, fasthttp.StatusConflict, map[string]string{"error": err.Error()})
	default:
		writeJSON(ctx, fasthttp.StatusInternalServerError, map[string]string{"error": "the sandbox cannot write"})
	}
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

// happen takes the step that an event reports. Where that has been taken already, the same event is sent again: whoever
// receives webhooks must be ready for both.
func (s *Sandbox) happen(kind, order string) (id, event string, err error) {
	if id, err = s.latest(order); err != nil {
		return "", "", err
	}
	done := false
	err = s.turn(id, func(t *turn) {
		done = t.happen(kind) || t.again(t.Events[kind])
		event = t.Events[kind]
		s.note(t, "trigger "+kind)
	})
	if err == nil && !done {
		err = errNoEvent
	}
	return id, event, err
}

// again sends an event once more.
func (t *turn) again(id string) bool {
	if id == "" || t.sandbox.config.WebhookURL == "" {
		return false
	}
	t.send(id, 0)
	return true
}

// happen takes the step that a kind of event reports, if the session is in a state for it. A payment that is confirmed
// later is first begun, where it has not been.
func (t *turn) happen(kind string) bool {
	if kind == "checkout.session.async_payment_succeeded" || kind == "checkout.session.async_payment_failed" {
		if t.payable() {
			t.payLater(false)
		}
		settling := t.settling()
		if settling {
			t.settle(kind == "checkout.session.async_payment_failed")
		}
		return settling
	}
	if !t.payable() {
		return false
	}
	switch kind {
	case "checkout.session.completed":
		t.pay()
	case "checkout.session.expired":
		t.expire()
	case "payment_intent.payment_failed":
		t.decline(declined)
	default:
		return false
	}
	return true
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
