package page

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// summary is the receipt beside the form and on the status page. The script writes the same lines from the same numbers.
type summary struct {
	Label, Total string // "Total due today", "$31.54"
	Code         string // of the currency, where its sign is not its alone
	Small        string // what the total is made of, in a few words
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
	amount := t.Amount(terms.Price)
	return &summary{
		Label: t.Text("total.before"), Total: amount, Code: t.code(terms.Price.Currency),
		Small: t.Text("total.pending"), Subtotal: amount,
		Taxes: []taxLine{{Name: t.Text("tax"), Share: t.Text("tax.pending")}},
	}
}

// code is what an amount needs beside it to say what money it is: dollars are of many countries.
func (t texts) code(currency money.Currency) string {
	if t.Shared(currency) {
		return string(currency)
	}
	return ""
}

// taxed is the summary with a computed tax; label is the total's.
func (t texts) taxed(q *checkout.Quote, label string) *summary {
	a := &q.Assessment
	price := t.Money(q.Currency)
	amount := func(minor int64) string {
		return price.Write(money.Amount{Minor: minor, Currency: q.Currency}.String())
	}
	s := &summary{
		Label: t.Text(label), Total: amount(a.Total), Code: t.code(q.Currency), Subtotal: amount(a.Subtotal),
		Note: t.Text(a.Reason.String() + ".note"),
	}
	s.Small = t.Text("total.tax", "tax", amount(a.Tax))
	for i := range a.Components {
		s.Taxes = append(s.Taxes, t.taxLine(&a.Components[i], amount))
	}
	if len(s.Taxes) == 0 {
		s.Small = t.Text(a.Reason.String())
		s.Taxes = []taxLine{{t.Text("tax"), t.Text(a.Reason.String()), amount(0)}}
	}
	return s
}

func (t texts) taxLine(c *tax.Component, amount func(int64) string) taxLine {
	share := "tax.share"
	if c.Base != 100 {
		share = "tax.share-of"
	}
	code, _, _ := strings.Cut(c.Jurisdiction, "-")
	percent := t.Percent()
	return taxLine{
		Name: t.In(code, "tax."+c.Tax),
		Share: t.Text(share, "rate", percent.Write(c.Rate.Percent()), "base", percent.Write(strconv.Itoa(int(c.Base))),
			"place", t.Territory(c.Jurisdiction)),
		Amount: amount(c.Amount),
	}
}

// quote is the summary for a billing detail with its problems. Without a sound place there is no tax to compute; while the
// rest is not sound, the buyer pays what a consumer there pays.
func (v *visit) quote(d *billing.Detail, found problem.List) *summary {
	for _, p := range found {
		if p.Path == "/billingDetail/country" || p.Path == "/billingDetail/state" {
			return v.untaxed(&v.session.Terms)
		}
	}
	if found != nil {
		d = &billing.Detail{Country: d.Country, State: d.State}
	}
	q, refused := v.session.Terms.Quote(d, "", tax.DateOf(v.now), v.rates)
	if refused != nil {
		return v.untaxed(&v.session.Terms)
	}
	return v.taxed(&q, "total.due")
}
