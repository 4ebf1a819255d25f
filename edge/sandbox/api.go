package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// apiVersion is the version of Stripe's API whose objects these are.
const apiVersion = "2026-08-26.dahlia"

// request is a call of the API that has shown the key.
type request struct {
	sandbox *Sandbox
	now     time.Time
	id      string            // from the path
	key     string            // Idempotency-Key
	print   [sha256.Size]byte // of what must be the same under one key
	params  url.Values
}

// answer is a response, with what the log says about it.
type answer struct {
	status   int
	body     []byte
	replayed bool
	note     string
}

func ok(object any) answer { return answer{status: 200, body: encode(object)} }

// apiError is Stripe's error object.
type apiError struct {
	Type    string `json:"type"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
}

const invalidRequest = "invalid_request_error"

func (e apiError) answer(status int) answer {
	if e.Type == "" {
		e.Type = invalidRequest
	}
	note := e.Code
	if note == "" {
		note = e.Type
	}
	return answer{status: status, note: note, body: encode(struct {
		Error apiError `json:"error"`
	}{e})}
}

func missing(kind, id, param string) answer {
	return apiError{Code: "resource_missing", Param: param, Message: "No such " + kind + ": '" + id + "'"}.answer(404)
}

// broken is the answer when the store fails: it cannot be stored under a key either.
func broken() answer {
	return apiError{Type: "api_error", Message: "An error occurred with the sandbox's store."}.answer(500)
}

// operation is what a method of a path does. Its parameters are checked before; writes are idempotent.
type operation struct {
	known []string
	run   func(*request) answer
}

func route(method, path string) (operation, string) {
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	var id string
	switch parts[0] {
	case "checkout":
		if len(parts) > 2 {
			id, parts[2] = parts[2], "{id}"
		}
	case "events":
		if len(parts) > 1 {
			id, parts[1] = parts[1], "{id}"
		}
	}
	switch method + " " + strings.Join(parts, "/") {
	case "POST checkout/sessions":
		return operation{createParams, createSession}, id
	case "GET checkout/sessions":
		return operation{listSessionsParams, listSessions}, id
	case "GET checkout/sessions/{id}":
		return operation{nil, retrieveSession}, id
	case "POST checkout/sessions/{id}/expire":
		return operation{nil, expireSession}, id
	case "POST refunds":
		return operation{refundParams, createRefund}, id
	case "GET events":
		return operation{listEventsParams, listEvents}, id
	case "GET events/{id}":
		return operation{nil, retrieveEvent}, id
	}
	return operation{}, ""
}

// serveAPI answers one call and writes it into the log.
func (s *Sandbox) serveAPI(ctx *fasthttp.RequestCtx) {
	method, path := string(ctx.Method()), string(ctx.Path())
	key := string(ctx.Request.Header.Peek("Idempotency-Key"))
	a := s.answer(ctx, method, path, key)
	header := &ctx.Response.Header
	header.SetContentType("application/json")
	header.Set("Request-Id", s.newID("req_"))
	header.Set("Stripe-Version", apiVersion)
	note := a.note
	if key != "" {
		header.Set("Idempotency-Key", key)
		note += " · key " + key
	}
	if a.replayed {
		header.Set("Idempotent-Replayed", "true")
		note += " · replayed"
	}
	ctx.SetStatusCode(a.status)
	ctx.SetBody(a.body)
	s.journal.add(s.config.Now(), "API", method+" "+path, strconv.Itoa(a.status)+" "+note)
}

func (s *Sandbox) answer(ctx *fasthttp.RequestCtx, method, path, key string) answer {
	if !s.authentic(string(ctx.Request.Header.Peek("Authorization"))) {
		return apiError{Message: "Invalid API Key provided."}.answer(401)
	}
	op, id := route(method, path)
	if op.run == nil {
		return apiError{Message: "Unrecognized request URL (" + method + ": " + path + ")."}.answer(404)
	}
	r := &request{sandbox: s, now: s.config.Now(), id: id}
	text := string(ctx.URI().QueryString())
	if method == fasthttp.MethodPost {
		if kind := string(ctx.Request.Header.ContentType()); len(ctx.PostBody()) > 0 && !strings.HasPrefix(kind, formType) {
			return apiError{Message: "Invalid request content type: send " + formType + "."}.answer(400)
		}
		text = string(ctx.PostBody())
		r.key, r.print = key, sha256.Sum256([]byte(path+"\n"+text))
	}
	var err error
	if r.params, err = url.ParseQuery(text); err != nil {
		return apiError{Message: "Invalid request: the parameters cannot be read."}.answer(400)
	}
	return r.once(func() answer {
		if name, ok := unknown(r.params, op.known); ok {
			return apiError{Code: "parameter_unknown", Param: name, Message: "Received unknown parameter: " + name}.answer(400)
		}
		return op.run(r)
	})
}

const formType = "application/x-www-form-urlencoded"

func (s *Sandbox) authentic(header string) bool {
	key, ok := strings.CutPrefix(header, "Bearer ")
	return ok && s.config.Key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.config.Key)) == 1
}
