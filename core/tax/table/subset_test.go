package table_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

const ownRows = "id\tjurisdiction\ttax\tpostcode\tcategories\tbuyer\ttreatment\trate\n" +
	"nyc\tUS-NY\tsales\t100\t*\tany\tstandard\t8.875\n" +
	"ny\tUS-NY\tlocal\t\tsaas\tany\tstandard\t1\n" +
	"tx\tUS-TX\tlocal\t\t*\tany\tstandard\t2\n" +
	"de\tDE\tvat\t10\tebook\tany\treduced\t1\n" +
	"mad\tPT-30\tvat\t\t*\tany\tstandard\t3\n" +
	"hk\tHK\tvat\t\tconsulting\tany\tstandard\t4\n" +
	"union\tEU\tsupply\t\tconsulting\tunregistered\tcustomer\t0\n"

// TestSubsetAssessesAlike assesses random sales with the whole table and with the subset for the buyer, read back from its
// text.
func TestSubsetAssessesAlike(t *testing.T) {
	whole := parse(t, ownRows)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		seller, buyer := randomSeller(rng), randomBuyer(rng)
		subset := whole.Subset(seller.Country, buyer.Country, buyer.State)
		read, ok := table.FromText(subset.Text())
		if !ok {
			t.Fatal("the subset's text cannot be read")
		}
		s := sale(seller, buyer, tax.DigitalGoods+tax.Category(rng.IntN(7)))
		s.Overrides = &whole
		want, refused := tax.Assess(s)
		if refused != nil {
			t.Fatal(refused)
		}
		s.Overrides = &read
		if got, _ := tax.Assess(s); got.Tax != want.Tax || strings.Join(got.Rules, " ") != strings.Join(want.Rules, " ") {
			t.Fatalf("%+v: %d by %v, %d by %v with the whole table", buyer, got.Tax, got.Rules, want.Tax, want.Rules)
		}
		if read.Text() != "" && read.DataVersion() != whole.DataVersion() {
			t.Fatalf("the subset's data version is %s", read.DataVersion())
		}
	}
}

func TestSubsetSize(t *testing.T) {
	whole := parse(t, ownRows)
	if ny := whole.Subset("HK", "US", "NY"); strings.Count(ny.Text(), "override:") != 3 { // two of New York, one of the seller's country
		t.Errorf("the subset for New York is %q", ny.Text())
	}
	if none := whole.Subset("US", "JP", ""); none.Text() != "" {
		t.Errorf("the subset for Japan is %q", none.Text())
	}
}

func parse(t *testing.T, tsv string) table.Table {
	t.Helper()
	own, mistakes := table.Parse(tsv)
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	return own
}

func randomSeller(rng *rand.Rand) *tax.Seller {
	return &tax.Seller{Country: []country.Code{"HK", "DE", "US"}[rng.IntN(3)], Everywhere: true}
}

func randomBuyer(rng *rand.Rand) *billing.Detail {
	regions := []struct {
		country country.Code
		state   string
	}{{"US", "NY"}, {"US", "TX"}, {"US", "CA"}, {"DE", ""}, {"PT", ""}, {"FR", ""}, {"HK", ""}, {"JP", ""}}
	postcodes := []string{"", "10012", "10115", "9000-001", "1000-205", "99"}
	r := regions[rng.IntN(len(regions))]
	return &billing.Detail{Country: r.country, State: r.state, Postcode: postcodes[rng.IntN(len(postcodes))]}
}

func sale(seller *tax.Seller, buyer *billing.Detail, c tax.Category) *tax.Sale {
	price := money.Amount{Minor: 10_000, Currency: "EUR"}
	return &tax.Sale{Seller: seller, Buyer: buyer, Category: c, Price: price, Step: 1, On: table.FirstDay + 800}
}

// FuzzFromText assesses sales with every table that FromText accepts.
func FuzzFromText(f *testing.F) {
	whole, _ := table.Parse(ownRows)
	f.Add(whole.Text())
	f.Add("")
	f.Add(table.DataVersion + "+x\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		read, ok := table.FromText(text)
		if !ok {
			return
		}
		for _, buyer := range []*billing.Detail{{Country: "US", State: "NY", Postcode: "10012"}, {Country: "DE", Postcode: "10115"}, {Country: "PT"}} {
			s := sale(&tax.Seller{Country: "HK", Everywhere: true}, buyer, tax.SaaS)
			s.Overrides = &read
			tax.Assess(s)
		}
	})
}
