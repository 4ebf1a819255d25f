package api

import (
	"errors"
	"reflect"
	"strings"
	"sync"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/http1"
	"github.com/crepe-checkout/crepe/edge/throttle"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// decode reads a request's body, an object, into a fresh struct: strings, booleans, numbers, lists and structs by pointer, whose
// members are named exactly as the tags say; a JSON library would take "BUYEREMAIL" for buyerEmail too. A member that is null is
// absent. What it refuses leaves the struct useless.
func decode(body []byte, request any) error {
	text, into := string(body), reflect.ValueOf(request).Elem()
	if decodeObject(text, into) {
		return nil
	}
	refusal := *ops.InvalidJSON
	if ops.Valid(body) {
		refusal.Path = wrongMember(text, into.Type())
	}
	return &refusal
}

// decodeObject reports whether text is one object whose members have the types of the struct's fields.
func decodeObject(text string, into reflect.Value) bool {
	found := make([]string, into.NumField())
	if !ops.Object(text, members(into.Type()), found) {
		return false
	}
	for i, value := range found {
		if value != "" && !setField(into.Field(i), value) {
			return false
		}
	}
	return true
}

// memberOf is the name of a field's member.
func memberOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// setField sets a field to a member's value, as [ops.Object] has found it.
func setField(field reflect.Value, value string) bool {
	switch target := field.Addr().Interface().(type) {
	case *string:
		*target = value
	case *bool:
		*target = value == "true"
	case **bool:
		given := value == "true"
		*target = &given
	default:
		if isStruct(field.Type()) {
			field.Set(reflect.New(field.Type().Elem()))
			return decodeObject(value, field.Elem())
		}
		return json.Unmarshal([]byte(value), target) == nil
	}
	return true
}

// wrongMember is the path of the first field whose member in text has another type. text is sound JSON.
func wrongMember(text string, of reflect.Type) string {
	wanted, found := strings.Fields(members(of)), make([]string, 1)
	for i := range of.NumField() {
		found[0] = ""
		name := "/" + memberOf(of.Field(i))
		if !ops.Object(text, wanted[i], found) {
			return name
		}
		if found[0] == "" || setField(reflect.New(of.Field(i).Type).Elem(), found[0]) {
			continue
		}
		if isStruct(of.Field(i).Type) {
			return name + wrongMember(found[0], of.Field(i).Type.Elem())
		}
		return name
	}
	return ""
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

// memberLists has, by the type of a request, what [ops.Object] looks for.
var memberLists sync.Map

func members(of reflect.Type) string {
	if known, ok := memberLists.Load(of); ok {
		return known.(string)
	}
	var wanted []string
	for i := range of.NumField() {
		wanted = append(wanted, memberOf(of.Field(i))+markOf(of.Field(i).Type))
	}
	list := strings.Join(wanted, " ")
	memberLists.Store(of, list)
	return list
}

// markOf is the mark of [ops.Object] for the members that a field takes.
func markOf(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "?"
	case reflect.Struct, reflect.Map:
		return "{"
	case reflect.Slice:
		return "["
	case reflect.Int64:
		return "0"
	}
	return ""
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

// RefuseMethod answers for a path that takes other methods only.
func RefuseMethod(ctx *fasthttp.RequestCtx, allowed string) {
	ctx.Response.Header.Set("Allow", allowed)
	Refuse(ctx, wrongMethod.status, wrongMethod.code, wrongMethod.message)
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
