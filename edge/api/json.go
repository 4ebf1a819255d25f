package api

import (
	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/wasm/call"
)

var invalidJSON = &problem.Problem{Kind: problem.Invalid, Code: "invalid-json", Message: "Invalid JSON body"}

// decode reads a request's body, an object, into a fresh struct. What it refuses leaves the struct useless.
func decode(body []byte, request any) error {
	if !call.Valid(body) || json.Unmarshal(body, request) != nil {
		return invalidJSON
	}
	return nil
}

// InternalError answers for a handler that has panicked.
func InternalError(ctx *fasthttp.RequestCtx) {
	writeJSON(ctx, fasthttp.StatusInternalServerError,
		[]byte(`{"data":null,"errors":[{"message":"Internal server error","layer":"gateway","code":"internal"}]}`))
}

// MalformedRequest answers for what never became a request: fasthttp calls it.
func MalformedRequest(ctx *fasthttp.RequestCtx, err error) {
	refusal := badRequest
	if err == fasthttp.ErrBodyTooLarge {
		refusal = tooLarge
	}
	writeJSON(ctx, refusal.status,
		[]byte(`{"data":null,"errors":[{"message":"`+refusal.message+`","layer":"gateway","code":"`+refusal.code+`"}]}`))
}
