package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/goccy/go-json"
)

// TestQuoteCommand: text, JSON and explanations of well-known sales, as an accountant would read them. The data's version is
// left out: it changes with every source.
func TestQuoteCommand(t *testing.T) {
	rates := filepath.Join(t.TempDir(), "rates.tsv")
	if err := os.WriteFile(rates, []byte("id\tjurisdiction\ttax\tpostcode\trate\nnyc\tUS-NY\tsales\t100\t8.875\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, line := range []string{
		"--country DE --category saas --amount 29.00 --currency EUR --on 2026-11-23 --explain",
		"--country DE --business --tax-id DE136695976 --category saas --amount 29.00 --currency EUR --on 2026-11-23 --explain",
		"--country CA --state QC --category saas --amount 29.00 --currency CAD --on 2026-11-23 --seller-country IE",
		"--country US --state TX --category saas --amount 100 --currency USD --on 2026-11-23 --json",
		"--country US --state NY --postcode 10012 --category saas --amount 100 --currency USD --on 2026-11-23 --rates " + rates,
		"--country EE --category saas --amount 122.00 --currency EUR --behavior inclusive --on 2025-06-30",
		"--country EE --category saas --amount 124.00 --currency EUR --behavior inclusive --on 2025-07-01",
		"--country FR --category saas --amount 10 --currency EUR --on 2026-11-23 --registered US-TX",
		"--country KW --category saas --amount 10.001 --currency KWD --on 2026-11-23 --json",
		"--country BR --category saas --amount 10 --currency BRL --on 2026-11-23",
		"--country ZZ --category x --amount 2.999 --currency EUR --on yesterday",
		"--country DE --category saas --amount 1 --currency EUR --on 2020-01-01",
		"--country DE --business --category saas --amount 1 --currency EUR --on 2026-11-23 --json",
	} {
		out, _, err := command(t, append([]string{"quote"}, strings.Fields(line)...)...)
		text.WriteString("$ crepe quote " + strings.ReplaceAll(line, rates, "rates.tsv") + "\n" + out)
		if err != nil {
			text.WriteString(err.Error() + "\n")
		}
		text.WriteString("\n")
	}
	shoptest.Golden(t, "quote.txt", strings.ReplaceAll(text.String(), table.DataVersion, "VERSION"))
}

// TestQuoteBatch: a JSON object a row, in the order of the rows; a row that cannot be quoted says why and stops nobody.
func TestQuoteBatch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sales.tsv")
	rows := "country\tstate\tpostcode\tisBusiness\ttaxId\tcategory\tcurrency\tamountMinor\tbehavior\ton\n" +
		"DE\t\t\tfalse\t\tsaas\tEUR\t2900\texclusive\t2026-11-23\n" +
		"DE\t\t\ttrue\tDE136695975\tsaas\tEUR\t2900\texclusive\t2026-11-23\n" +
		"US\t\t\tperhaps\t\tsaas\tUSD\t100\t\t\n" +
		"JP\t\t\t\t\tebook\tJPY\t1000\tinclusive\t2026-11-23\n"
	if err := os.WriteFile(file, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, err := command(t, "quote", "--batch", file)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		tax     int64
		problem string
	}{{551, ""}, {0, "tax-id-invalid"}, {0, "quote-isbusiness-invalid"}, {91, ""}}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d answers to %d rows", len(lines), len(want))
	}
	for i, line := range lines {
		var got struct {
			TaxMinor *int64
			Problems []struct{ Code string }
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if want := want[i]; want.problem == "" && (got.TaxMinor == nil || *got.TaxMinor != want.tax || len(got.Problems) != 0) ||
			want.problem != "" && (got.TaxMinor != nil || got.Problems[0].Code != want.problem) {
			t.Errorf("row %d: %s", i+1, line)
		}
	}
}
