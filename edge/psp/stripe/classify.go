package stripe

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/psp"
)

// reply is the result of one try, as far as the classification needs it.
type reply struct {
	err         error // of the transport; the rest is empty then
	status      int
	body        []byte
	requestID   string
	retryAfter  string
	shouldRetry string // header Stripe-Should-Retry: "true", "false" or nothing
	replayed    bool   // header Idempotent-Replayed: this is the stored answer to an earlier try
}

// classify says what a try proves about its effect; nil is success. A response that is not understood is Unknown. A response
// proves something only if it is Stripe's own, which its error object shows. A status alone may come from any proxy.
//
// Sources: https://docs.stripe.com/error-low-level, https://docs.stripe.com/api/idempotent_requests.
func classify(r *reply) *psp.CallError {
	if r.err != nil {
		return r.callError(transportClass(r.err), "", r.err)
	}
	if r.status/100 == 2 {
		return nil
	}
	e, stripes := readError(r.body)
	callErr := r.callError(r.class(e.name(), stripes), e.name(), nil)
	if callErr.Class == psp.Definitive {
		callErr.Refuses = e.refuses()
	}
	return callErr
}

func (r *reply) callError(class psp.ErrorClass, code string, err error) *psp.CallError {
	return &psp.CallError{
		Class: class, Status: r.status, Code: code, RequestID: r.requestID, RetryAfter: seconds(r.retryAfter), Err: err,
	}
}

// transportClass: before a connection is established the call has no effect; afterwards it may have had it.
func transportClass(err error) psp.ErrorClass {
	if _, dialing := errors.AsType[dialError](err); dialing || errors.Is(err, fasthttp.ErrNoFreeConns) {
		return psp.NotExecuted
	}
	return psp.Unknown
}

func (r *reply) class(code string, stripes bool) psp.ErrorClass {
	switch {
	case r.shouldRetry == "true":
		return psp.InProgress
	case r.status >= 500:
		return r.serverClass(stripes)
	case !stripes:
		return psp.Unknown
	}
	switch r.status {
	case 409: // idempotency_key_in_use, whose type varies
		return psp.InProgress
	case 429:
		return limitClass(code)
	case 401, 403:
		return psp.NotExecuted
	case 400, 402, 404:
		if code == "idempotency_error" { // the key's first request had other bytes
			return psp.KeyTaken
		}
		return psp.Definitive
	}
	return psp.Unknown
}

// serverClass: Stripe stores a 500 like any other response and replays it for a day, so that a retry cannot succeed. The proxies in
// front of it (502, 503, 504) store nothing.
func (r *reply) serverClass(stripes bool) psp.ErrorClass {
	if r.replayed || r.shouldRetry == "false" || r.status == 500 && stripes {
		return psp.KeyBurned
	}
	return psp.Unknown
}

// limitClass: the rate limiter runs before the idempotency layer, a lock timeout occurs after it.
func limitClass(code string) psp.ErrorClass {
	switch code {
	case "rate_limit":
		return psp.NotExecuted
	case "lock_timeout":
		return psp.InProgress
	}
	return psp.Unknown
}

// apiError is Stripe's error object.
type apiError struct{ Code, Type, Param string }

// name is the error's code, or its type where it has none.
func (e apiError) name() string { return cmp.Or(e.Code, e.Type) }

// refuses is the part of an order that the error is about, if the caller can correct it
// (https://docs.stripe.com/error-codes).
func (e apiError) refuses() psp.Refusal {
	switch {
	case e.Code == "amount_too_small":
		return psp.RefusesSmallTotal
	case e.Code == "amount_too_large":
		return psp.RefusesLargeTotal
	case e.Code == "email_invalid", e.Param == "customer_email":
		return psp.RefusesEmail
	case e.Param == "success_url":
		return psp.RefusesSuccessURL
	case strings.HasSuffix(e.Param, "[currency]"):
		return psp.RefusesCurrency
	}
	return 0
}

// readError reads Stripe's error object. It is false for any other body.
func readError(body []byte) (apiError, bool) {
	var answer struct{ Error *apiError }
	if json.Unmarshal(body, &answer) != nil || answer.Error == nil {
		return apiError{}, false
	}
	return *answer.Error, answer.Error.name() != ""
}

func seconds(header string) time.Duration {
	n, err := strconv.ParseUint(header, 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
