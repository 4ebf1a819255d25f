package tax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// parse reads a valid table, its cells separated by spaces.
func parse(t testing.TB, lines ...string) *table.Table {
	t.Helper()
	rates, wrong := table.Parse(strings.ReplaceAll(strings.Join(lines, "\n"), " ", "\t"))
	for _, e := range wrong {
		t.Error(e)
	}
	return &rates
}

// own has every kind of override. Texas has combined rates by ZIP code, Colorado has local rates beside the state's.
var own = []string{
	"id jurisdiction tax postcode categories buyer treatment rate base from to confidence",

	"tx-austin US-TX sales 787 * any standard 8.25 100 - - B",
	"tx-downtown US-TX sales 78701 *-saas any standard 8 100 - - B",
	"tx-downtown-saas US-TX sales 78701 saas any standard 8.25 80 2026-01-01 2027-01-01 A",
	"tx-plus-four US-TX sales 787019999 * any standard 1 100 - - A",
	"tx-neighbour US-TX sales 78702 * any standard 7 100 - - A",

	"co-denver US-CO local 802 digital_goods,ebook any standard 4.81 100 - - C",
	"co-airport US-CO local 80249 digital_goods any standard 5 100 2026-07-01 - C",
	"co-elsewhere US-CO local - digital_goods any standard 1 100 - - C",

	"de-rate DE vat - * any standard 18 100 2027-01-01 - A",
	"bo-rate BO vat - * any standard 13 100 - - C",
	"ca-everything US-CA sales - ebook business reduced 2 100 - - X",
	"ca-qc-local CA-QC local H * any standard 0.5 100 - - A",
	"ca-on-local CA-ON local K1A0B1 * any standard 0.5 100 - - A",
	"or-home US-OR sales 97 * any exempt 0 100 - - A",
	"gb-advice GB supply - consulting unregistered customer 0 100 - - A",
	"gb-home GB local SW1 * any standard 3 100 - - A",
	"mx-supply MX supply - * registered reverse-charge 0 100 - - A",
}

