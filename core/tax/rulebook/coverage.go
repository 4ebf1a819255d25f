package rulebook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
)

// regions names the files for people.
var regions = map[string]string{
	"eu.tsv":          "European Union",
	"territories.tsv": "Territories outside its VAT",
	"world.tsv":       "Other countries",
	"ca.tsv":          "Canada",
	"us.tsv":          "United States",
}

const limits = `
- In the United States the table ends at the state. Local rates are an operator's own: a file of the same columns, with
  ` + "`postcode`" + ` for ZIP prefixes, stands above the built-in rows (` + "`tax.ParseTable`" + ` explains it).
- Sales are computed, not filed, and this is no legal advice. Thresholds below which a seller need not register are its own
  affair: it collects where it is registered.
- A tax number counts where its check digits can be checked: the EU, the United Kingdom, Norway and Switzerland. A business
  elsewhere is charged like a consumer where the law would have it account for the tax itself.
- A category that no rule answers for is ` + "`unsupported`" + ` and untaxed, and so is a country that is not named above; the
  result says so.
`

// Coverage is a table of what the rules cover, in Markdown: for each region its jurisdictions with their taxes and highest
// standard rates on the day up to which the sources have been followed, the number of rules by confidence, for how many
// jurisdictions a category has an answer, and below it the known limits.
func Coverage() string {
	var b strings.Builder
	day := asOf()
	fmt.Fprintf(&b, "Sources followed up to %s, for sales since 2024-01-01; data version `%s`. The rate beside a\n"+
		"jurisdiction is its highest standard rate of that day, in per cent; 0 says that nothing is taxed at one. Confidence:\n"+
		"A official text, B sources agree, C one source, X sources conflict.\n\n", day, tax.DataVersion)
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
	b.WriteString("\nFor how many of these jurisdictions a category has an answer:\n\n")
	writeCategories(&b, day)
	fmt.Fprintf(&b, "\n%s\n%s", places(), limits)
	return b.String()
}

// asOf is the day that the data version begins with.
func asOf() string { return tax.DataVersion[:len("2026-11-23")] }

// jurisdictions are those of the rules, in alphabetic order, but for areas: these have no tax of their own.
func jurisdictions(rules []Rule) (found []string) {
	for _, r := range rules {
		if r.Tax != "supply" {
			found = append(found, r.Jurisdiction)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// taxes are the names of the rules' taxes, in their order.
func taxes(rules []Rule) (names []string) {
	for _, r := range rules {
		name := (&tax.Component{Tax: r.Tax}).Name()
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// rate is the highest standard rate of each of a jurisdiction's taxes, "5 + 7"; 0 where it has none.
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

// confidences count the rules of A, B, C and X.
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

// places says which addresses are taxed elsewhere than in their country.
func places() string {
	var wholes, beginnings []string
	for _, cells := range rows("places.tsv") {
		country, postcode, jurisdiction := cells[0], cells[1], cells[2]
		if postcode == "-" {
			wholes = append(wholes, country+" as "+jurisdiction)
		} else if !slices.Contains(beginnings, country) {
			beginnings = append(beginnings, country)
		}
	}
	return "Taxed as another jurisdiction: " + strings.Join(wholes, ", ") + "; by postcode, parts of " +
		strings.Join(beginnings, ", ") +
		"\n(IC Canary Islands, EA Ceuta and Melilla, AT-XJ Jungholz and Mittelberg, PT-20 Azores, PT-30 Madeira, XE all other\n" +
		"parts of member states outside their territory of VAT)."
}
