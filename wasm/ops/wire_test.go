package ops

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

// TestWire checks that [Instance.Quote] reads what the types of this package encode, and writes what they decode.
func TestWire(t *testing.T) {
	const on = civil.Date(20_780) // 2026-11-23
	business := false
	for _, terms := range []checkout.Terms{
		{Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Step: 1,
			Seller: tax.Seller{Country: "IE", Registrations: []tax.Registration{{Jurisdiction: "EU", From: on}}}},
		{Price: money.Amount{Minor: 9990, Currency: "KWD"}, Category: tax.Ebook, Step: 10, Inclusive: true,
			Seller: tax.Seller{Country: "US", Everywhere: true}},
		{Price: money.Amount{Minor: 4500, Currency: "JPY"}, Category: tax.Consulting, Step: 1, Seller: tax.Seller{Country: "DE"}},
	} {
		for _, buyer := range []billing.Input{
			{Country: "DE", IsBusiness: &business}, {Country: "CA", State: "QC", IsBusiness: &business},
			{Country: "US", State: "TX", IsBusiness: &business}, {Country: "KP", IsBusiness: &business},
		} {
			detail, problems := billing.Check(buyer)
			if problems != nil {
				t.Fatal(problems)
			}
			off := checkout.Discount{Label: "Welcome \"back\"", Minor: 510}
			quote, p := terms.QuoteLess(off, &detail, "DE", on, nil)
			if p != nil {
				t.Fatal(p)
			}
			input := encode(t, struct {
				Sale
				BillingDetail billing.Input `json:"billingDetail"`
			}{Sale{Terms: TermsOf(&terms), On: on.String(), IPCountry: "DE",
				Discount: &Discount{off.Label, money.Amount{Minor: off.Minor, Currency: terms.Price.Currency}.String()}}, buyer})
			want := `{"data":` + encode(t, QuoteOf(&quote)) + `}`
			if got := new(Instance).Quote(input); string(got) != want {
				t.Errorf("%s:\ngot  %s\nwant %s", input, got, want)
			}
			var again Quote
			if err := json.Unmarshal([]byte(encode(t, QuoteOf(&quote))), &again); err != nil || !reflect.DeepEqual(again, QuoteOf(&quote)) {
				t.Errorf("%+v decodes as %+v, %v", QuoteOf(&quote), again, err)
			}
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// TestTypeScript checks that the interfaces of core.ts have the members of the Go types, with their types.
func TestTypeScript(t *testing.T) {
	source, err := os.ReadFile("../../web/src/core/core.ts")
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]any{
		"Terms": Terms{}, "Price": Price{}, "Seller": Seller{}, "Registration": Registration{}, "Sale": Sale{}, "Discount": Discount{}, "Quote": Quote{},
		"Component": Component{}, "Billing": billing.Input{},
	} {
		body := regexp.MustCompile(`(?s)export interface ` + name + ` (?:extends \w+ )?\{\n(.*?)\n\}`).FindSubmatch(source)
		if body == nil {
			t.Errorf("core.ts has no %s", name)
			continue
		}
		got := make(map[string]string)
		for _, m := range regexp.MustCompile(`(?m)^\t(?:readonly )?(\w+)\??: (?:readonly )?(.+?);`).FindAllSubmatch(body[1], -1) {
			got[string(m[1])] = string(m[2])
		}
		want := make(map[string]string)
		for _, field := range reflect.VisibleFields(reflect.TypeOf(of)) {
			if len(field.Index) == 1 && !field.Anonymous { // core.ts extends the embedded type
				member, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				want[member] = typeScript(field.Type)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v in core.ts, %v in Go", name, got, want)
		}
	}
}

// typeScript returns the TypeScript type of a Go type's JSON.
func typeScript(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Percent]():
		return "number"
	case t.Kind() == reflect.Pointer:
		return typeScript(t.Elem())
	case t.Kind() == reflect.Slice:
		return typeScript(t.Elem()) + "[]"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case t.Kind() == reflect.Struct:
		return t.Name()
	}
	return t.Kind().String()
}
