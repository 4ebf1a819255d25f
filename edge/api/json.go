package api

import (
	"reflect"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/wasm/call"
)

var invalidJSON = &problem.Problem{Kind: problem.Invalid, Code: "invalid-json", Message: "Invalid JSON body"}

// decode reads a request's body, an object, into a fresh struct. What it refuses leaves the struct useless.
func decode(body []byte, request any) error {
	if !call.Valid(body) || !decodeMembers(body, reflect.ValueOf(request).Elem()) {
		return invalidJSON
	}
	return nil
}

// decodeMembers reads an object into a struct, member by member, by their names exactly as spelled: a JSON library would take
// "BUYEREMAIL" for buyerEmail too, and then one of the two would win.
func decodeMembers(text []byte, into reflect.Value) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return false
	}
	for i := range into.NumField() {
		value, given := members[into.Type().Field(i).Tag.Get("json")]
		if !given || string(value) == "null" {
			continue
		}
		field := into.Field(i)
		if nested := field.Type(); nested.Kind() == reflect.Pointer && nested.Elem().Kind() == reflect.Struct {
			field.Set(reflect.New(nested.Elem()))
			if !decodeMembers(value, field.Elem()) {
				return false
			}
		} else if json.Unmarshal(value, field.Addr().Interface()) != nil {
			return false
		}
	}
	return true
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
