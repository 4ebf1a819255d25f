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

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/rulebook"
)

// Quote is a quote, or the problems that keep it from being one; then it has no amounts. A quote without tax because no
// rule is known has a problem beside its amounts, so that nobody takes it for a rate of zero. Amounts are given twice, in minor
// units and as the wire writes them.
type Quote struct {
	Currency      string      `json:"currency,omitempty"`
	SubtotalMinor *int64      `json:"subtotalMinor,omitempty"`
	TaxMinor      *int64      `json:"taxMinor,omitempty"`
	TotalMinor    *int64      `json:"totalMinor,omitempty"`
	Subtotal      string      `json:"subtotal,omitempty"`
	TaxAmount     string      `json:"taxAmount,omitempty"`
	Total         string      `json:"total,omitempty"`
	RatePercent   json.Number `json:"ratePercent,omitempty"` // of the whole price, all components together
	TaxName       string      `json:"taxName"`               // "VAT", "GST + QST"; "" where there is no tax
	Reason        string      `json:"reason,omitempty"`
	Precision     string      `json:"precision,omitempty"`
	Confidence    string      `json:"confidence,omitempty"` // of the weakest rule: A official, B sources agree, C one source, X sources conflict
	Components    []Component `json:"components"`
	Rules         []string    `json:"rules"`
	Evidence      string      `json:"evidence,omitempty"`
	On            string      `json:"on,omitempty"`          // the day whose rules applied
	DataVersion   string      `json:"dataVersion,omitempty"` // of the rules
	Explanation   []Rule      `json:"explanation,omitempty"`
	Problems      []Problem   `json:"problems"`
}

// Component is one tax of one jurisdiction.
type Component struct {
	Jurisdiction string      `json:"jurisdiction"`
	Tax          string      `json:"tax"`
	Name         string      `json:"name"`
	RatePercent  json.Number `json:"ratePercent"`
	BasePercent  int         `json:"basePercent"` // how much of the price is taxable
	TaxableMinor int64       `json:"taxableMinor"`
	AmountMinor  int64       `json:"amountMinor"`
	Amount       string      `json:"amount"`
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
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: q.Currency}.String() }
	v := &Quote{
		Currency: string(q.Currency), SubtotalMinor: &a.Subtotal, TaxMinor: &a.Tax, TotalMinor: &a.Total,
		Subtotal: amount(a.Subtotal), TaxAmount: amount(a.Tax), Total: amount(a.Total),
		RatePercent: json.Number(a.Rate().Percent()), TaxName: a.Name(), Reason: a.Reason.String(), Precision: a.Precision,
		Components: []Component{}, Rules: append([]string{}, a.Rules...), Evidence: a.Evidence.String(),
		On: q.On.String(), DataVersion: q.DataVersion, Problems: []Problem{},
	}
	if a.Reason == tax.Unsupported {
		v.Problems = append(v.Problems, Problem{"tax-unsupported", "", "No tax rules are known for this sale: no tax is computed"})
	}
	if a.Confidence != 0 {
		v.Confidence = string(rune(a.Confidence))
	}
	for i := range a.Components {
		c := &a.Components[i]
		v.Components = append(v.Components, Component{
			c.Jurisdiction, c.Tax, c.Name(), json.Number(c.Rate.Percent()), int(c.Base), c.Taxable, c.Amount, amount(c.Amount),
		})
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
	v := &Quote{Components: []Component{}, Rules: []string{}, Problems: []Problem{}}
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
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
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

func base(percent int) string {
	if percent == 100 {
		return ""
	}
	return fmt.Sprintf(" on %d %% of the price", percent)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
