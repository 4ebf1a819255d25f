package page

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// summary is the receipt beside the form and on the status page. The script writes the same lines from the same numbers.
type summary struct {
	Label, Total string // "Total due today", "$31.54"
	Includes     string // the total and the tax in it in one sentence, empty while the tax is unknown
	Subtotal     string
	Taxes        []taxLine
	Note         string
}

// taxLine is one tax, or the reason why there is none.
type taxLine struct {
	Name   string
	Share  string // "8.875% · New York"
	Amount string // empty while it is unknown
}

// untaxed is the summary before anything is known about the buyer.
func (t texts) untaxed(terms *checkout.Terms) *summary {
	amount := display(terms.Price.Minor, terms.Price.Currency)
	return &summary{
		Label: t.Text("total.before"), Total: amount, Subtotal: amount,
		Taxes: []taxLine{{Name: t.Text("tax"), Share: t.Text("tax.pending")}},
	}
}

// taxed is the summary with a computed tax; label is the total's.
func (t texts) taxed(q *checkout.Quote, label string) *summary {
	a := &q.Assessment
	s := &summary{
		Label: t.Text(label), Total: display(a.Total, q.Currency), Subtotal: display(a.Subtotal, q.Currency),
		Note: t.Text(a.Reason.String() + ".note"),
	}
	s.Includes = t.Text("total.includes", "total", s.Total, "tax", display(a.Tax, q.Currency))
	for i := range a.Components {
		s.Taxes = append(s.Taxes, t.taxLine(&a.Components[i], q.Currency))
	}
	if len(s.Taxes) == 0 {
		s.Taxes = []taxLine{{t.Text("tax"), t.Text(a.Reason.String()), display(0, q.Currency)}}
	}
	return s
}

func (t texts) taxLine(c *tax.Component, currency money.Currency) taxLine {
	share := "tax.share"
	if c.Base != 100 {
		share = "tax.share-of"
	}
	return taxLine{
		Name: c.Name(),
		Share: t.Text(share, "rate", c.Rate.Percent(), "base", strconv.Itoa(int(c.Base)),
			"place", placeName(c.Jurisdiction)),
		Amount: display(c.Amount, currency),
	}
}

// placeName is the name of a jurisdiction: "DE", "US-TX".
func placeName(jurisdiction string) string {
	code, subdivision, found := strings.Cut(jurisdiction, "-")
	if found {
		return country.Code(code).SubdivisionName(country.Subdivision(subdivision))
	}
	return country.Code(code).Name()
}

// quote is the summary for a billing detail with its problems. Without a sound place there is no tax to compute; while the
// rest is not sound, the buyer pays what a consumer there pays.
func (v *visit) quote(t texts, d *billing.Detail, found problem.List) *summary {
	for _, p := range found {
		if p.Path == "/billingDetail/country" || p.Path == "/billingDetail/state" {
			return t.untaxed(&v.session.Terms)
		}
	}
	if found != nil {
		d = &billing.Detail{Country: d.Country, State: d.State}
	}
	q, refused := v.session.Terms.Quote(d, "", tax.DateOf(v.now), v.rates)
	if refused != nil {
		return t.untaxed(&v.session.Terms)
	}
	return t.taxed(&q, "total.due")
}
