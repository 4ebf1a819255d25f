package api

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// nested is a request with lists, maps, and members whose null means something. [decodeNested] decodes it.
type nested interface{ nested() }

// optional is a member that can be absent, null or a value.
type optional[T any] struct {
	Given bool
	Null  bool
	Value T
}

func (*optional[T]) optional() {}

// patch returns the member as a change of a field, which null clears.
func (o optional[T]) patch() catalog.Patch[T] {
	return catalog.Patch[T]{Given: o.Given, Value: o.Value}
}

// decodeNested is [decode] for a nested request.
func decodeNested(body []byte, request any) error {
	if !ops.Valid(body) {
		return ops.InvalidJSON
	}
	return decodeValue(body, reflect.ValueOf(request).Elem(), "")
}

// decodeValue reads a JSON value into a field. at is its path, which a refusal names.
func decodeValue(text json.RawMessage, into reflect.Value, at string) error {
	switch target := into.Addr().Interface().(type) {
	case interface{ optional() }:
		into.FieldByName("Given").SetBool(true)
		if string(text) == "null" {
			into.FieldByName("Null").SetBool(true)
			return nil
		}
		return decodeValue(text, into.FieldByName("Value"), at)
	case *catalog.JSON:
		var compact bytes.Buffer
		if json.Compact(&compact, text) != nil {
			return wrongType(at)
		}
		*target = catalog.JSON(compact.String())
		return nil
	}
	switch into.Kind() {
	case reflect.Struct:
		return decodeStruct(text, into, at)
	case reflect.Map:
		return decodeMap(text, into, at)
	case reflect.Slice:
		return decodeList(text, into, at)
	}
	if json.Unmarshal(text, into.Addr().Interface()) != nil {
		return wrongType(at)
	}
	return nil
}

func decodeStruct(text json.RawMessage, into reflect.Value, at string) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return wrongType(at)
	}
	for i := range into.NumField() {
		name := memberOf(into.Type().Field(i))
		if value, given := members[name]; given {
			if err := decodeValue(value, into.Field(i), at+"/"+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func decodeMap(text json.RawMessage, into reflect.Value, at string) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return wrongType(at)
	}
	into.Set(reflect.MakeMap(into.Type()))
	for name, text := range members {
		value := reflect.New(into.Type().Elem()).Elem()
		if err := decodeValue(text, value, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name)); err != nil {
			return err
		}
		into.SetMapIndex(reflect.ValueOf(name), value)
	}
	return nil
}

func decodeList(text json.RawMessage, into reflect.Value, at string) error {
	var items []json.RawMessage
	if json.Unmarshal(text, &items) != nil {
		return wrongType(at)
	}
	into.Set(reflect.MakeSlice(into.Type(), len(items), len(items)))
	for i, item := range items {
		if err := decodeValue(item, into.Index(i), at+"/"+strconv.Itoa(i)); err != nil {
			return err
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
