package billing

import (
	"strings"
	"testing"
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
		{"a place without postcodes", Input{Country: "HK", IsBusiness: no(), State: "Kowloon"}, Detail{Country: "HK", State: "Kowloon"}},
		{"EU business", Input{Country: "DE", IsBusiness: yes(), BusinessName: " Muster GmbH ", TaxID: "de 136.695.976"},
			Detail{Country: "DE", IsBusiness: true, BusinessName: "Muster GmbH", TaxID: "DE136695976", TaxIDChecked: true}},
		{"Greece is EL", Input{Country: "GR", IsBusiness: yes(), BusinessName: "A", TaxID: "GR094259216"},
			Detail{Country: "GR", IsBusiness: true, BusinessName: "A", TaxID: "EL094259216", TaxIDChecked: true}},
		{"US business needs no tax id", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: "A"},
			Detail{Country: "US", IsBusiness: true, State: "NY", BusinessName: "A"}},
		{"an unchecked foreign tax id is kept", Input{Country: "AU", IsBusiness: yes(), BusinessName: "A", TaxID: " 51 824 753 556"},
			Detail{Country: "AU", IsBusiness: true, BusinessName: "A", TaxID: "51 824 753 556"}},
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
		{"postcode of another shape", Input{Country: "US", IsBusiness: no(), State: "NY", Postcode: "SW1A 1AA"}, []string{"Invalid postcode for US"}},
		{"a name that reads backwards", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: "a\u202eb"}, []string{"Invalid businessName"}},
		{"a name of two lines", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: "a\nb"}, []string{"Invalid businessName"}},
		{"a name without end", Input{Country: "US", IsBusiness: yes(), State: "NY", BusinessName: strings.Repeat("a", maxName+1)}, []string{"Invalid businessName"}},
		{"everything at once", Input{Country: "US", IsBusiness: yes(), Postcode: "x"}, []string{"State is required for US/CA",
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

// FuzzCheck checks that a detail without problems is its own normal form.
func FuzzCheck(f *testing.F) {
	f.Add("US", true, "10001", "NY", "A", "")
	f.Add("gr", true, "", "", "A", "EL094259216")
	f.Add("CA", false, "h2x1y4", "ca-qc", "", "")
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