func TestOverrides(t *testing.T) {
	rates := parse(t, own...)
	for _, c := range []assessCase{
		// The longest postcode prefix wins; spaces and dashes are ignored.
		{name: "a ZIP code", buyer: "US-TX 78701", price: "29.00 USD",
			want: "2900 + 191 = 3091, US-TX sales 8.25% of 2320 = 191; standard local A; override:tx-downtown-saas"},
		{name: "ZIP+4", buyer: "US-TX 78701-1234", price: "29.00 USD",
			want: "2900 + 191 = 3091, US-TX sales 8.25% of 2320 = 191; standard local A; override:tx-downtown-saas"},
		{name: "that very ZIP+4", buyer: "US-TX 78701-9999", price: "29.00 USD",
			want: "2900 + 29 = 2929, US-TX sales 1% of 2900 = 29; standard local A; override:tx-plus-four"},
		{name: "a ZIP code prefix", buyer: "US-TX 78759", price: "29.00 USD", // 239.25
			want: "2900 + 239 = 3139, US-TX sales 8.25% of 2900 = 239; standard local B; override:tx-austin"},
		{name: "another ZIP code prefix", buyer: "US-TX 75001", price: "29.00 USD",
			want: "2900 + 145 = 3045, US-TX sales 6.25% of 2320 = 145; standard state A; us-tx-sales-3"},
		{name: "no ZIP code", buyer: "US-TX", price: "29.00 USD",
			want: "2900 + 145 = 3045, US-TX sales 6.25% of 2320 = 145; standard state A; us-tx-sales-3"},
		{name: "a ZIP code cut short", buyer: "US-TX 78", price: "29.00 USD",
			want: "2900 + 145 = 3045, US-TX sales 6.25% of 2320 = 145; standard state A; us-tx-sales-3"},
		{name: "another category of the same ZIP code", buyer: "US-TX 78701", category: tax.Ebook, price: "29.00 USD",
			want: "2900 + 232 = 3132, US-TX sales 8% of 2900 = 232; standard local B; override:tx-downtown"},
		{name: "the same ZIP code in another state", buyer: "US-OK 78701", price: "29.00 USD",
			want: "2900 + 0 = 2900; exempt state B; us-ok-sales-1"},

		// Days: if the row with the longer prefix does not hold, the one with the shorter prefix does.
		{name: "the day before", buyer: "US-TX 78701", price: "29.00 USD", on: "2025-12-31",
			want: "2900 + 239 = 3139, US-TX sales 8.25% of 2900 = 239; standard local B; override:tx-austin"},
		{name: "the first day", buyer: "US-TX 78701", price: "29.00 USD", on: "2026-01-01",
			want: "2900 + 191 = 3091, US-TX sales 8.25% of 2320 = 191; standard local A; override:tx-downtown-saas"},
		{name: "the last day", buyer: "US-TX 78701", price: "29.00 USD", on: "2026-12-31",
			want: "2900 + 191 = 3091, US-TX sales 8.25% of 2320 = 191; standard local A; override:tx-downtown-saas"},
		{name: "the day after", buyer: "US-TX 78701", price: "29.00 USD", on: "2027-01-01",
			want: "2900 + 239 = 3139, US-TX sales 8.25% of 2900 = 239; standard local B; override:tx-austin"},
		{name: "a national rate to come", buyer: "DE", on: "2026-12-31",
			want: "2900 + 551 = 3451, DE vat 19% of 2900 = 551; standard country B; eu-supply-1 de-vat-1"},
		{name: "the national rate has come", buyer: "DE", on: "2027-01-01",
			want: "2900 + 522 = 3422, DE vat 18% of 2900 = 522; standard country A; eu-supply-1 override:de-rate"},

		// A tax that the built-in table lacks is an additional component.
		{name: "a local tax beside the state's", buyer: "US-CO 80202", category: tax.DigitalGoods, price: "29.00 USD",
			want: "2900 + 223 = 3123, US-CO sales 2.9% of 2900 = 84, US-CO local 4.81% of 2900 = 139; standard local C; " +
				"us-co-sales-1 override:co-denver"},
		{name: "a longer prefix", buyer: "US-CO 80249", category: tax.DigitalGoods, price: "29.00 USD",
			want: "2900 + 229 = 3129, US-CO sales 2.9% of 2900 = 84, US-CO local 5% of 2900 = 145; standard local C; " +
				"us-co-sales-1 override:co-airport"},
		{name: "where it holds not yet", buyer: "US-CO 80249", category: tax.DigitalGoods, price: "29.00 USD", on: "2026-06-30",
			want: "2900 + 223 = 3123, US-CO sales 2.9% of 2900 = 84, US-CO local 4.81% of 2900 = 139; standard local C; " +
				"us-co-sales-1 override:co-denver"},
		{name: "a category that it is not about", buyer: "US-CO 80249", category: tax.Ebook, price: "29.00 USD",
			want: "2900 + 223 = 3123, US-CO sales 2.9% of 2900 = 84, US-CO local 4.81% of 2900 = 139; standard local C; " +
				"us-co-sales-1 override:co-denver"},
		{name: "a category that none is about", buyer: "US-CO 80249", price: "29.00 USD",
			want: "2900 + 0 = 2900; exempt state B; us-co-sales-2"},
		{name: "a row without a postcode", buyer: "US-CO 81000", category: tax.DigitalGoods, price: "29.00 USD",
			want: "2900 + 113 = 3013, US-CO sales 2.9% of 2900 = 84, US-CO local 1% of 2900 = 29; standard state C; " +
				"us-co-sales-1 override:co-elsewhere"},
		{name: "a third tax", buyer: "CA-QC at H2X 1Y4", price: "29.00 CAD",
			want: "2900 + 449 = 3349, CA-QC gst 5% of 2900 = 145, CA-QC qst 9.975% of 2900 = 289, CA-QC local 0.5% of 2900 = 15; " +
				"standard local B; ca-qc-gst-1 ca-qc-qst-1 override:ca-qc-local"},
		{name: "three taxes included", buyer: "CA-QC at H2X 1Y4", price: "115.48 CAD", inclusive: true, // 500.2, 997.9, 50.02
			want: "10000 + 1548 = 11548, CA-QC gst 5% of 10000 = 500, CA-QC qst 9.975% of 10000 = 998, " +
				"CA-QC local 0.5% of 10000 = 50; standard local B; ca-qc-gst-1 ca-qc-qst-1 override:ca-qc-local"},
		{name: "a whole postcode", buyer: "CA-ON at K1A 0B1", price: "29.00 CAD",
			want: "2900 + 392 = 3292, CA-ON hst 13% of 2900 = 377, CA-ON local 0.5% of 2900 = 15; standard local B; " +
				"ca-on-hst-1 override:ca-on-local"},
		{name: "a country without built-in rows", buyer: "BO", price: "29.00 USD",
			want: "2900 + 377 = 3277, BO vat 13% of 2900 = 377; standard country C; override:bo-rate"},

		// A row changes nothing outside its conditions.
		{name: "California for a business", buyer: "US-CA business", category: tax.Ebook, price: "29.00 USD",
			want: "2900 + 58 = 2958, US-CA sales 2% of 2900 = 58; reduced state X; override:ca-everything"},
		{name: "for a consumer", buyer: "US-CA", category: tax.Ebook, price: "29.00 USD",
			want: "2900 + 0 = 2900; exempt state A; us-ca-sales-1"},
		{name: "exempt, where it was out of scope", buyer: "US-OR 97201", price: "29.00 USD",
			want: "2900 + 0 = 2900; exempt local A; override:or-home"},

		// Who collects.
		{name: "registered in the state", seller: seller("DE", "US-CO"), buyer: "US-CO 80202", category: tax.DigitalGoods,
			want: "2900 + 223 = 3123, US-CO sales 2.9% of 2900 = 84, US-CO local 4.81% of 2900 = 139; standard local C; " +
				"us-co-sales-1 override:co-denver"},
		{name: "registered nowhere", seller: seller("DE"), buyer: "US-CO 80202", category: tax.DigitalGoods,
			want: "2900 + 0 = 2900; not-collecting local C; us-co-sales-1 override:co-denver"},

		// Rows of supply.
		{name: "foreign advice is taxed after all", buyer: "GB", category: tax.Consulting,
			want: "2900 + 580 = 3480, GB vat 20% of 2900 = 580; standard country A; override:gb-advice gb-vat-1"},
		{name: "other services as before", buyer: "GB", category: tax.ProfessionalService,
			want: "2900 + 0 = 2900; out-of-scope country A; gb-supply-2"},
		{name: "at the buyer's, the postcode counts", buyer: "GB at SW1A 1AA",
			want: "2900 + 667 = 3567, GB vat 20% of 2900 = 580, GB local 3% of 2900 = 87; standard local A; " +
				"gb-supply-1 gb-vat-1 override:gb-home"},
		{name: "at the seller's, the buyer's postcode does not", seller: seller("GB"), buyer: "GB at SW1A 1AA",
			category: tax.ProfessionalService,
			want:     "2900 + 580 = 3480, GB vat 20% of 2900 = 580; standard country A; gb-supply-2 gb-vat-1"},
		{name: "who owes the tax", buyer: "MX MX123", want: "2900 + 0 = 2900; reverse-charge country A; override:mx-supply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.sale()
			s.Overrides = rates
			a, p := tax.Assess(s)
			if p != nil {
				t.Fatal(p)
			}
			if got := describe(&a); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestIrrelevantOverridesChangeNothing uses a table without rows, and one about another jurisdiction.
func TestIrrelevantOverridesChangeNothing(t *testing.T) {
	elsewhere := parse(t, "id jurisdiction tax rate", "aq AQ vat 10")
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		if s.Buyer.Country == "AQ" || s.Seller.Country == "AQ" {
			return
		}
		want := assess(t, s)
		for _, none := range []*table.Table{{}, parse(t, own[0]), elsewhere} {
			s.Overrides = none
			if got := assess(t, s); describe(&got) != describe(&want) || got.Evidence != want.Evidence {
				t.Errorf("%s, but with overrides %s", describe(&want), describe(&got))
			}
		}
	})
}

// TestOverridesAddUp repeats the properties of amounts with more taxes than any jurisdiction has in the built-in table.
func TestOverridesAddUp(t *testing.T) {
	rows := []string{"id jurisdiction tax rate"}
	for i, code := range strings.Fields("vat gst hst jct pst qst rst sales local") {
		rows = append(rows, fmt.Sprintf("us-%s US-TX %s %d.125", code, code, 7*i), fmt.Sprintf("de-%s DE %[1]s 65.535", code))
	}
	rates := parse(t, rows...)
	randomSales(t, func(t *testing.T, s *tax.Sale) {
		s.Overrides = rates
		s.Buyer = buyer([]string{"US-TX", "DE", "US-TX business"}[s.On%3])
		a := assess(t, s)
		sum := int64(0)
		for _, c := range a.Components {
			if sum += c.Amount; c.Amount < 0 || c.Amount%s.Step != 0 {
				t.Errorf("component %+v", c)
			}
		}
		if sum != a.Tax || a.Subtotal+a.Tax != a.Total || a.Tax < 0 || a.Total < s.Price.Minor {
			t.Errorf("%s, of which the components are %d", describe(&a), sum)
		}
	})
}

// BenchmarkAssessOverrides uses a table of ten thousand ZIP codes.
func BenchmarkAssessOverrides(b *testing.B) {
	rows := []string{"id jurisdiction tax postcode rate"}
	states := strings.Fields("AZ CO IL NY TX TX TX UT WA WA")
	for zip := range 10_000 {
		rows = append(rows, fmt.Sprintf("zip-%05d US-%s sales %05d %d.%d", zip*10, states[zip%10], zip*10, 4+zip%6, zip%10))
	}
	rates := parse(b, rows...)
	for _, where := range []string{"US-TX 78740", "US-TX 78741", "US-TX 78740-1234", "US-TX", "DE"} {
		b.Run(where, func(b *testing.B) {
			s := (&assessCase{buyer: where}).sale()
			s.Overrides = rates
			b.ReportAllocs()
			for b.Loop() {
				if _, p := tax.Assess(s); p != nil {
					b.Fatal(p)
				}
			}
		})
	}
}
