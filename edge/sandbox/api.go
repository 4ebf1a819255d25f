package sandbox

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/sandbox/fault"
)

// apiVersion is the version of Stripe's API that the objects follow.
const apiVersion = "2026-08-26.dahlia"

// request is an authenticated call of the API.
type request struct {
	sandbox     *Sandbox
	now         time.Time
	operation   fault.Operation
	id          string            // from the path
	key         string            // Idempotency-Key
	fingerprint [sha256.Size]byte // of the path and body, which must be the same under one key
	params      url.Values
	saves       *response // stored under the key in place of the call's own; nil for its own
}

// endpoint is an operation on a path. prepare reads the parameters and returns the handler, which runs if they are valid.
type endpoint struct {
	operation fault.Operation
	known     []string // the parameters
	prepare   func(*request, *reader) (handler func() response)
}

func route(method, path string) (endpoint, string) {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	var id string
	switch {
	case parts[0] == "checkout" && len(parts) > 2:
		id, parts[2] = parts[2], "{id}"
	case parts[0] == "refunds" && len(parts) > 1:
		id, parts[1] = parts[1], "{id}"
	}
	switch method + " " + strings.Join(parts, "/") {
	case "POST checkout/sessions":
		return endpoint{fault.Create, createParams, createSession}, id
	case "GET checkout/sessions":
		return endpoint{fault.List, listSessionsParams, listSessions}, id
	case "GET checkout/sessions/{id}":
		return endpoint{fault.Retrieve, nil, retrieveSession}, id
	case "POST checkout/sessions/{id}/expire":
		return endpoint{fault.Expire, nil, expireSession}, id
	case "POST refunds":
		return endpoint{fault.Refund, refundParams, createRefund}, id
	case "GET refunds":
		return endpoint{fault.List, listRefundsParams, listRefunds}, id
	case "GET refunds/{id}":
		return endpoint{fault.Retrieve, nil, retrieveRefund}, id
	case "GET webhook_endpoints":
		return endpoint{fault.List, listEndpointsParams, listEndpoints}, id
	case "GET events":
		return endpoint{fault.List, listEventsParams, listEvents}, id
	}
	return endpoint{}, ""
}

// ServeAPI serves one call of the API and logs it. The body must have been read.
func (s *Sandbox) ServeAPI(ctx *fasthttp.RequestCtx) {
	method, path := string(ctx.Method()), string(ctx.Path())
	key := string(ctx.Request.Header.Peek("Idempotency-Key"))
	a := s.respond(ctx, method, path, key)
	header := &ctx.Response.Header
	header.SetContentType(cmp.Or(a.mediaType, "application/json"))
	header.Set("Request-Id", s.newID("req_"))
	header.Set("Stripe-Version", apiVersion)
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	if a.replayed {
		header.Set("Idempotent-Replayed", "true")
	}
	if a.retryAfter > 0 {
		header.Set("Retry-After", strconv.FormatInt(a.retryAfter, 10))
	}
	ctx.SetStatusCode(a.status)
	ctx.SetBody(a.body)
	if a.transport != nil {
		s.divert(ctx, a.transport)
	}
	s.journal.add(s.config.Now(), "API", method+" "+path, a.summary(key))
}

func (s *Sandbox) respond(ctx *fasthttp.RequestCtx, method, path, key string) response {
	if !s.authentic(string(ctx.Request.Header.Peek("Authorization"))) {
		return apiError{Message: "Invalid API Key provided."}.response(401)
	}
	end, id := route(method, path)
	if end.prepare == nil {
		return apiError{Message: "Unrecognized request URL (" + method + ": " + path + ")."}.response(404)
	}
	r := &request{sandbox: s, now: s.config.Now(), operation: end.operation, id: id}
	text := string(ctx.URI().QueryString())
	if method == fasthttp.MethodPost {
		if kind := string(ctx.Request.Header.ContentType()); len(ctx.PostBody()) > 0 && !strings.HasPrefix(kind, formType) {
			return apiError{Message: "Invalid request content type: send " + formType + "."}.response(400)
		}
		text = string(ctx.PostBody())
		r.key, r.fingerprint = key, sha256.Sum256([]byte(path+"\n"+text))
		s.receive(key, text)
	}
	var err error
	if r.params, err = url.ParseQuery(text); err != nil {
		return apiError{Message: "Invalid request: the parameters cannot be read."}.response(400)
	}
	return r.once(func() response { return r.handle(end) })
}

// handle validates the parameters of a call and executes it. Refusals of parameters are not stored.
func (r *request) handle(end endpoint) response {
	if name, ok := unknown(r.params, end.known); ok {
		return apiError{Code: "parameter_unknown", Param: name, Message: "Received unknown parameter: " + name}.response(400)
	}
	in := &reader{params: r.params}
	handler := end.prepare(r, in)
	if in.invalid != nil {
		return in.invalid.response(400)
	}
	return r.execute(false, handler)
}

const formType = "application/x-www-form-urlencoded"

func (s *Sandbox) authentic(header string) bool {
	key, ok := strings.CutPrefix(header, "Bearer ")
	return ok && s.config.Key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.config.Key)) == 1
}
