package page

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// trigger triggers an event: POST {"event": "checkout.session.expired", "order": "ORD_…"}, with "fault": "late:1m" for a fault of
// its webhook. [sandbox.Sandbox.Trigger] says what else can stand for the order. The body must be sent as JSON, which a form of
// another site cannot.
func (p *pages) trigger(ctx *fasthttp.RequestCtx) {
	var in struct {
		Event, Order string
		Fault        fault.Spec
	}
	if !readJSON(ctx, &in) {
		return
	}
	event, injected, err := readTrigger(in.Event, in.Fault)
	if err != nil {
		writeJSON(ctx, fasthttp.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	done, err := p.sandbox.Trigger(event, in.Order, injected)
	switch {
	case err == nil:
		writeJSON(ctx, fasthttp.StatusOK, done)
	case errors.Is(err, sandbox.ErrNotFound):
		writeJSON(ctx, fasthttp.StatusNotFound, map[string]string{"error": fmt.Sprintf("no such order in the sandbox of this "+
			"environment: %q; give an order (ORD_…), a checkout session (cs_…) or the URL of a payment page, as the log has them. "+
			"There is one once create-order has answered", in.Order)})
	case errors.Is(err, sandbox.ErrNoEvent):
		writeJSON(ctx, fasthttp.StatusConflict, map[string]string{"error": err.Error()})
	default:
		writeJSON(ctx, fasthttp.StatusInternalServerError, map[string]string{"error": "the sandbox cannot write"})
	}
}

// readTrigger returns the trigger of an event and the parsed fault of its webhook, nil for "".
func readTrigger(event string, spec fault.Spec) (sandbox.Trigger, *fault.Injected, error) {
	var names []string
	for _, known := range sandbox.Triggers() {
		names = append(names, known.Event)
		if known.Event != event {
			continue
		}
		if spec == "" {
			return known, nil, nil
		}
		f, err := spec.Parse()
		if err == nil && !f.Fits(fault.Webhook) {
			err = errors.New("no fault of a webhook: " + string(spec))
		}
		return known, &f, err
	}
	return sandbox.Trigger{}, nil, errors.New("no such event; it can be " + strings.Join(names, ", "))
}

// readJSON decodes a body that was sent as JSON. It reports false after it has sent a refusal.
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
	text, err := json.Marshal(body)
	if err != nil {
		panic("sandbox/page: " + err.Error())
	}
	ctx.SetBody(text)
}

// chooseFaults scripts faults: POST {"faults": ["timeout", "expire.502"]}.
func (p *pages) chooseFaults(ctx *fasthttp.RequestCtx) {
	var in struct{ Faults []fault.Spec }
	if !readJSON(ctx, &in) {
		return
	}
	queue, err := fault.ParseAll(in.Faults)
	if err != nil {
		writeJSON(ctx, fasthttp.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	p.sandbox.Queue(queue)
	p.sandbox.Note("faults", fmt.Sprint(in.Faults))
	writeJSON(ctx, fasthttp.StatusOK, map[string][]fault.Spec{"faults": in.Faults})
}
