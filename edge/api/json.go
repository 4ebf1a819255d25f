package api

import (
	"errors"
	"reflect"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/http1"
	"github.com/crepe-checkout/crepe/edge/throttle"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// decode reads a request's body, an object, into a fresh struct. What it refuses leaves the struct useless.
func decode(body []byte, request any) error {
	if !ops.Valid(body) {
		return ops.InvalidJSON
	}
	return decodeMembers(body, reflect.ValueOf(request).Elem(), "")
}

// decodeMembers reads an object into a struct, member by member, by their names exactly as spelled: a JSON library would take
// "BUYEREMAIL" for buyerEmail too, and then one of the two would win. Its refusal names the member, at is where the object is.
func decodeMembers(text []byte, into reflect.Value, at string) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return wrongType(at)
	}
	for i := range into.NumField() {
		name := into.Type().Field(i).Tag.Get("json")
		value, given := members[name]
		if !given || string(value) == "null" {
			continue
		}
		field := into.Field(i)
		if nested := field.Type(); nested.Kind() == reflect.Pointer && nested.Elem().Kind() == reflect.Struct {
			field.Set(reflect.New(nested.Elem()))
			if err := decodeMembers(value, field.Elem(), at+"/"+name); err != nil {
				return err
			}
		} else if json.Unmarshal(value, field.Addr().Interface()) != nil {
			return wrongType(at + "/" + name)
		}
	}
	return nil
}

// wrongType is [ops.InvalidJSON] with the member that is to blame.
func wrongType(path string) error {
	p := *ops.InvalidJSON
	p.Path = path
	return &p
}

// InternalError answers for a handler that has panicked.
func InternalError(ctx *fasthttp.RequestCtx) {
	writeJSON(ctx, fasthttp.StatusInternalServerError,
		[]byte(`{"data":null,"errors":[{"message":"Internal server error","layer":"gateway","code":"internal"}]}`))
}

// MalformedRequest answers for what never became a request: fasthttp calls it.
func MalformedRequest(ctx *fasthttp.RequestCtx, err error) {
	refusal := *badRequest
	if ambiguous, ok := errors.AsType[*http1.Refusal](err); ok {
		refusal.message += ": " + ambiguous.Reason
	} else if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		refusal = *tooLarge
	} else if _, ok := errors.AsType[*fasthttp.ErrSmallBuffer](err); ok {
		refusal = *headerTooLarge
	}
	writeJSON(ctx, refusal.status,
		[]byte(`{"data":null,"errors":[{"message":"`+refusal.message+`","layer":"gateway","code":"`+refusal.code+`"}]}`))
}

// Refuse answers with one error in the API's form, for a request that does not reach [API.Handle]. A 503 gets a Retry-After.
func Refuse(ctx *fasthttp.RequestCtx, status int, code, message string) {
	if status == fasthttp.StatusServiceUnavailable {
		ctx.Response.Header.Set("Retry-After", throttle.RetryAfter(nil))
	}
	body, err := json.Marshal(envelope{Errors: []entry{{message, layerGateway, code, ""}}})
	if err != nil {
		InternalError(ctx)
		return
	}
	ctx.Response.Header.Set("Cache-Control", "no-store")
	writeJSON(ctx, status, body)
}

// Starting answers while the database is being opened: /healthz with 200, everything else with 503 and Retry-After.
func Starting(ctx *fasthttp.RequestCtx) {
	ctx.SetConnectionClose() // the body has not been read
	switch string(ctx.Path()) {
	case "/healthz":
		ctx.SetBodyString(alive)
	case "/readyz":
		notReady(ctx, errStarting)
	default:
		Refuse(ctx, fasthttp.StatusServiceUnavailable, "starting", "The server is starting, please retry")
	}
}
