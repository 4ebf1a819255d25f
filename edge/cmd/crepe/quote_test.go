package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

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
		"--country BO --category saas --amount 10 --currency BOB --on 2026-11-23",
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

// TestQuoteBatch: a JSON object for each row, in their order, with its line and id. A row that cannot be quoted says why.
func TestQuoteBatch(t *testing.T) {
	file := batchFile(t, "id\tcountry\tstate\tpostcode\tisBusiness\ttaxId\tcategory\tcurrency\tamountMinor\tbehavior\ton\n"+
		"a\tDE\t\t\tfalse\t\tsaas\tEUR\t2900\texclusive\t2026-11-23\n"+
		"b\tDE\t\t\tTRUE\tDE136695975\tsaas\tEUR\t2900\texclusive\t2026-11-23\n"+
		"c\tUS\t\t\tperhaps\t\tsaas\tUSD\t100\t\t\n"+
		"d\tjp\t\t\t\t\tEbook\tjpy\t 1000 \tInclusive\t2026-11-23\n")
	out, _, err := command(t, "quote", "--batch", file)
	if err == nil || !strings.Contains(err.Error(), "2 of 4 rows failed") {
		t.Error(err)
	}
	want := []struct {
		id      string
		tax     int64
		problem string
	}{{"a", 551, ""}, {"b", 0, "tax-id-invalid"}, {"c", 0, "quote-isbusiness-invalid"}, {"d", 91, ""}}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d answers to %d rows", len(lines), len(want))
	}
	for i, line := range lines {
		var got struct {
			Line     int
			ID       string
			TaxMinor *int64
			Problems []struct{ Code string }
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if want := want[i]; got.Line != i+2 || got.ID != want.id ||
			want.problem == "" && (got.TaxMinor == nil || *got.TaxMinor != want.tax || len(got.Problems) != 0) ||
			want.problem != "" && (got.TaxMinor != nil || got.Problems[0].Code != want.problem) {
			t.Errorf("row %d: %s", i+1, line)
		}
	}
}

// TestQuoteSeller: a country or jurisdiction that does not exist is refused. Each of them meant a tax of 0 % before.
func TestQuoteSeller(t *testing.T) {
	sale := []string{"quote", "--country", "FR", "--category", "saas", "--amount", "10", "--currency", "EUR", "--on", "2026-11-23", "--json"}
	for _, c := range []struct {
		flag, value string
		want        string // in the error; "" for French tax
	}{
		{"--registered", "fr", ""}, {"--registered", "DE, FR", ""}, {"--registered", "eu=2026-01-01", ""}, {"--seller-country", " fr", ""},
		{"--registered", "GERMANY", `"GERMANY" is no jurisdiction`}, {"--registered", "UK", `"UK" is no jurisdiction`},
		{"--registered", "US", `"US" is no jurisdiction`}, {"--registered", "US-US-TX", "is no jurisdiction"}, {"--registered", "FR-75", "is no jurisdiction"},
		{"--registered", "FR,DE,fr", "FR is there twice"}, {"--registered", ",", "the list is empty"}, {"--registered", "", "the list is empty"},
		{"--registered", "FR=1.1.2026", `"1.1.2026" is no day`}, {"--registered", "FR=", `"" is no day`},
		{"--seller-country", "GERMANY", "ISO 3166-1"}, {"--seller-country", "", "ISO 3166-1"}, {"--seller-country", "EL", "ISO 3166-1"},
	} {
		out, _, err := command(t, append(sale, c.flag, c.value)...)
		if c.want == "" && (err != nil || !strings.Contains(out, `"taxMinor":200`)) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %q: %v: %s", c.flag, c.value, err, out)
		}
	}
	if out, _, err := command(t, append(sale, "--registered", "FR=2026-11-24")...); err != nil || !strings.Contains(out, "not-collecting") {
		t.Errorf("the day before the registration: %v: %s", err, out)
	}
}

// TestQuoteCautions: a sale after the data's day, and a postcode of another state, in text and in JSON.
func TestQuoteCautions(t *testing.T) {
	for _, c := range []struct{ sale, want string }{
		{"--country DE --on 2099-01-01", "data-older-than-sale"}, {"--country DE --on 2026-11-23", ""},
		{"--country US --state TX --postcode 10012 --on 2026-11-23", "10012 is a postcode of NY, not of TX"},
		{"--country US --state NY --postcode 10012-1234 --on 2026-11-23", ""}, {"--country US --state CA --postcode 96201 --on 2026-11-23", "AP, not of CA"},
		{"--country CA --state ON --postcode H2X1Y4 --on 2026-11-23", "QC, not of ON"}, {"--country CA --state NU --postcode X0A0A1 --on 2026-11-23", ""},
	} {
		args := append([]string{"quote", "--amount", "1", "--currency", "USD"}, strings.Fields(c.sale)...)
		text, _, err := command(t, args...)
		answer, _, wrong := command(t, append(args, "--json")...)
		if err != nil || wrong != nil || c.want != "" && (!strings.Contains(text, "caution: ") || !strings.Contains(text, c.want) || !strings.Contains(answer, c.want)) ||
			c.want == "" && (strings.Contains(text, "caution") || strings.Contains(answer, "caution")) {
			t.Errorf("%s: %v %v\n%s%s", c.sale, err, wrong, text, answer)
		}
	}
}

// TestQuoteRates: a file of rates as spreadsheets write it is read, or the error says what it is.
func TestQuoteRates(t *testing.T) {
	const rows = "id\tjurisdiction\ttax\trate\nown\tFR\tvat\t21\n"
	sale := []string{"quote", "--country", "FR", "--amount", "10", "--currency", "EUR", "--on", "2026-11-23", "--json", "--rates"}
	units := utf16.Encode([]rune("\ufeff" + rows))
	wide := make([]byte, 0, 2*len(units))
	for _, u := range units {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for text, want := range map[string]string{rows: `"taxMinor":210`, "\ufeff" + rows: `"taxMinor":210`, string(wide): `"taxMinor":210`,
		strings.ReplaceAll(rows, "\t", ","): "is a CSV file; save it with tabs"} {
		out, _, err := command(t, append(sale, batchFile(t, text))...)
		if err != nil {
			out = err.Error()
		}
		if !strings.Contains(out, want) {
			t.Errorf("%.20q: %s", text, out)
		}
	}
}
