package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/tax/table"
)

func TestVersion(t *testing.T) {
	header, _, _ := strings.Cut(ownRows, "\n")
	noRows := parse(t, header)
	for _, none := range []*table.Table{nil, {}, &noRows} {
		if none.Version() != "" || none.DataVersion() != table.DataVersion {
			t.Errorf("without rows the version is %q, %q", none.Version(), none.DataVersion())
		}
	}
	whole := parse(t, ownRows)
	if v := whole.Version(); len(v) != 8 || whole.DataVersion() != table.DataVersion+"+"+v {
		t.Errorf("with rows the version is %q, %q", v, whole.DataVersion())
	}
	lines := strings.SplitAfter(strings.TrimSuffix(ownRows, "\n"), "\n")
	reordered := lines[0] + strings.Join(lines[4:], "") + "\n" + strings.Join(lines[1:4], "")
	if parse(t, reordered) != whole {
		t.Error("the version depends on the order of the rows")
	}
	if other := parse(t, strings.Join(lines[:4], "")); other.Version() == whole.Version() {
		t.Error("two tables have the same version")
	}
	if renamed := parse(t, strings.Replace(ownRows, "nyc\t", "new-york\t", 1)); renamed.Version() == whole.Version() {
		t.Error("tables with different ids have the same version")
	}
}

func TestLevies(t *testing.T) {
	for jurisdiction, want := range map[string]bool{
		"DE": true, "FR": true, "US-TX": true, "CA": true, "CA-QC": true, "IC": true, "XC": true, "NC": true,
		"": false, "US": false, "EU": false, "XE": false, "FR-GP": false, "CA-ON": false, "US-OR": false, "GL": false,
	} {
		if got := table.Levies(jurisdiction); got != want {
			t.Errorf("Levies(%q) = %t", jurisdiction, got)
		}
	}
}

func ExampleParse() {
	own, mistakes := table.Parse("id\tjurisdiction\ttax\tpostcode\trate\tbase\n" +
		"austin\tUS-TX\tsales\t787\t8.25\t80\n")
	fmt.Println(mistakes)
	var found table.Matches
	own.Find(&found, table.TerritoryOf("US", "TX", "78701"), &table.Query{
		Category: table.SaaS, Buyer: table.Consumer, On: table.FirstDay, Postcode: "78701",
	})
	for _, row := range found {
		if row != "" {
			fmt.Printf("%s %s %s %% %s\n", row.Jurisdiction(), row.Tax(), row.Rate().Percent(), own.AppendID(nil, row))
		}
	}

	_, mistakes = table.Parse("id\tjurisdiction\ttax\trate\naustin\tTexas\tsales\t8,25\n")
	for _, m := range mistakes {
		fmt.Println(m)
	}
	// Output:
	// []
	// US-TX sales 8.25 % override:austin
	// line 2, jurisdiction: "Texas" is neither like DE nor like US-TX
	// line 2, rate: "8,25" is not a percentage with at most three decimals, or is above 65.535
}

func BenchmarkParse(b *testing.B) {
	var tsv strings.Builder
	tsv.WriteString("id\tjurisdiction\ttax\tpostcode\trate\n")
	for zip := range 10_000 {
		fmt.Fprintf(&tsv, "zip-%05d\tUS-TX\tsales\t%05d\t%d.%d\n", zip*10, zip*10, 4+zip%6, zip%10)
	}
	for b.Loop() {
		if _, mistakes := table.Parse(tsv.String()); mistakes != nil {
			b.Fatal(mistakes)
		}
	}
}
