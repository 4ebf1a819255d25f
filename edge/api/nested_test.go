package api

import (
	"reflect"
	"testing"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// TestNested: absent, null and a value are three things; names are matched exactly; JSON values lose white space only.
func TestNested(t *testing.T) {
	var got productRequest
	if err := decodeNested([]byte(`{"ID":"no","id":"yes","name":null,"description":"","prices":{"EUR":{"amount":"1","Amount":"2"}},
		"media":[{"type":"image","url":"u"}],"metadata":{"a/b":[1, 2.50,{"c":"d e"}],"n":null}}`), &got); err != nil {
		t.Fatal(err)
	}
	want := productRequest{ID: "yes", Name: optional[string]{Given: true, Null: true}, Description: optional[string]{Given: true},
		Prices:   optional[map[string]priceRequest]{Given: true, Value: map[string]priceRequest{"EUR": {Amount: "1"}}},
		Media:    optional[[]mediaView]{Given: true, Value: []mediaView{{Type: catalog.Image, URL: "u"}}},
		Metadata: optional[map[string]catalog.JSON]{Given: true, Value: map[string]catalog.JSON{"a/b": `[1,2.50,{"c":"d e"}]`, "n": "null"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// FuzzNested: no body makes the decoder panic, and a refusal is a problem that names a path of the body.
func FuzzNested(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, `{"metadata":{"a":{"b":[null]}}}`, `{"seller":{"registrations":[{"from":1}]}}`, `{"checkoutSettings":{"light":null}}`, `{"media":[7]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, request := range []any{new(productRequest), new(storeRequest)} {
			err := decodeNested(body, request)
			if list := problem.Of(err); err != nil && (len(list) != 1 || list[0].Message != "Invalid JSON body") {
				t.Errorf("%q: %v", body, err)
			}
		}
	})
}
