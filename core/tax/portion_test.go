package tax

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

const portionRows = "id\tjurisdiction\ttax\tpostcode\tcategories\tbuyer\ttreatment\trate\n" +
	"nyc\tUS-NY\tsales\t100\t*\tany\tstandard\t8.875\n" +
	"ny\tUS-NY\tlocal\t\tsaas\tany\tstandard\t1\n" +
	"tx\tUS-TX\tlocal\t\t*\tany\tstandard\t2\n" +
	"de\tDE\tvat\t10\tebook\tany\treduced\t1\n" +
	"mad\tPT-30\tvat\t\t*\tany\tstandard\t3\n" +
	"hk\tHK\tvat\t\tconsulting\tany\tstandard\t4\n" +
	"union\tEU\tsupply\t\tconsulting\tunregistered\tcustomer\t0\n"

// TestPortion: a portion answers every question about its place as the whole table does, and so does the table that is
// read back from its text.
func TestPortion(t *testing.T) {
	table, wrong := ParseTable(portionRows)
	if wrong != nil {
		t.Fatal(wrong)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	places := []struct{ country, state string }{{"US", "NY"}, {"US", "TX"}, {"US", "CA"}, {"DE", ""}, {"PT", ""}, {"FR", ""}, {"HK", ""}, {"JP", ""}}
	postcodes := []string{"", "10012", "10115", "9000-001", "1000-205", "99"}
	for range 20_000 {
		p := places[rng.IntN(len(places))]
		seller := Seller{Country: []country.Code{"HK", "DE", "US"}[rng.IntN(3)], Everywhere: true}
		sale := Sale{
			Seller: &seller, Buyer: &billing.Detail{Country: country.Code(p.country), State: p.state, Postcode: postcodes[rng.IntN(len(postcodes))]},
			Category: DigitalGoods + Category(rng.IntN(7)), Price: money.Amount{Minor: 10_000, Currency: "EUR"}, Step: 1, On: firstDay + 800, Overrides: &table,
		}
		want, refused := Assess(&sale)
		if refused != nil {
			t.Fatal(refused)
		}
		portion := table.Portion(seller.Country, sale.Buyer.Country, sale.Buyer.State)
		read, ok := TableOf(portion.Text())
		if !ok {
			t.Fatal("the portion's text cannot be read")
		}
		sale.Overrides = &read
		got, _ := Assess(&sale)
		if got.Tax != want.Tax || strings.Join(got.Rules, " ") != strings.Join(want.Rules, " ") {
			t.Fatalf("%+v: %d by %v, %d by %v with the whole table", sale.Buyer, got.Tax, got.Rules, want.Tax, want.Rules)
		}
		if !read.empty() && read.DataVersion() != table.DataVersion() {
			t.Fatalf("the portion names its data %s", read.DataVersion())
		}
	}
	if ny := table.Portion("HK", "US", "NY"); len(ny.rows)/ownWidth != 3 { // two of New York, one of the seller's home
		t.Errorf("New York has %d rows", len(ny.rows)/ownWidth)
	}
	if none := table.Portion("US", "JP", ""); none.Text() != "" {
		t.Errorf("Japan has %q", none.Text())
	}
}

// FuzzTableOf: whatever is accepted can be asked anything.
func FuzzTableOf(f *testing.F) {
	table, _ := ParseTable(portionRows)
	f.Add(table.Text())
	f.Add("")
	f.Add(DataVersion + "+x\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, ok := TableOf(text)
		if !ok {
			return
		}
		for _, detail := range []billing.Detail{{Country: "US", State: "NY", Postcode: "10012"}, {Country: "DE", Postcode: "10115"}, {Country: "PT"}} {
			Assess(&Sale{Seller: &Seller{Country: "HK", Everywhere: true}, Buyer: &detail, Category: SaaS,
				Price: money.Amount{Minor: 100, Currency: "EUR"}, Step: 1, On: firstDay, Overrides: &table})
		}
	})
}

func FuzzBase64(f *testing.F) {
	f.Add("")
	f.Add("a\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		text := encode64(s)
		if want := base64.RawStdEncoding.EncodeToString([]byte(s)); text != want {
			t.Fatalf("%q is %q, want %q", s, text, want)
		}
		if back, ok := decode64(text); !ok || back != s {
			t.Fatalf("%q came back as %q", s, back)
		}
		_, err := base64.RawStdEncoding.Strict().DecodeString(s)
		if _, ok := decode64(s); ok != (err == nil) && !strings.ContainsAny(s, "\r\n") {
			t.Fatalf("%q: %t, %v", s, ok, err)
		}
	})
}
