package rulebook

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

var update = flag.Bool("update", false, "write the generated sections of README.md")

// TestREADME compares two sections of README.md with their sources: the columns of an operator's file with the comment of
// table.Parse, the coverage with the data.
func TestREADME(t *testing.T) {
	checkSection(t, "columns", columns(t))
	checkSection(t, "coverage", coverage())
}

func checkSection(t *testing.T, name, want string) {
	t.Helper()
	const file = "../README.md"
	begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	section, after, ended := strings.Cut(rest, end)
	switch {
	case !found || !ended:
		t.Fatalf("%s has no %s and %s", file, begin, end)
	case section == want:
	case *update:
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: section %s is\n%s\nwant\n%s\nRun go test ./core/tax/rulebook -update", file, name, section, want)
	}
}

// columns returns the list of columns and the paragraph after it from the comment of table.Parse.
func columns(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../table/parse.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := strings.Split(file.Scope.Lookup("Parse").Decl.(*ast.FuncDecl).Doc.Text(), "\n\n")
	return "```\n" + strings.ReplaceAll(paragraphs[1], "\t", "") + "\n```\n\n" + paragraphs[2] + "\n"
}

// regions are the names of the files.
var regions = map[string]string{
	"eu.tsv":          "European Union",
	"territories.tsv": "Special territories",
	"world.tsv":       "Other countries",
	"ca.tsv":          "Canada",
	"us.tsv":          "United States",
}

const limits = `
- In the United States the built-in rates end at the state. Local rates come from your own file, by ZIP prefix.
- Crêpe computes tax. It does not file it, and this is not legal advice. It knows no registration thresholds: a seller
  collects where it is established or registered.
- Reverse charge needs a tax number whose check digits can be checked: the EU, the United Kingdom, Norway, Switzerland, Australia
  (ABN), India (GSTIN), South Korea (BRN), New Zealand (IRD), Singapore (UEN) and Thailand (TIN). A business elsewhere is charged like a
  consumer, even where the law would make it account for the tax itself. So is one in Canada: a seller under the simplified GST/HST
  regime need not charge a registered business, any other seller must.
- A sale in a category without a rule, or in a country that is not listed above, is ` + "`unsupported`" + `: no tax is
  charged, and the result says so.
`

// coverage returns a table of what the rules cover, in Markdown: for each region its jurisdictions with their taxes and
// highest standard rates on the day up to which the sources have been followed, the number of rules by confidence, for how
// many jurisdictions a category has a rule, and the known limits.
func coverage() string {
	var b strings.Builder
	day := asOf()
	fmt.Fprintf(&b, "Sources followed up to %s, for sales since 2024-01-01; data version `%s`. The rate beside a\n"+
		"jurisdiction is its highest standard rate on that day, in per cent; 0 means that no category has one. Confidence: A\n"+
		"official text, B several sources agree, C a single source, X sources conflict.\n\n", day, table.DataVersion)
	b.WriteString("| where | taxes | jurisdictions | rules | A | B | C | X |\n|---|---|---|--:|--:|--:|--:|--:|\n")
	for _, f := range files {
		rules := read().byFile[f]
		var rates []string
		for _, j := range jurisdictions(rules) {
			rates = append(rates, strings.TrimPrefix(strings.TrimPrefix(j, "CA-"), "US-")+" "+rate(rules, j, day))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |\n", regions[f], strings.Join(taxes(rules), ", "), strings.Join(rates, ", "),
			len(rules), strings.Join(confidences(rules), " | "))
	}
	b.WriteString("\nFor how many of these jurisdictions a category has a rule:\n\n")
	writeCategories(&b, day)
	fmt.Fprintf(&b, "\n%s\n%s", exceptions(), limits)
	return b.String()
}

// asOf returns the day in the data version.
func asOf() string { return table.DataVersion[:len("2026-11-23")] }

// jurisdictions returns the jurisdictions of the rules in alphabetic order, without areas, which have no tax of their own.
func jurisdictions(rules []Rule) (found []string) {
	for _, r := range rules {
		if r.Tax != "supply" {
			found = append(found, r.Jurisdiction)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// taxes returns the names of the rules' taxes, in the order of the rules.
func taxes(rules []Rule) (names []string) {
	for _, r := range rules {
		name := (&tax.Component{Tax: r.Tax}).Name()
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// rate returns the highest standard rate of each of a jurisdiction's taxes, "5 + 7"; "0" if there is none.
func rate(rules []Rule, jurisdiction, day string) string {
	var codes []string
	highest := map[string]money.Rate{}
	for _, r := range rules {
		if r.Jurisdiction != jurisdiction || r.Treatment != "standard" || !r.holds(day) {
			continue
		}
		if !slices.Contains(codes, r.Tax) {
			codes = append(codes, r.Tax)
		}
		percent, _ := money.ParseRate(r.Rate)
		highest[r.Tax] = max(highest[r.Tax], percent)
	}
	var rates []string
	for _, code := range codes {
		rates = append(rates, highest[code].Percent())
	}
	return cmp.Or(strings.Join(rates, " + "), "0")
}

// confidences counts the rules of A, B, C and X.
func confidences(rules []Rule) (counts []string) {
	for _, confidence := range []string{"A", "B", "C", "X"} {
		n := 0
		for _, r := range rules {
			if r.Confidence == confidence {
				n++
			}
		}
		counts = append(counts, fmt.Sprint(n))
	}
	return counts
}

func writeCategories(b *strings.Builder, day string) {
	b.WriteString("| where |")
	for c := tax.DigitalGoods; c <= tax.ProfessionalService; c++ {
		fmt.Fprintf(b, " %s |", c)
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", int(tax.ProfessionalService)) + "\n")
	for _, f := range files {
		rules := read().byFile[f]
		all := jurisdictions(rules)
		fmt.Fprintf(b, "| %s |", regions[f])
		for c := tax.DigitalGoods; c <= tax.ProfessionalService; c++ {
			answered := jurisdictions(slices.DeleteFunc(slices.Clone(rules), func(r Rule) bool {
				return r.Treatment == "unsupported" || !r.holds(day) || !r.covers(c)
			}))
			fmt.Fprintf(b, " %d of %d |", len(answered), len(all))
		}
		b.WriteString("\n")
	}
}

func (r *Rule) holds(day string) bool {
	return (r.From == "-" || r.From <= day) && (r.To == "-" || day < r.To)
}

func (r *Rule) covers(c tax.Category) bool {
	list, except := strings.CutPrefix(r.Categories, "*-")
	return list == "*" || slices.Contains(strings.Split(list, ","), c.String()) != except
}

// exceptions lists the addresses that belong to another territory than their country's.
func exceptions() string {
	var wholes, beginnings []string
	for _, cells := range rows("exceptions.tsv") {
		country, postcode, jurisdiction := cells[0], cells[1], cells[2]
		if postcode == "-" {
			wholes = append(wholes, country+" as "+jurisdiction)
		} else if !slices.Contains(beginnings, country) {
			beginnings = append(beginnings, country)
		}
	}
	return "Taxed as another jurisdiction: " + strings.Join(wholes, ", ") + ";\nby postcode, parts of " +
		strings.Join(beginnings, ", ") +
		"\n(IC Canary Islands, EA Ceuta and Melilla, AT-XJ Jungholz and Mittelberg, PT-20 Azores, PT-30 Madeira, XC Campione\n" +
		"d'Italia, FR-GP, FR-MQ and FR-RE Guadeloupe, Martinique and Réunion, XE all other parts of countries outside their\n" +
		"territory of VAT, without a tax of their own)."
}
