package billing

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
)

// summary lists the fields of a form: a star marks required ones, brackets mark those for businesses only.
func summary(fields []Field) string {
	var all []string
	for _, f := range fields {
		text := f.Label
		if f.Required {
			text += "*"
		}
		if f.InputMode == "numeric" {
			text += "#"
		}
		if f.Business {
			text = "[" + text + "]"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestFields(t *testing.T) {
	for c, want := range map[country.Code]string{
		"":   "country* postal-code business* [business-name*] [tax-id]",
		"US": "country* state* zip-code# business* [business-name*] [tax-id]",
		"CA": "country* province* postal-code business* [business-name*] [tax-id]",
		"PR": "country* zip-code# business* [business-name*] [tax-id]",
		"GB": "country* postcode business* [business-name*] [vat-id]",
		"DE": "country* postal-code# business* [business-name*] [vat-id*]",
		"GR": "country* postal-code# business* [business-name*] [vat-id*]",
		"NL": "country* postal-code business* [business-name*] [vat-id*]",
		"CH": "country* postal-code# business* [business-name*] [vat-id]",
		"HK": "country* business* [business-name*] [tax-id]",
		"MC": "country* postal-code# business* [business-name*] [vat-id]",
		"AU": "country* postcode# business* [business-name*] [tax-id]",
		"AE": "country* business* [business-name*] [tax-id]",
	} {
		if got := summary(Fields(c)); got != want {
			t.Errorf("%s: %s\nnot %s", c, got, want)
		}
	}
}

// TestFieldsAgreeWithCheck tries every country and kind of buyer. A detail with exactly the required fields must be valid,
// and a detail without one of them must be refused at that field.
func TestFieldsAgreeWithCheck(t *testing.T) {
	for c := range country.All() {
		for _, business := range []bool{false, true} {
			missing := make(map[string]bool)
			_, problems := Check(Input{Country: string(c), IsBusiness: &business})
			for _, p := range problems {
				missing[strings.TrimPrefix(p.Path, "/billingDetail/")] = true
			}
			for _, f := range Fields(c) {
				given := f.Name == "country" || f.Name == "isBusiness"
				if want := f.Required && !given && (business || !f.Business); missing[f.Name] != want {
					t.Errorf("%s: %s is required: %t, and Check misses it: %t", c, f.Name, want, missing[f.Name])
				}
				delete(missing, f.Name)
			}
			for name := range missing {
				t.Errorf("%s: %s is no field, and Check misses it", c, name)
			}
		}
	}
}
