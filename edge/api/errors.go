package api

import (
	"errors"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/throttle"
)

// layer names the part of the platform that refused, as the published contract has it.
type layer string

const (
	layerGateway layer = "gateway" // routing, transport, the form of a credential
	layerUser    layer = "user"    // authentication and authorisation
	layerStore   layer = "store"   // a store and its webhooks
	layerProduct layer = "product"
	layerOrder   layer = "order"  // checkout and orders
	layerTicket  layer = "ticket" // refund tickets
)

// statuses maps the kind of a problem to an HTTP status.
var statuses = map[problem.Kind]int{
	problem.Internal:        fasthttp.StatusInternalServerError,
	problem.Invalid:         fasthttp.StatusBadRequest,
	problem.Unauthenticated: fasthttp.StatusUnauthorized,
	problem.Forbidden:       fasthttp.StatusForbidden,
	problem.NotFound:        fasthttp.StatusNotFound,
	problem.Conflict:        fasthttp.StatusConflict,
	problem.Unavailable:     fasthttp.StatusServiceUnavailable,
}

// Status returns the HTTP status of a kind of problem.
func Status(kind problem.Kind) int { return statuses[kind] }

// transportError is a refusal at the HTTP level, with a status that no problem.Kind has.
type transportError struct {
	status  int
	code    string
	message string
}

func (e *transportError) Error() string { return e.message }

var (
	unknownPath    = &transportError{fasthttp.StatusNotFound, "not-found", "Not found"}
	hasQuery       = &transportError{fasthttp.StatusBadRequest, "query-unexpected", "Unexpected query string: this path takes its input in the body"}
	wrongMethod    = &transportError{fasthttp.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed"}
	tooLarge       = &transportError{fasthttp.StatusRequestEntityTooLarge, "body-too-large", "Request body exceeds 64 KiB"}
	headerTooLarge = &transportError{fasthttp.StatusRequestHeaderFieldsTooLarge, "header-too-large", "Request header exceeds 8 KiB"}
	notJSON        = &transportError{fasthttp.StatusUnsupportedMediaType, "unsupported-media-type",
		"Unsupported Content-Type: expected application/json"}
	encoded = &transportError{fasthttp.StatusUnsupportedMediaType, "unsupported-content-encoding",
		"Unsupported Content-Encoding"}
	repeatedHeader = &transportError{fasthttp.StatusBadRequest, "repeated-header", "Repeated header"}
	notSupported   = &transportError{fasthttp.StatusNotImplemented, "not-supported",
		"Not supported: this server has no store members, no subscriptions and no scan of prompts"}
	badRequest = &transportError{fasthttp.StatusBadRequest, "malformed-request", "Malformed HTTP request"}
)

// envelope is the shape of every answer. With errors, data is null, so a client may test either member.
type envelope struct {
	Data   any     `json:"data"`
	Errors []entry `json:"errors,omitempty"`

	// Warnings stand beside data: what was ignored, though it looks as if it meant something.
	Warnings []notice `json:"warnings,omitempty"`
}

type notice struct {
	Message string `json:"message"`
	Layer   layer  `json:"layer"`
	Code    string `json:"code"`
	Path    string `json:"path,omitempty"`
	AIHint  string `json:"aiHint,omitempty"` // what to do, for programs that read it
}

type entry struct {
	Message string `json:"message"`
	Layer   layer  `json:"layer"`
	Code    string `json:"code,omitempty"`
	Path    string `json:"path,omitempty"`
}

// internal is the answer for everything that is neither a problem nor a refusal of HTTP; it is the only one of its kind.
var internal = problem.New(problem.Internal, "internal", "", "Internal server error")

// fail writes a refusal. Any other error is logged and answered with [internal].
func (a *API) fail(ctx *fasthttp.RequestCtx, l layer, err error) {
	if transport, ok := errors.AsType[*transportError](err); ok {
		a.write(ctx, transport.status, envelope{Errors: []entry{{transport.message, l, transport.code, ""}}})
		return
	}
	list := problem.Of(err)
	if list == nil {
		a.config.Log.ErrorContext(ctx, "request failed", "path", string(ctx.Path()), "error", err)
		list = problem.List{internal}
	} else if list[0].Kind == problem.Unauthenticated {
		l = layerUser
		a.config.Log.InfoContext(ctx, "credential refused", "path", string(ctx.Path()), "reason", err)
	}
	entries := make([]entry, len(list))
	for i, p := range list {
		entries[i] = entry{p.Message, l, p.Code, p.Path}
	}
	status := statuses[list[0].Kind]
	if status == fasthttp.StatusServiceUnavailable || list[0] == idempotency.ErrRunning {
		ctx.Response.Header.Set("Retry-After", throttle.RetryAfter(err))
	}
	a.write(ctx, status, envelope{Errors: entries})
}

func (a *API) write(ctx *fasthttp.RequestCtx, status int, e envelope) {
	body, err := json.Marshal(e)
	if err != nil {
		a.config.Log.ErrorContext(ctx, "an answer cannot be encoded", "path", string(ctx.Path()), "error", err)
		status, body = fasthttp.StatusInternalServerError,
			[]byte(`{"data":null,"errors":[{"message":"Internal server error","layer":"gateway"}]}`)
	}
	writeJSON(ctx, status, body)
}

func writeJSON(ctx *fasthttp.RequestCtx, status int, body []byte) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json; charset=utf-8")
	ctx.SetBody(body)
}
