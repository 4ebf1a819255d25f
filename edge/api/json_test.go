package api

import (
	"reflect"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/problem"
)

const orderBody = `{"checkoutSessionId":"cs_550e8400-e29b-41d4-a716-446655440000","buyerEmail":"ada@example.com",` +
	`"billingDetail":{"country":"DE","isBusiness":true,"businessName":"Caf\u00e9 \"Ada\"","taxId":"DE136695976"},"buyerIp":null,"other":[1]}`

func TestDecode(t *testing.T) {
	var order orderRequest
	if err := decode([]byte(orderBody), &order); err != nil {
		t.Fatal(err)
	}
	business := true
	if want := (orderRequest{CheckoutSessionID: "cs_550e8400-e29b-41d4-a716-446655440000", BuyerEmail: "ada@example.com",
		BillingDetail: &billing.Input{Country: "DE", IsBusiness: &business, BusinessName: `Café "Ada"`, TaxID: "DE136695976"},
	}); !reflect.DeepEqual(order, want) {
		t.Errorf("got %+v, want %+v", order, want)
	}
	var session sessionRequest
	if err := decode([]byte(`{"expiresInSeconds":60,"metadata":{"a":"b","c":null},"darkMode":false,"withTrial":null,"priceSnapshot":{},`+
		`"includePaymentMethods":["card",null],"PRODUCTID":"x"}`), &session); err != nil {
		t.Fatal(err)
	}
	seconds, dark := int64(60), false
	if want := (sessionRequest{ExpiresInSeconds: &seconds, Metadata: map[string]string{"a": "b", "c": ""}, DarkMode: &dark,
		PriceSnapshot: new(priceSnapshot), IncludePaymentMethods: []string{"card", ""}}); !reflect.DeepEqual(session, want) {
		t.Errorf("got %+v, want %+v", session, want)
	}
}

// TestDecodeRefuses: a body that is not strict JSON has no path, and a member of the wrong type is named, the first in the order of the
// request's fields.
func TestDecodeRefuses(t *testing.T) {
	for body, path := range map[string]string{
		``: "", `[]`: "", `null`: "", `{"productId":"a","productId":"a"}`: "", `{"productId":"\ud800"}`: "", `{"x":{"a":1,"a":1}}`: "",
		`{"productId":1}`:                                        "/productId",
		`{"productId":{}}`:                                       "/productId",
		`{"currency":"EUR","language":true}`:                     "/language",
		`{"darkMode":"true"}`:                                    "/darkMode",
		`{"darkMode":1}`:                                         "/darkMode",
		`{"expiresInSeconds":"60"}`:                              "/expiresInSeconds",
		`{"expiresInSeconds":1.5}`:                               "/expiresInSeconds",
		`{"metadata":[]}`:                                        "/metadata",
		`{"metadata":{"a":1}}`:                                   "/metadata",
		`{"includePaymentMethods":"card"}`:                       "/includePaymentMethods",
		`{"includePaymentMethods":[1]}`:                          "/includePaymentMethods",
		`{"billingDetail":[]}`:                                   "/billingDetail",
		`{"billingDetail":"DE"}`:                                 "/billingDetail",
		`{"language":1,"billingDetail":{"taxId":1,"country":2}}`: "/billingDetail/country",
		`{"language":1,"metadata":{"a":1}}`:                      "/metadata",
	} {
		list := problem.Of(decode([]byte(body), new(sessionRequest)))
		if len(list) != 1 || list[0].Code != "invalid-json" || list[0].Path != path {
			t.Errorf("%s: got %+v, want the path %q", body, list, path)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(orderBody)
	b.ReportAllocs()
	for b.Loop() {
		if err := decode(body, new(orderRequest)); err != nil {
			b.Fatal(err)
		}
	}
}
