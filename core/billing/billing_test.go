package billing

import (
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/country"
)

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func TestCheckAccepts(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Input
		want Detail
	}{
		{"the document's example", Input{Country: "US", IsBusiness: no(), State: "CA"}, Detail{Country: "US", State: "CA"}},
		{"state with its country, lower case", Input{Country: " us ", IsBusiness: no(), State: "us-ca"}, Detail{Country: "US", State: "CA"}},
		{"postcode in capitals", Input{Country: "GB", IsBusiness: no(), Postcode: " sw1a 1aa"}, Detail{Country: "GB", Postcode: "SW1A 1AA"}},
		{"Canada", Input{Country: "CA", IsBusiness: no(), State: "QC", Postcode: "H2X 1Y4"}, Detail{Country: "CA", State: "QC", Postcode: "H2X 1Y4"}},
		{"Canada with a hyphen", Input{Country: "CA", IsBusiness: no(), State: "QC", Postcode: "h2x-1y4"}, Detail{Country: "CA", State: "QC", Postcode: "H2X-1Y4"}},
		{"full-width Japan", Input{Country: "JP", IsBusiness: no(), Postcode: "〒１００－０００１　"}, Detail{Country: "JP", Postcode: "100-0001"}},
		{"a postcode of another shape", Input{Country: "US", IsBusiness: no(), State: "NY", Postcode: "SW1A 1AA"}, Detail{Country: "US", State: "NY", Postcode: "SW1A 1AA"}},
		{"a full-width VAT number", Input{Country: "DE", IsBusiness: yes(), BusinessName: "A", TaxID: "ＤＥ１３６６９５９７６"},
			Detail{Country: "DE", IsBusiness: true, BusinessName: "A", TaxID: "DE136695976", TaxIDChecked: true}},
		{"a full-width number of another country", Input{Country: "JP", IsBusiness: yes(), BusinessName: "A", TaxID: "Ｔ７０００－０１２０５０００２"},
			Detail{Country: "JP", IsBusiness: true, BusinessName: "A", TaxID: "T7000-012050002"}},
		{"a place without postcodes", Input{Country: "HK", IsBusiness: no(), State: "Kowloon"}, Detail{Country: "HK", State: "Kowloon"}},
		{"EU business", Input{Country: "DE", IsBusiness: yes(), BusinessName: " Muster GmbH ", TaxID: "de 136.695.976"},
			Detail{Country: "DE", IsBusiness: true, BusinessName: "Muster GmbH", TaxID: "DE136695976", TaxIDChecked: true}},
		{"Greece is EL", Input{Country: "GR", IsBusiness: yes(), BusinessName: "A", TaxID: "GR094259216"},
			Detail{Country: "GR", IsBusiness: true, BusinessName: "A", TaxID: "EL094259216", TaxIDChecked: true}},
		{"US business needs no tax id", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: "A"},
			Detail{Country: "US", IsBusiness: true, State: "NY", BusinessName: "A"}},
		{"an unchecked foreign tax id is kept", Input{Country: "BR", IsBusiness: yes(), BusinessName: "A", TaxID: " 12.345.678/0001-95"},
			Detail{Country: "BR", IsBusiness: true, BusinessName: "A", TaxID: "12.345.678/0001-95"}},
		{"an Australian number has check digits", Input{Country: "AU", IsBusiness: yes(), BusinessName: "A", TaxID: " 51 824 753 556"},
			Detail{Country: "AU", IsBusiness: true, BusinessName: "A", TaxID: "51824753556", TaxIDChecked: true}},
		{"a wrong Australian number does not block", Input{Country: "AU", IsBusiness: yes(), BusinessName: "A", TaxID: "51 824 753 557"},
			Detail{Country: "AU", IsBusiness: true, BusinessName: "A", TaxID: "51 824 753 557"}},
		{"Monaco has French numbers", Input{Country: "MC", IsBusiness: yes(), BusinessName: "A", TaxID: "59000004025"},
			Detail{Country: "MC", IsBusiness: true, BusinessName: "A", TaxID: "FR59000004025", TaxIDChecked: true}},
		{"and needs none", Input{Country: "MC", IsBusiness: yes(), BusinessName: "A"}, Detail{Country: "MC", IsBusiness: true, BusinessName: "A"}},
		{"a wrong British number does not block", Input{Country: "GB", IsBusiness: yes(), BusinessName: "A", TaxID: "GB123"},
			Detail{Country: "GB", IsBusiness: true, BusinessName: "A", TaxID: "GB123"}},
		{"a consumer keeps no business fields", Input{Country: "DE", IsBusiness: no(), BusinessName: "A", TaxID: "DE136695976"},
			Detail{Country: "DE"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, problems := Check(c.in)
			if len(problems) > 0 {
				t.Fatalf("refused: %v", problems)
			}
			if got != c.want {
				t.Fatalf("got %+v, want %+v", got, c.want)
			}
			if again, problems := Check(got.Input()); again != got || problems != nil {
				t.Fatalf("the detail's own input gives %+v, %v", again, problems)
			}
		})
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Input
		want []string // messages, in order
	}{
		{"nothing given", Input{}, []string{"Missing required field: billingDetail.country", "Missing required field: billingDetail.isBusiness"}},
		{"no such country", Input{Country: "UK", IsBusiness: no()}, []string{"Invalid country: expected ISO 3166-1 alpha-2"}},
		{"a dotless i is no I", Input{Country: "ıt", IsBusiness: no()}, []string{"Invalid country: expected ISO 3166-1 alpha-2"}},
		{"US without state", Input{Country: "US", IsBusiness: no()}, []string{"State is required for US/CA"}},
		{"CA without state", Input{Country: "CA", IsBusiness: no(), State: "  "}, []string{"State is required for US/CA"}},
		{"US state unknown", Input{Country: "US", IsBusiness: no(), State: "ZZ"}, []string{"Invalid state for US"}},
		{"Canadian state unknown", Input{Country: "CA", IsBusiness: no(), State: "CA"}, []string{"Invalid state for CA"}},
		{"business without name", Input{Country: "US", IsBusiness: yes(), State: "NY"}, []string{"businessName is required for business purchases"}},
		{"EU business without id", Input{Country: "FR", IsBusiness: yes(), BusinessName: "A"}, []string{"taxId is required for EU business purchases"}},
		{"EU business with a wrong id", Input{Country: "DE", IsBusiness: yes(), BusinessName: "A", TaxID: "DE136695975"}, []string{"Invalid taxId for DE"}},
		{"another country's number", Input{Country: "DE", IsBusiness: yes(), BusinessName: "A", TaxID: "EL094259216"}, []string{"Invalid taxId for DE"}},
		{"postcode of another shape where it decides the tax", Input{Country: "ES", IsBusiness: no(), Postcode: "3500"}, []string{"Invalid postcode for ES"}},
		{"a postcode of two lines", Input{Country: "US", IsBusiness: no(), State: "NY", Postcode: "100\n01"}, []string{"Invalid postcode for US"}},
		{"a postcode without end", Input{Country: "US", IsBusiness: no(), State: "NY", Postcode: strings.Repeat("1", maxPostcode+1)}, []string{"Invalid postcode for US"}},
		{"a name that reads backwards", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: "a\u202eb"}, []string{"Invalid businessName"}},
		{"a name of two lines", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: "a\nb"}, []string{"Invalid businessName"}},
		{"a name without end", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: strings.Repeat("a", maxName+1)}, []string{"Invalid businessName"}},
		{"everything at once", Input{Country: "US", IsBusiness: yes(), Postcode: "\x01"}, []string{"State is required for US/CA",
			"businessName is required for business purchases", "Invalid postcode for US"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, problems := Check(c.in)
			var got []string
			for _, p := range problems {
				got = append(got, p.Message)
				if !strings.HasPrefix(p.Path, "/billingDetail/") || p.Code == "" {
					t.Errorf("%q has path %q and code %q", p.Message, p.Path, p.Code)
				}
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Fatalf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestPostcodeNeverBlocks checks that a postcode of an unknown format is refused only where it decides the tax.
func TestPostcodeNeverBlocks(t *testing.T) {
	for c := range country.All() {
		state := ""
		for s := range c.Subdivisions() {
			state = string(s)
		}
		_, problems := Check(Input{Country: string(c), IsBusiness: no(), State: state, Postcode: "?"})
		if refused := problems != nil; refused != c.PostcodeDecidesTax() {
			t.Errorf("%s: refused is %t: %v", c, refused, problems)
		}
	}
}

// FuzzCheck checks that a detail without problems is its own normal form.
func FuzzCheck(f *testing.F) {
	f.Add("US", true, "10001", "NY", "A", "")
	f.Add("gr", true, "", "", "A", "EL094259216")
	f.Add("CA", false, "h2x1y4", "ca-qc", "", "")
	f.Add("JP", true, "〒１００－０００１", "", "A", "Ｔ７０００")
	f.Fuzz(func(t *testing.T, country string, business bool, postcode, state, name, taxID string) {
		d, problems := Check(Input{Country: country, IsBusiness: &business, Postcode: postcode, State: state, BusinessName: name, TaxID: taxID})
		if problems != nil {
			return
		}
		if again, problems := Check(d.Input()); again != d || problems != nil {
			t.Fatalf("%+v became %+v, %v", d, again, problems)
		}
	})
}
