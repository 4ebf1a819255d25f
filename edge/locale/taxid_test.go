package locale

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/vatid"
)

func TestTaxID(t *testing.T) {
	for tag, wants := range map[string]map[string]string{
		"en":         {"": "Tax ID", "US": "EIN", "AU": "ABN", "IN": "GSTIN", "CA": "BN", "BR": "CNPJ", "JP": "Registration number", "DE": "VAT ID", "MC": "VAT ID", "HK": "Tax ID"},
		"de":         {"US": "EIN", "JP": "Registrierungsnummer", "DE": "USt-IdNr.", "HK": "Steuernummer"},
		"fr":         {"CA": "NE", "FR": "Numéro de TVA", "US": "EIN"},
		"ja-JP":      {"JP": "登録番号", "US": "EIN"},
		"ko-KR":      {"KR": "사업자등록번호", "JP": "등록번호"},
		"zh-Hant-HK": {"TW": "統一編號", "GB": "增值稅號", "HK": "稅號"},
		"es-MX":      {"MX": "RFC", "JP": "Número de registro", "HK": "Identificación fiscal"},
	} {
		for c, want := range wants {
			if got := Find(tag).TaxID(c); got != want {
				t.Errorf("%s, %s: %q, not %q", tag, c, got, want)
			}
		}
	}
}

// TestTaxIDNames checks that every country with a name exists, has no VAT numbers, and that every language has a label for all.
func TestTaxIDNames(t *testing.T) {
	for c := range taxIDs {
		if _, ok := country.Parse(c); !ok || vatid.VAT(c) {
			t.Errorf("%s is no country without VAT numbers", c)
		}
	}
	for _, l := range All() {
		for c := range country.All() {
			if l.TaxID(string(c)) == "" {
				t.Errorf("%s has no label for %s", l.Tag, c)
			}
		}
	}
}
