package server

import (
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// askConsent sets the consents of the demo store, as JSON, and returns the versions of their texts.
func (s *shop) askConsent(t *testing.T, consents string) (versions []string) {
	t.Helper()
	answer := s.act(t, checkout.Test, storePath+"update-store", `{"id":"`+s.File.StoreID+`","consents":`+consents+`}`, nil)
	var got struct {
		Data struct {
			Store struct{ Consents []struct{ Version string } }
		}
	}
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || answer.Status != 200 {
		t.Fatalf("%v: %v", answer, err)
	}
	for _, c := range got.Data.Store.Consents {
		versions = append(versions, c.Version)
	}
	return versions
}

// TestConsentOfOrder: the published request, which has no consents, works in a store that asks for some, unless one is always
// required. A request that states consents needs all of its country. The order keeps the text as it was.
func TestConsentOfOrder(t *testing.T) {
	shop := openShop(t)
	const text = "The download begins at once, and my right of withdrawal ends with it."
	version := shop.askConsent(t, `[{"text":"`+text+`","countries":["EU"]}]`)[0]
	session := shop.Session(t, nil).SessionID
	order := func(country string, consents any) shoptest.Reply {
		request := map[string]any{"checkoutSessionId": session, "buyerEmail": "ada@example.com", "billingDetail": map[string]any{"country": country, "isBusiness": false}}
		if consents != nil {
			request["consents"] = consents
		}
		return shop.CreateOrder(t, shop.Token(t, "user-1"), request)
	}
	expect := func(name string, got shoptest.Reply, status int, part string) {
		t.Helper()
		if got.Status != status || !strings.Contains(got.Body, part) {
			t.Errorf("%s: %v", name, got)
		}
	}
	refusal := `{"message":"Consent required: ask the buyer, then add \"` + version + `\" to consents","layer":"order","code":"consent-required","path":"/consents"}`
	expect("none", order("DE", []string{}), 400, refusal)
	expect("another text", order("DE", []string{"0123456789abcdef"}), 400, refusal)
	if _, o := shop.stored(t, session); o != nil {
		t.Errorf("a refused order is stored: %+v", o)
	}
	expect("as published", order("DE", nil), 200, "checkoutUrl")
	if _, o := shop.stored(t, session); o == nil || o.Sold().Consents != nil {
		t.Errorf("stored %+v", o)
	}
	expect("outside the EU", order("JP", []string{}), 200, "checkoutUrl")
	first := order("DE", []string{version, version})
	expect("agreed", first, 200, "checkoutUrl")
	_, before := shop.stored(t, session)
	if again := order("DE", []string{version}); again.Body != first.Body {
		t.Errorf("the same request again: %v, at first %v", again, first)
	}
	changed := shop.askConsent(t, `[{"text":"Another text.","countries":["EU"],"always":true}]`)[0]
	expect("the text has changed", order("DE", []string{version}), 400, changed)
	expect("always required", order("DE", nil), 400, changed)
	_, o := shop.stored(t, session)
	want := checkout.Consent{Version: version, Text: text, At: before.Sold().PlacedAt}
	if got := o.Sold().Consents; len(got) != 1 || got[0] != want {
		t.Errorf("the order has %+v, want %+v", got, want)
	}
}
