package rules_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/plugins"
)

// draft is an order of ann@example.com in Germany for 29.00 EUR. Members of more replace its own.
func draft(t *testing.T, more string) []byte {
	t.Helper()
	var all map[string]any
	text := `{"environment":"test","storeId":"STO_1","product":{"id":"PROD_1","taxCategory":"ebook"},"price":{"amount":"29.00","currency":"EUR"},
		"buyerEmail":"ann@mail.example.com","billingDetail":{"country":"DE","isBusiness":false},"on":"2026-11-29"}`
	for _, text := range []string{text, cmp.Or(more, "{}")} {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
	}
	encoded, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func hashed(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:])
}

// TestSamples runs the committed modules as the server does.
func TestSamples(t *testing.T) {
	business := func(taxID string) string {
		return `{"billingDetail":{"country":"DE","isBusiness":true,"businessName":"A","taxId":"` + taxID + `"}}`
	}
	coupon := func(more string) string {
		return `{"label":"Spring","addresses":["` + hashed("bob@example.com")[:16] + `","` + hashed("ann@mail.example.com")[:20] + `"],` + more + `}`
	}
	for _, c := range []struct{ rule, config, draft, want string }{
		{"limits", `{}`, "", "accepted"},
		{"limits", `{"EUR":{"min":"29.00","max":"29"},"USD":{"max":"1.00"}}`, "", "accepted"},
		{"limits", `{"EUR":{"max":"28.99"}}`, "", "rule-order-too-large  The largest order is 28.99 EUR."},
		{"limits", `{"EUR":{"min":"30"},"message":"Zu klein."}`, "", "rule-order-too-small  Zu klein."},
		{"limits", `{"JPY":{"min":"3000"}}`, `{"price":{"amount":"2999","currency":"JPY"}}`, "rule-order-too-small  The smallest order is 3000 JPY."},
		{"limits", `{"EUR":{"maximum":"1"}}`, "", "failed"},
		{"limits", `{"EUR":{"max":"1,00"}}`, "", "failed"},
		{"addresses", `{}`, "", "accepted"},
		{"addresses", `{"addresses":["ann@mail.example.com"]}`, "", "rule-address-refused /buyerEmail Please use another e-mail address."},
		{"addresses", `{"addresses":["\u0061nn@mail.example.com"]}`, "", "rule-address-refused /buyerEmail Please use another e-mail address."},
		{"addresses", `{"addresses":["ann@mail.example.co"],"domains":["ample.com","mail.example.com.org"],"disposable":true}`, "", "accepted"},
		{"addresses", `{"domains":["example.com"],"message":"No."}`, "", "rule-address-refused /buyerEmail No."},
		{"addresses", `{"domains":["mail.example.com"]}`, "", "rule-address-refused /buyerEmail Please use another e-mail address."},
		{"addresses", `{"disposable":true}`, `{"buyerEmail":"x@eu.mailinator.com"}`, "rule-address-refused /buyerEmail Please use another e-mail address."},
		{"addresses", `{"disposable":false}`, `{"buyerEmail":"x@mailinator.com"}`, "accepted"},
		{"addresses", `{"disposable":true}`, `{"buyerEmail":""}`, "accepted"},
		{"countries", `{}`, "", "accepted"},
		{"countries", `{"only":["AT","DE"]}`, "", "accepted"},
		{"countries", `{"only":["AT"]}`, "", "rule-country-not-sold-to /billingDetail/country We do not sell to this country."},
		{"countries", `{"except":["DE"],"message":"No."}`, "", "rule-country-not-sold-to /billingDetail/country No."},
		{"vatid", `{}`, "", "accepted"},
		{"vatid", `{"businessesOnly":true}`, "", "rule-business-required /billingDetail/isBusiness We sell to businesses only."},
		{"vatid", `{}`, business(""), "rule-tax-number-required /billingDetail/taxId Please enter your VAT or tax number."},
		{"vatid", `{}`, business("DE136695976"), "accepted"},
		{"vatid", `{"countries":["AT"],"businessesOnly":true}`, "", "accepted"},
		{"assemblyscript/freemail", `{"domains":["mail.example.com"]}`, "", "accepted"},
		{"assemblyscript/freemail", `{"domains":["mail.example.com"]}`, business("DE136695976"),
			"rule-own-address-required /buyerEmail Please use an address of your company."},
		{"assemblyscript/freemail", `{"domains":["example.com"]}`, business("DE136695976"), "accepted"},
		{"coupon", `{}`, "", "accepted"},
		{"coupon", coupon(`"percent":20`), "", "580 off: Spring"},
		{"coupon", coupon(`"percent":20`), `{"buyerEmail":"eve@example.com"}`, "accepted"},
		{"coupon", coupon(`"percent":20`), `{"buyerEmail":""}`, "accepted"},
		{"coupon", coupon(`"amounts":{"EUR":"5.00"},"percent":20`), "", "500 off: Spring"},
		{"coupon", coupon(`"amounts":{"USD":"5.00"}`), "", "accepted"},
		{"coupon", coupon(`"percent":100`), "", "accepted"},
		{"coupon", coupon(`"percent":20,"from":"2026-11-29","until":"2026-11-29"`), "", "580 off: Spring"},
		{"coupon", coupon(`"percent":20,"from":"2026-11-30"`), "", "accepted"},
		{"coupon", coupon(`"percent":20,"until":"2026-11-28"`), "", "accepted"},
		{"coupon", `{"percent":20,"addresses":["` + hashed("ann@mail.example.com")[:15] + `"]}`, "", "accepted"}, // too few digits
		{"coupon", coupon(`"percent":"20"`), "", "failed"},
	} {
		module, err := os.ReadFile(c.rule + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		verdict, err := plugins.Run(t.Context(), module, []byte(c.config), draft(t, c.draft))
		got := "accepted"
		switch {
		case err != nil:
			got = "failed"
		case verdict.Problems != nil:
			p := verdict.Problems[0]
			got = strings.Join([]string{p.Code, p.Path, p.Message}, " ")
		case verdict.Discount.Minor > 0:
			got = fmt.Sprintf("%d off: %s", verdict.Discount.Minor, verdict.Discount.Label)
		}
		if got != c.want {
			t.Errorf("%s with %s of %s: %s (%v), want %s", c.rule, c.config, c.draft, got, err, c.want)
		}
	}
}

// TestLongConfig: the longest lists fit into the fuel of a call.
func TestLongConfig(t *testing.T) {
	var hashes, addresses []string
	for i := range 840 {
		hashes = append(hashes, hashed(fmt.Sprint(i))[:16])
	}
	for i := range 600 {
		addresses = append(addresses, fmt.Sprintf("someone%03d@example.com", i))
	}
	for rule, members := range map[string]map[string]any{"coupon": {"percent": 20, "addresses": hashes}, "addresses": {"addresses": addresses, "disposable": true}} {
		module, err := os.ReadFile(rule + ".wasm")
		if err != nil {
			t.Fatal(err)
		}
		config, err := json.Marshal(members)
		if err != nil || len(config) < plugins.MaxConfig*85/100 {
			t.Fatalf("a config of %d bytes, %v", len(config), err)
		}
		verdict, err := plugins.Run(t.Context(), module, config, draft(t, ""))
		if err != nil {
			t.Errorf("%s with a config of %d bytes: %v", rule, len(config), err)
		}
		for _, u := range verdict.Usages {
			t.Logf("%s %s: %d of fuel, %d KiB", rule, u.Function, u.Fuel, u.Memory>>10)
		}
	}
}

// TestSizes: each sample has at most 10 KB.
func TestSizes(t *testing.T) {
	for _, rule := range []string{"limits", "addresses", "countries", "vatid", "coupon"} {
		module, err := os.ReadFile(rule + ".wasm")
		if err != nil || len(module) > 10_000 {
			t.Errorf("%s.wasm has %d bytes, %v", rule, len(module), err)
		}
		if _, err := plugins.Check(t.Context(), module); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}
