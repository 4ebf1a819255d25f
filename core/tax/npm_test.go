package tax_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/tax"
)

// npmErrors are the jurisdictions whose rate is wrong in sales-tax 2.23.0, or for which it has a rate although no tax is
// collected, with that rate.
var npmErrors = map[string]string{
	"US-AR": "6", "US-AZ": "6.6", "US-CT": "6", "US-DC": "6", "US-LA": "4", "US-ME": "5", "US-NC": "5.75", "US-NJ": "7",
	"US-NM": "5", "US-OH": "5.5", "US-SD": "4", "US-UT": "5.95",
	"BH":    "5",   // until 2021
	"BR":    "17",  // a tax of the states, which a foreign seller does not collect
	"DO":    "18",  // a foreign seller does not collect it
	"GH":    "15",  // without the levies of 5 %
	"EC":    "12",  // until 2024-03-31
	"US-HI": "4",   // without the surcharge that all counties have
	"JE":    "5",   // a rate that a foreign seller does not collect
	"KW":    "5",   // there is no such tax
	"KZ":    "12",  // until 2025-12-31
	"LI":    "7.7", // until 2023
	"MY":    "10",  // the sales tax on goods, not the service tax
	"QA":    "5",   // there is no such tax
	"TH":    "10",  // the law's rate, which a decree lowers to 7 % year after year
}

// TestRatesAgreeWithNPM compares today's rate of every jurisdiction that the table and the package both know.
func TestRatesAgreeWithNPM(t *testing.T) {
	compared := 0
	for jurisdiction, theirs := range npmRates(t) {
		ours, ok := standardRate(t, jurisdiction, date(today))
		if !ok {
			continue
		}
		compared++
		got := fmt.Sprint(theirs.Rate)
		switch wrong, known := npmErrors[jurisdiction]; {
		case !known && got != ours:
			t.Errorf("%s: %s %% here, %s %% in sales-tax", jurisdiction, ours, got)
		case known && got == ours:
			t.Errorf("%s: sales-tax agrees, %s %%: strike it from the list of its errors", jurisdiction, ours)
		case known && got != wrong:
			t.Errorf("%s: sales-tax says %s %%, the list of its errors %s %%", jurisdiction, got, wrong)
		}
	}
	if want := 27 + 62 + 9; compared < want {
		t.Errorf("%d jurisdictions were compared, not %d", compared, want)
	}
}

// TestChangesAgreeWithNPM compares the rates that were replaced since the first day of the table.
func TestChangesAgreeWithNPM(t *testing.T) {
	compared := map[string]bool{}
	for jurisdiction, theirs := range npmRates(t) {
		for _, change := range theirs.Changes {
			before := civil.DateOf(change.Instant.UnixMilli()) - 1
			if before < date("2024-01-01") || npmErrors[jurisdiction] != "" {
				continue
			}
			compared[jurisdiction] = true
			if ours, _ := standardRate(t, jurisdiction, before); ours != fmt.Sprint(change.Rate) {
				t.Errorf("%s on %s: %s %% here, %v %% in sales-tax", jurisdiction, before, ours, change.Rate)
			}
		}
	}
	for _, jurisdiction := range []string{"EE", "FI", "RO", "SK", "CA-NS", "IL"} {
		if !compared[jurisdiction] {
			t.Errorf("sales-tax knows no change of %s", jurisdiction)
		}
	}
}

// standardRate returns the table's rate for a consumer who buys from abroad. The package has no categories, so it is the
// rate of the first taxed category; there is none if no category is taxed.
func standardRate(t *testing.T, jurisdiction string, on civil.Date) (percent string, ok bool) {
	t.Helper()
	for _, category := range []tax.Category{tax.Software, tax.DigitalGoods, tax.SaaS} {
		s := (&assessCase{buyer: jurisdiction, category: category}).sale()
		s.On = on
		switch a := assess(t, s); a.Reason {
		case tax.Standard:
			// Of two taxes the second is the province's own.
			last := a.Components[len(a.Components)-1]
			return last.Rate.Percent(), true
		case tax.OutOfScope:
			return "0", true
		}
	}
	return "", false
}

// npmRate is the package's entry for a jurisdiction: the rate, and for each instant of a change the rate before.
type npmRate struct {
	Rate    float64
	Changes []struct {
		Instant time.Time
		Rate    float64
	}
}

func npmRates(t *testing.T) (rates map[string]npmRate) {
	t.Helper()
	if _, err := os.Stat("testdata/npm/node_modules"); errors.Is(err, fs.ErrNotExist) {
		run(t, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	}
	if err := json.Unmarshal(run(t, "node", "rates.cjs"), &rates); err != nil {
		t.Fatal(err)
	}
	return rates
}

func run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	var complaint strings.Builder
	c := exec.Command(name, args...)
	c.Dir, c.Stderr = "testdata/npm", &complaint
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v (this test needs node and npm: apt-get install nodejs npm)\n%s", name, err, complaint.String())
	}
	return out
}
