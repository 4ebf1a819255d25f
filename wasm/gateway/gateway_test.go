package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/wasm/ops"
)

// TestExamine checks the refusals of some bodies. The tests of wasm/plugins/hosts compare many more with the API's own.
func TestExamine(t *testing.T) {
	const good = `"billingDetail":{"country":"DE","isBusiness":false}`
	for _, c := range []struct{ body, want string }{
		{`{"checkoutSessionId":"cs_1"}`, ""},
		{`{"checkoutSessionId":"cs_1",` + good + `}`, ""},
		{`{"checkoutSessionId":"cs_1","billingDetail":null,"consents":["a",null]}`, ""},
		{`{"checkoutSessionId":"cs_1","buyerEmail":"nobody","buyerIp":"x"}`, ""}, // a token may name the buyer, and what is refused first depends on it
		{`{}`, `{"data":null,"errors":[{"message":"Missing required field: checkoutSessionId","layer":"order","code":"checkout-session-id-required","path":"/checkoutSessionId"}]}`},
		{`{"checkoutSessionId":"","billingDetail":{}}`, `{"data":null,"errors":[{"message":"Missing required field: checkoutSessionId","layer":"order","code":"checkout-session-id-required","path":"/checkoutSessionId"}]}`},
		{``, `{"data":null,"errors":[{"message":"Invalid JSON body","layer":"gateway","code":"invalid-json"}]}`},
		{`{"checkoutSessionId":1,"consents":[1]}`, `{"data":null,"errors":[{"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/checkoutSessionId"}]}`},
		{`{"billingDetail":{"isBusiness":"true"}}`, `{"data":null,"errors":[{"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/billingDetail/isBusiness"}]}`},
		{`{"billingAddress":{"city":1}}`, `{"data":null,"errors":[{"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/billingAddress/city"}]}`},
		{`{"consents":["a",1]}`, `{"data":null,"errors":[{"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/consents"}]}`},
		{`{"checkoutSessionId":"cs_1","billingDetail":{"country":"DE","isBusiness":true}}`, `{"data":null,"errors":[` +
			`{"message":"businessName is required for business purchases","layer":"order","code":"business-name-required","path":"/billingDetail/businessName"},` +
			`{"message":"taxId is required for EU business purchases","layer":"order","code":"tax-id-required","path":"/billingDetail/taxId"}]}`},
	} {
		got := ""
		if r := Examine(c.body); r != nil {
			got = r.Body()
		}
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.body, got, c.want)
		}
	}
}

// FuzzExamine checks that an answer is JSON, that a refusal's log text has nothing of the body, and that the fast reading of a body agrees
// with the one that looks for the wrong member.
func FuzzExamine(f *testing.F) {
	for _, seed := range []string{`{"checkoutSessionId":"cs_1","billingDetail":{"country":"US","isBusiness":false,"state":"CA"}}`, `{"consents":["a",1]}`, `{"billingAddress":{"city":1}}`, `[`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if _, fault := decode(body); (fault == nil) != (ops.Valid([]byte(body)) && wrongMember(body, requestMembers) == "") {
			t.Fatalf("%q: %v, wrong member %q", body, fault, wrongMember(body, requestMembers))
		}
		r := Examine(body)
		if r == nil {
			return
		}
		if !json.Valid([]byte(r.Body())) {
			t.Fatalf("%q: %s", body, r.Body())
		}
		for _, word := range strings.Fields(r.Text()) {
			if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-:") != "" {
				t.Fatalf("%q is logged as %q", body, r.Text())
			}
		}
	})
}

func TestParseConfig(t *testing.T) {
	defaults := Config{Paths: []string{CreateOrder}, MaxBody: 8192}
	for _, text := range []string{"", " ", "null", "{}", `{"paths":[],"maxBody":null}`, `{"unknown":[1]}`, `{"maxBody":"8192","reportOnly":"false"}`} {
		if c, ok := ParseConfig(text); !ok || len(c.Paths) != 1 || c.Paths[0] != defaults.Paths[0] || c.MaxBody != defaults.MaxBody || c.ReportOnly || len(c.Origins) != 0 {
			t.Errorf("%q: %+v, %v", text, c, ok)
		}
	}
	c, ok := ParseConfig(`{"paths":["/a","/\u0062"],"maxBody":65536,"reportOnly":true,"origins":["https://a.example"]}`)
	if !ok || strings.Join(c.Paths, " ") != "/a /b" || c.MaxBody != 65536 || !c.ReportOnly || strings.Join(c.Origins, " ") != "https://a.example" {
		t.Errorf("%+v, %v", c, ok)
	}
	for _, text := range []string{"[]", "x", `{"paths":"/a"}`, `{"paths":[1]}`, `{"maxBody":0}`, `{"maxBody":65537}`, `{"maxBody":1.5}`, `{"maxBody":"x"}`, `{"maxBody":-1}`,
		`{"maxBody":true}`, `{"reportOnly":1}`, `{"reportOnly":"yes"}`, `{"origins":{}}`} {
		if c, ok := ParseConfig(text); ok {
			t.Errorf("%q is accepted: %+v", text, c)
		}
	}
}
