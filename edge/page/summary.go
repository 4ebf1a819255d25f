package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// summary is the receipt beside the form and on the status page. The script renders the same lines.
type summary struct {
	Label, Total string // "Total", "$31.54"
	Code         string // of the currency, if its symbol is ambiguous
	Small        string // the tax within the total, or why there is none
	Discount     *discountLine
	Subtotal     string
	Taxes        []taxLine
	Note         string
	Confirm      string // the total and its tax, as the form's button confirms them; "" while there is no tax
	Expected     string // the total as create-order expects it; "" while there is no tax
}

// discountLine is what the store's rules take off the price: their label, and the amount with a minus sign.
type discountLine struct{ Label, Amount string }

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

// taxed returns the summary of a quote for a buyer in a country; label is the message key of the total's label.
func (t texts) taxed(q *checkout.Quote, where country.Code, label string) *summary {
	a := &q.Assessment
	price := t.Money(q.Currency)
	amount := func(minor int64) string {
		return price.Write(money.Amount{Minor: minor, Currency: q.Currency}.String())
	}
	s := &summary{
		Label: t.Text(label), Total: amount(a.Total), Code: t.code(q.Currency), Subtotal: amount(a.Subtotal),
		Note:    t.Text(a.Reason.String() + ".note"),
		Confirm: fmt.Sprintf("%s %d %d", q.Currency, a.Total, a.Tax), Expected: money.Amount{Minor: a.Total, Currency: q.Currency}.String(),
	}
	s.Discount = t.discountLine(q.Discount, amount)
	s.Small = t.Text("total.tax", "tax", amount(a.Tax))
	for i := range a.Components {
		s.Taxes = append(s.Taxes, t.taxLine(&a.Components[i], amount))
	}
	if len(s.Taxes) == 0 {
		s.Small = t.In(string(where), a.Reason.String())
		s.Taxes = []taxLine{{t.Text("tax"), s.Small, amount(0)}}
	}
	return s
}

// discountLine returns the line of a discount, nil for none.
func (t texts) discountLine(d checkout.Discount, amount func(int64) string) *discountLine {
	if d.Minor == 0 {
		return nil
	}
	return &discountLine{d.Label, t.minus(amount(d.Minor))}
}

// minus puts a minus sign before an amount; in a right-to-left text with a mark, so that it stays before it.
func (t texts) minus(amount string) string {
	if t.Direction == "rtl" {
		return "\u200e\u2212" + amount
	}
	return "\u2212" + amount
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

// quote returns the summary of a request whose billing detail is d, with its problems, and the refusal of the order, nil for none. A
// valid request has the total that create-order charges. With an invalid country or state there is no tax; with other problems it is
// the tax of a consumer there.
func (h *Handler) quote(v *visit, r *orders.Request, d *billing.Detail, found problem.List) (*summary, error) {
	q, refused := h.config.Orders.Quote(v.ctx, r, v.session, v.order)
	if refused == nil {
		return v.taxed(q, d.Country, "total"), nil
	}
	if q, err := h.config.Orders.Preview(v.ctx, &v.session.Session, &r.Request); err == nil {
		return v.taxed(q, d.Country, "total"), refused
	}
	return v.usual(d, found), refused
}

// usual returns the summary without the store's rules.
func (v *visit) usual(d *billing.Detail, found problem.List) *summary {
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
	return v.taxed(&q, d.Country, "total")
}
