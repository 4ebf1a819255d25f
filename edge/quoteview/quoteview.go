// Package quoteview renders a quote for people and programs: the amounts, the reason for them, and the rules that applied, with their
// text, validity and source.
//
// [Quote] is the JSON that the API answers and the command line prints; [Quote.Text] writes it for a person.
package quoteview

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/rulebook"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// Quote is a quote, or the problems that keep it from being one; then it has no amounts. A quote without tax because no
// rule is known has a problem beside its amounts, so that nobody takes it for a rate of zero. To the module's members it adds the amounts
// in minor units, the problems and the rules.
type Quote struct {
	ops.Quote
	ListMinor     int64       `json:"listPriceMinor,omitempty"` // as the next, 0 without a discount
	DiscountMinor int64       `json:"discountMinor,omitempty"`
	SubtotalMinor *int64      `json:"subtotalMinor,omitempty"`
	TaxMinor      *int64      `json:"taxMinor,omitempty"`
	TotalMinor    *int64      `json:"totalMinor,omitempty"`
	Components    []Component `json:"components"` // those of ops.Quote, with minor units
	Explanation   []Rule      `json:"explanation,omitempty"`
	Cautions      []Problem   `json:"cautions,omitempty"` // see [CautionsOf]; not part of the API
	Problems      []Problem   `json:"problems"`
}

// Component is one tax of one jurisdiction.
type Component struct {
	ops.Component
	TaxableMinor int64 `json:"taxableMinor"`
	AmountMinor  int64 `json:"amountMinor"`
}

// Rule is one row of the table, as the accountant would check it.
type Rule struct {
	ID           string `json:"id"`
	Jurisdiction string `json:"jurisdiction"`
	Tax          string `json:"tax"`
	Categories   string `json:"categories"`
	Buyer        string `json:"buyer"`
	Treatment    string `json:"treatment"`
	RatePercent  string `json:"ratePercent"`
	From         string `json:"from"` // first day, "-" open
	To           string `json:"to"`   // first day on which it holds no more, "-" open
	Source       string `json:"source"`
	SourceDate   string `json:"sourceDate"`
	Confidence   string `json:"confidence"`
	Text         string `json:"text"`
}

// Problem is one reason why there is no quote.
type Problem struct {
	Code    string `json:"code"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// New shows a quote; with explain, the rules too.
func New(q *checkout.Quote, explain bool) *Quote {
	a := &q.Assessment
	v := &Quote{
		Quote: ops.QuoteOf(q), ListMinor: q.ListPrice, DiscountMinor: q.Discount.Minor, SubtotalMinor: &a.Subtotal, TaxMinor: &a.Tax, TotalMinor: &a.Total,
		Components: []Component{}, Problems: []Problem{},
	}
	if a.Reason == tax.Unsupported {
		v.Problems = append(v.Problems, Problem{"tax-unsupported", "", "No tax rules are known for this sale: no tax is computed"})
	}
	for i, c := range v.Quote.Components {
		v.Components = append(v.Components, Component{c, a.Components[i].Taxable, a.Components[i].Amount})
	}
	if explain {
		for _, id := range a.Rules {
			v.Explanation = append(v.Explanation, ruleOf(id))
		}
	}
	return v
}

// Refused shows why there is no quote.
func Refused(problems problem.List) *Quote {
	v := &Quote{Quote: ops.Quote{Rules: []string{}}, Components: []Component{}, Problems: []Problem{}}
	for _, p := range problems {
		v.Problems = append(v.Problems, Problem{p.Code, p.Path, p.Message})
	}
	return v
}

// ruleOf looks a rule up. One that is not in the book is the operator's own; its file explains it.
func ruleOf(id string) Rule {
	r, ok := rulebook.Find(id)
	if !ok {
		return Rule{ID: id, Text: "the operator's own rate"}
	}
	return Rule{r.ID, r.Jurisdiction, r.Tax, r.Categories, r.Buyer, r.Treatment, r.Rate, r.From, r.To, r.Source, r.SourceDate, r.Confidence, r.Note}
}

// Text writes the quote for a person.
func (v *Quote) Text(w io.Writer) error {
	kind := "no quote"
	if v.TotalMinor != nil {
		kind = "caution"
	}
	for _, p := range v.Problems {
		fmt.Fprintf(w, kind+": %s (%s)\n", p.Message, strings.TrimSpace(p.Code+" "+p.Path))
	}
	if v.TotalMinor == nil {
		return nil
	}
	for _, c := range v.Cautions {
		fmt.Fprintf(w, "caution: %s (%s)\n", c.Message, strings.TrimSpace(c.Code+" "+c.Path))
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if d := v.Discount; d != nil {
		fmt.Fprintf(table, "List price\t%s %s\n%s\t-%s %s\n", v.ListPrice, v.Currency, d.Label, d.Amount, v.Currency)
	}
	fmt.Fprintf(table, "Subtotal\t%s %s\n", v.Subtotal, v.Currency)
	for _, c := range v.Components {
		fmt.Fprintf(table, "%s %s %% (%s)%s\t%s %s\n", c.Name, c.RatePercent, c.Jurisdiction, base(c.BasePercent), c.Amount, v.Currency)
	}
	fmt.Fprintf(table, "Total\t%s %s\n\n", v.Total, v.Currency)
	fmt.Fprintf(table, "Reason\t%s\nPrecision\t%s\nConfidence\t%s\nEvidence\t%s\nRules\t%s\nData\t%s, rules of %s\n", v.Reason, v.Precision,
		orNone(v.Confidence), v.Evidence, orNone(strings.Join(v.Rules, ", ")), v.DataVersion, v.On)
	for _, r := range v.Explanation {
		fmt.Fprintf(table, "\n%s\t%s\n", r.ID, r.Text)
		if r.Source == "" {
			continue
		}
		fmt.Fprintf(table, "\t%s %s: %s %s %%, categories %s, buyer %s\n\tfrom %s to %s, confidence %s\n\t%s (%s)\n", r.Jurisdiction, r.Tax,
			r.Treatment, r.RatePercent, r.Categories, r.Buyer, r.From, r.To, r.Confidence, r.Source, r.SourceDate)
	}
	return table.Flush()
}

func base(percent ops.Percent) string {
	if percent == "100" {
		return ""
	}
	return fmt.Sprintf(" on %s %% of the price", percent)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
