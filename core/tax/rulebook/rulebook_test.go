package rulebook

import (
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

func TestFind(t *testing.T) {
	want := Rule{
		ID: "us-tx-sales-3", Jurisdiction: "US-TX", Tax: "sales", Categories: "saas", Buyer: "any", Treatment: "standard",
		Rate: "6.25", Base: "80", From: "-", To: "-",
		Source: "https://comptroller.texas.gov/taxes/publications/94-127.php", SourceDate: "2026-08-22", Confidence: "A",
		Note: "Data processing, of which 20 % is exempt: Tax Code § 151.351, letter 200805095L",
	}
	if got, ok := Find("us-tx-sales-3"); !ok || got != want {
		t.Errorf("%+v, %t", got, ok)
	}
	if got, ok := Find("ee-vat-2"); !ok || got.From != "2025-07-01" || got.To != "-" {
		t.Errorf("%+v, %t", got, ok)
	}
	for _, id := range []string{"", "us-tx-sales-99", "override:us-tx-sales-3", "US-TX-SALES-3", "MC"} {
		if r, ok := Find(id); ok {
			t.Errorf("Find(%q) = %+v", id, r)
		}
	}
}

// TestFindExplainsEveryAssessment assesses sales for every jurisdiction, category, kind of buyer and day on which a rule
// begins, and looks up their rules.
func TestFindExplainsEveryAssessment(t *testing.T) {
	days := []string{"2024-01-01"}
	for _, r := range all() {
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
	for _, r := range all() {
		if !explained[r.ID] && !strings.HasPrefix(r.Jurisdiction, "EU") {
			t.Errorf("no sale has the rule %s", r.ID)
		}
	}
}

// all returns the rules that decide, ordered by file and line.
func all() (rules []Rule) {
	for _, f := range files {
		rules = append(rules, read().byFile[f]...)
	}
	return rules
}

func buyers() (all []*billing.Detail) {
	for code := range country.All() {
		states := slices.Collect(code.Subdivisions())
		if len(states) == 0 {
			states = append(states, "")
		}
		for _, state := range states {
			all = append(all, withBusinesses(billing.Detail{Country: code, State: string(state)})...)
		}
	}
	for _, address := range []string{"ES 35001", "ES 51001", "PT 9000", "PT 9500", "AT 6691", "DE 27498", "IT 22061"} {
		code, postcode, _ := strings.Cut(address, " ")
		all = append(all, withBusinesses(billing.Detail{Country: country.Code(code), Postcode: postcode})...)
	}
	return all
}

// withBusinesses returns a consumer, and two businesses at the same address, of which one has a checked tax number.
func withBusinesses(d billing.Detail) []*billing.Detail {
	business, registered := d, d
	business.IsBusiness = true
	registered.IsBusiness, registered.TaxID, registered.TaxIDChecked = true, string(d.Country)+"1", true
	return []*billing.Detail{&d, &business, &registered}
}

// checkExplained compares the rules' days, categories, confidence and rates with the assessment.
func checkExplained(t *testing.T, a *tax.Assessment, day, category string) {
	t.Helper()
	weakest := ""
	for _, id := range a.Rules {
		r, ok := Find(id)
		if !ok {
			t.Fatalf("%s is not found", id)
		}
		if r.From != "-" && day < r.From || r.To != "-" && day >= r.To {
			t.Fatalf("%s decided on %s: %+v", id, day, r)
		}
		if named := strings.Contains(r.Categories, category); r.Categories != "*" && named == strings.HasPrefix(r.Categories, "*") {
			t.Fatalf("%s decided for %s: %+v", id, category, r)
		}
		weakest = max(weakest, r.Confidence)
		for _, c := range a.Components {
			if c.Jurisdiction == r.Jurisdiction && c.Tax == r.Tax && c.Rate.Percent() != r.Rate {
				t.Fatalf("%s is %s %%, and %s %% was charged", id, r.Rate, c.Rate.Percent())
			}
		}
	}
	if a.Confidence != 0 && weakest != string(rune(a.Confidence)) {
		t.Fatalf("the confidence of %v is %s, of the assessment %c", a.Rules, weakest, a.Confidence)
	}
}

// TestRetiredRules looks for retired rules: Find returns them, and all does not.
func TestRetiredRules(t *testing.T) {
	r, ok := Find("ph-vat-2")
	if !ok || r.Rate != "12" || !strings.Contains(r.Note, "retired") {
		t.Errorf("%+v, %t", r, ok)
	}
	ids := map[string]bool{}
	for _, r := range all() {
		if ids[r.ID] || r.ID == "ph-vat-2" {
			t.Errorf("%s is a duplicate or retired", r.ID)
		}
		ids[r.ID] = true
	}
	if len(ids) < 300 {
		t.Errorf("%d rules", len(ids))
	}
	if first := all()[0].ID; first != "eu-supply-1" {
		t.Errorf("the first rule is %s", first)
	}
}
