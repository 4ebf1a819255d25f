package page

import (
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// summary is the receipt beside the form and on the status page. The script renders the same lines.
type summary struct {
	Label, Total string // "Total due today", "$31.54"
	Code         string // of the currency, if its symbol is ambiguous
	Small        string // the tax within the total, or why there is none
	Subtotal     string
	Taxes        []taxLine
	Note         string
}

// taxLine is a tax, or the reason why there is none.
type taxLine struct {
	Name   string
	Share  string // "8.875% · New York"
	Amount string // "" while unknown
}

// untaxed returns the summary without tax, for a buyer whose territory is unknown.
func (t texts) untaxed(terms *checkout.Terms) *summary {
	amount := t.Amount(terms.Price)
	return &summary{
		Label: t.Text("total.before"), Total: amount, Code: t.code(terms.Price.Currency),
		Small: t.Text("total.pending"), Subtotal: amount,
		Taxes: []taxLine{{Name: t.Text("tax"), Share: t.Text("tax.pending")}},
	}
}

// code returns the currency code to show beside an amount whose symbol is ambiguous, as "$" is, else "".
func (t texts) code(currency money.Currency) string {
	if t.Shared(currency) {
		return string(currency)
	}
	return ""
}

// taxed returns the summary of a quote; label is the message key of the total's label.
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

// quote returns the summary for a billing detail and its problems. With an invalid country or state it has no tax; with other
// problems it has the tax of a consumer there.
func (v *visit) quote(d *billing.Detail, found problem.List) *summary {
	for _, p := range found {
		if p.Path == "/billingDetail/country" || p.Path == "/billingDetail/state" {
			return v.untaxed(&v.session.Terms)
		}
	}
	if found != nil {
		d = &billing.Detail{Country: d.Country, State: d.State}
	}
	q, refused := v.session.Terms.Quote(d, "", civil.DateOf(v.now), v.rates)
	if refused != nil {
		return v.untaxed(&v.session.Terms)
	}
	return v.taxed(&q, "total.due")
}
