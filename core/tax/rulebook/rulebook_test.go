package rulebook_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/rulebook"
)

func TestFind(t *testing.T) {
	want := rulebook.Rule{
		ID: "us-tx-sales-3", Jurisdiction: "US-TX", Tax: "sales", Categories: "saas", Buyer: "any", Treatment: "standard",
		Rate: "6.25", Base: "80", From: "-", To: "-",
		Source: "https://comptroller.texas.gov/taxes/publications/94-127.php", SourceDate: "2026-08-22", Confidence: "A",
		Note: "Data processing, of which 20 % is exempt: Tax Code § 151.351, letter 200805095L",
	}
	if got, ok := rulebook.Find("us-tx-sales-3"); !ok || got != want {
		t.Errorf("%+v, %t", got, ok)
	}
	if got, ok := rulebook.Find("ee-vat-2"); !ok || got.From != "2025-07-01" || got.To != "-" {
		t.Errorf("%+v, %t", got, ok)
	}
	for _, id := range []string{"", "us-tx-sales-99", "override:us-tx-sales-3", "US-TX-SALES-3", "MC"} {
		if r, ok := rulebook.Find(id); ok {
			t.Errorf("%q is found: %+v", id, r)
		}
	}
}

// TestEveryDecisionIsExplained asks about every place, category, kind of buyer and day on which a rule begins, and looks up
// what decided.
func TestEveryDecisionIsExplained(t *testing.T) {
	days := []string{"2024-01-01"}
	for r := range rulebook.All() {
		if r.From > days[0] { // "-" is not
			days = append(days, r.From)
		}
	}
	slices.Sort(days)
	explained := map[string]bool{}
	for _, day := range slices.Compact(days) {
		on, _ := civil.ParseDate(day)
		for _, buyer := range buyers() {
			for c := tax.DigitalGoods; c <= tax.ProfessionalService; c++ {
				a, p := tax.Assess(&tax.Sale{
					Seller: &tax.Seller{Country: "HK", Everywhere: true}, Buyer: buyer, Category: c,
					Price: money.Amount{Minor: 1000, Currency: "EUR"}, Step: 1, On: on,
				})
				if p != nil {
					t.Fatal(p)
				}
				checkExplained(t, &a, day, c.String())
				for _, id := range a.Rules {
					explained[id] = true
				}
			}
		}
	}
	for r := range rulebook.All() {
		if !explained[r.ID] && !strings.HasPrefix(r.Jurisdiction, "EU") {
			t.Errorf("nobody asks %s", r.ID)
		}
	}
}

func buyers() (all []*billing.Detail) {
	for code := range country.All() {
		states := slices.Collect(code.Subdivisions())
		if len(states) == 0 {
			states = append(states, "")
		}
		for _, state := range states {
			d := billing.Detail{Country: code, State: string(state)}
			business, registered := d, d
			business.IsBusiness = true
			registered.IsBusiness, registered.TaxID, registered.TaxIDChecked = true, string(code)+"1", true
			all = append(all, &d, &business, &registered)
		}
	}
	for _, place := range []string{"ES 35001", "ES 51001", "PT 9000", "PT 9500", "AT 6691", "DE 27498"} {
		code, postcode, _ := strings.Cut(place, " ")
		all = append(all, &billing.Detail{Country: country.Code(code), Postcode: postcode})
	}
	return all
}

// checkExplained: the rules hold on that day for that category, are trusted no less than the assessment says, and have its
// rates.
func checkExplained(t *testing.T, a *tax.Assessment, day, category string) {
	t.Helper()
	weakest := ""
	for _, id := range a.Rules {
		r, ok := rulebook.Find(id)
		if !ok {
			t.Fatalf("%s is not in the book", id)
		}
		if r.From != "-" && day < r.From || r.To != "-" && day >= r.To {
			t.Fatalf("%s has decided on %s: %+v", id, day, r)
		}
		if named := strings.Contains(r.Categories, category); r.Categories != "*" && named == strings.HasPrefix(r.Categories, "*") {
			t.Fatalf("%s has decided about %s: %+v", id, category, r)
		}
		weakest = max(weakest, r.Confidence)
		for _, c := range a.Components {
			if c.Jurisdiction == r.Jurisdiction && c.Tax == r.Tax && c.Rate.Percent() != r.Rate {
				t.Fatalf("%s is %s %%, and %s %% was charged", id, r.Rate, c.Rate.Percent())
			}
		}
	}
	if a.Confidence != 0 && weakest != string(rune(a.Confidence)) {
		t.Fatalf("%v are trusted %s, the assessment %c", a.Rules, weakest, a.Confidence)
	}
}

// TestRetiredRules are found, and decide nothing.
func TestRetiredRules(t *testing.T) {
	r, ok := rulebook.Find("ph-vat-2")
	if !ok || r.Rate != "12" || !strings.Contains(r.Note, "retired") {
		t.Errorf("%+v, %t", r, ok)
	}
	ids := map[string]bool{}
	for r := range rulebook.All() {
		if ids[r.ID] || r.ID == "ph-vat-2" {
			t.Errorf("%s is there twice, or retired", r.ID)
		}
		ids[r.ID] = true
	}
	if len(ids) < 300 {
		t.Errorf("%d rules", len(ids))
	}
	for r := range rulebook.All() {
		if r.ID != "eu-supply-1" {
			t.Errorf("the first rule is %s", r.ID)
		}
		break
	}
}
