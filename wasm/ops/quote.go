package ops

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// Quote computes a total: what is sold, who sells it, who buys it and when.
//
//	{
//	  "price": {"amount":"29.00", "currency":"EUR", "taxCategory":"saas", "taxIncluded":false},
//	  "step": "0.01",
//	  "seller": {"country":"IE", "everywhere":false, "registrations":[{"jurisdiction":"EU", "from":"2024-01-01"}]},
//	  "billingDetail": {…},
//	  "ipCountry": "DE",
//	  "on": "2026-11-23",
//	  "rates": "",
//	  "discount": {"label":"Welcome", "amount":"5.00"}
//	}
//
// step is the smallest amount that can be charged, by default one minor unit; an unknown ipCountry is ignored; rates are the
// operator's own, as [table.Table.Text] writes them; the discount, by default none, is taken off the price and rounded down to whole
// steps. The errors are one about the settings of the merchant or the operator,
// or all of the billing detail's.
func (i *Instance) Quote(input string) []byte {
	var in [8]string
	r := read(input, "price{ step seller{ billingDetail{ ipCountry on rates discount{", in[:])
	var terms checkout.Terms
	wrong := r.terms(&terms, in[0], in[1], in[2])
	discount := r.discount(in[7], &terms)
	buyer := r.billing(in[3])
	ip, _ := country.Parse(in[4])
	on, dated := civil.ParseDate(in[5])
	own, sound := i.table(in[6])
	switch {
	case r.faulty:
		return refuse(InvalidJSON)
	case wrong != nil:
		return refuse(wrong)
	case !dated:
		return refuse(invalidDate)
	}
	if buyer == nil {
		buyer = &billing.Input{}
	}
	detail, problems := billing.Check(*buyer)
	if problems != nil {
		return refusal(problems)
	}
	if !sound {
		return refuse(invalidRates)
	}
	quote, p := terms.QuoteLess(discount, &detail, ip, on, &own)
	if p != nil {
		return refuse(p)
	}
	w := data()
	w.quote(&quote)
	return w.end()
}

var (
	invalidPrice  = problem.New(problem.Invalid, "price-invalid", "", "Invalid price")
	invalidStep   = problem.New(problem.Invalid, "step-invalid", "", "Invalid step")
	invalidSeller = problem.New(problem.Invalid, "seller-invalid", "", "Invalid seller")
	invalidDate   = problem.New(problem.Invalid, "date-invalid", "", "Invalid date")
	invalidRates  = problem.New(problem.Invalid, "rates-invalid", "", "Invalid rates")
)

// maxRegistrations is larger than the number of jurisdictions. A longer list is refused as an invalid seller.
const maxRegistrations = 500

// terms reads what is sold and by whom. An amount depends on its currency, so invalid values are reported after all are
// read.
func (r *reader) terms(t *checkout.Terms, price, step, seller string) (wrong *problem.Problem) {
	var m [4]string
	r.members(price, "amount currency taxCategory taxIncluded?", m[:])
	currency, _ := money.ParseCurrency(m[1])
	t.Category, _ = tax.ParseCategory(m[2])
	t.Inclusive = m[3] == "true"
	var ok bool
	if !r.seller(seller, &t.Seller) {
		wrong = invalidSeller
	}
	t.Step = 1
	if step != "" {
		var a money.Amount
		if a, ok = money.ParseAmount(step, currency); !ok {
			wrong = invalidStep
		}
		t.Step = a.Minor
	}
	if t.Price, ok = money.ParseAmount(m[0], currency); !ok {
		wrong = invalidPrice
	}
	return wrong
}

// discount reads a discount off the terms' price. One whose amount cannot be read is not valid.
func (r *reader) discount(object string, t *checkout.Terms) checkout.Discount {
	if object == "" {
		return checkout.Discount{}
	}
	var m [2]string
	r.members(object, "label amount", m[:])
	a, ok := money.ParseAmount(m[1], t.Price.Currency)
	if !ok {
		a.Minor = -1
	}
	return checkout.Discount{Label: m[0], Minor: a.Minor}
}

func (r *reader) seller(object string, s *tax.Seller) (ok bool) {
	var m [3]string
	r.members(object, "country everywhere? registrations[", m[:])
	s.Country, ok = country.Parse(m[0])
	s.Everywhere = m[1] == "true"
	list := make([]string, maxRegistrations)
	n := r.elements(m[2], list)
	for _, registration := range list[:min(n, maxRegistrations)] {
		var m [2]string
		r.members(registration, "jurisdiction from", m[:])
		from, dated := civil.ParseDate(m[1])
		ok = ok && dated
		s.Registrations = append(s.Registrations, tax.Registration{Jurisdiction: m[0], From: from})
	}
	return ok && n <= maxRegistrations
}

// quote writes the members of a [Quote].
func (w *writer) quote(q *checkout.Quote) {
	a := &q.Assessment
	w.member("currency", string(q.Currency))
	if q.Discount.Minor != 0 {
		w.amount("listPrice", q.ListPrice, q.Currency)
		w.begin("discount", '{')
		w.member("label", q.Discount.Label)
		w.amount("amount", q.Discount.Minor, q.Currency)
		w.raw("}")
	}
	w.amount("subtotal", a.Subtotal, q.Currency)
	w.amount("taxAmount", a.Tax, q.Currency)
	w.amount("total", a.Total, q.Currency)
	w.percent("ratePercent", a.Rate())
	w.member("taxName", a.Name())
	w.begin("components", '[')
	for i := range a.Components {
		c := &a.Components[i]
		w.open('{')
		w.member("jurisdiction", c.Jurisdiction)
		w.member("tax", c.Tax)
		w.member("name", c.Name())
		w.percent("ratePercent", c.Rate)
		w.percent("basePercent", money.Rate(c.Base)*1000)
		w.amount("taxable", c.Taxable, q.Currency)
		w.amount("amount", c.Amount, q.Currency)
		w.raw("}")
	}
	w.raw("]")
	w.member("reason", a.Reason.String())
	w.member("precision", a.Precision)
	if a.Confidence != 0 {
		w.member("confidence", string([]byte{a.Confidence}))
	}
	w.begin("rules", '[')
	for _, id := range a.Rules {
		w.string(id)
	}
	w.raw("]")
	w.member("evidence", a.Evidence.String())
	w.member("on", q.On.String())
	w.member("dataVersion", q.DataVersion)
}
