package sandbox

import (
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// execute runs the handler of a call with the injected fault.
func (r *request) execute(replay bool, handler func() response) response {
	call, requested := r.call()
	call.Replay = replay
	injected := r.sandbox.Pick(call, requested)
	a := r.inject(injected.Call, injected.Wait, handler)
	a.fault = injected.Spec
	return a
}

// call describes the request to the injector, with the faults that its session requests.
func (r *request) call() (fault.Call, []fault.Injected) {
	c := fault.Call{Operation: r.operation, Session: r.id, Key: r.key}
	if r.operation == fault.Create {
		c.Order = r.params.Get("client_reference_id")
		return c, fault.Requested(r.params.Get("metadata["+fault.MetadataKey+"]"), r.params.Get("customer_email"))
	}
	if r.operation == fault.Refund {
		if id, err := r.sandbox.config.Store.Get("pi/" + r.params.Get("payment_intent")); err == nil {
			c.Session = string(id)
		}
	}
	found, err := load[record](r.sandbox.config.Store, "cs/"+c.Session)
	if found == nil || err != nil {
		return c, nil
	}
	c.Order = string(found.Session.ClientReferenceID)
	return c, found.requested()
}

// inject runs the handler with a fault.
func (r *request) inject(f *fault.CallFault, wait time.Duration, handler func() response) response {
	if f.Delay {
		r.sandbox.sleep(wait)
	}
	a := injectedResponse(f.Response, wait)
	if f.Store {
		instead := a
		r.saves = &instead
	}
	switch {
	case !f.Skip:
		own := handler()
		if f.PayFirst {
			r.sandbox.payFirst(own.session)
		}
		if f.Response == fault.Own {
			a = own
		} else {
			a.note += " · " + own.note
		}
	case f.Store:
		var c change
		r.save(&c, a)
		if len(c) > 0 && r.sandbox.apply(c) != nil {
			return storeFailure()
		}
	}
	a.transport = f.Transport
	return a
}

// injectedResponse is the response that a fault sends in place of a call's own; the zero response for fault.Own.
func injectedResponse(kind fault.Response, wait time.Duration) response {
	switch kind {
	case fault.RateLimited:
		a := apiError{Code: "rate_limit", Message: "Request rate limit exceeded."}.response(429)
		a.retryAfter = int64((wait + time.Second - 1) / time.Second)
		return a
	case fault.KeyInUse:
		return keyInUse()
	case fault.BadRequest:
		return apiError{Code: "parameter_invalid", Message: "The sandbox was asked to refuse this."}.response(400)
	case fault.ServerError:
		return apiError{Type: "api_error", Message: "An unknown error occurred."}.response(500)
	case fault.BadGateway:
		return response{status: 502, body: []byte("<html><title>502 Bad Gateway</title></html>"), mediaType: "text/html", note: "gateway"}
	}
	return response{}
}

// payFirst pays a session, if it is payable, and waits until the delivery of the webhook was tried.
func (s *Sandbox) payFirst(id string) {
	if s.Pay(id) != nil {
		return
	}
	for end := time.Now().Add(sendTimeout); time.Now().Before(end) && !s.reported(id); {
		s.sleep(5 * time.Millisecond)
	}
}

// reported reports whether the delivery of a payment's webhook has been tried, or never will be.
func (s *Sandbox) reported(id string) bool {
	found, err := load[record](s.config.Store, "cs/"+id)
	if found == nil || err != nil {
		return false
	}
	d, err := load[delivery](s.config.Store, "ev/"+found.Events["checkout.session.completed"])
	return err == nil && d != nil && (d.Tries > 0 || d.Event.PendingWebhooks == 0)
}

// sleep waits for d, or until the sandbox stops.
func (s *Sandbox) sleep(d time.Duration) {
	select {
	case <-s.stop:
	case <-time.After(d):
	}
}

// divert hands the connection of a call, and its response, to a transport.
func (s *Sandbox) divert(ctx *fasthttp.RequestCtx, transport fault.Transport) {
	r := new(fasthttp.Response)
	ctx.Response.CopyTo(r)
	r.SetConnectionClose()
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(conn net.Conn) { transport(conn, r, s.stop) })
}
