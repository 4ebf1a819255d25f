package call

import (
	"strconv"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
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
//	  "rates": ""
//	}
//
// step is the smallest amount that can be charged, by default one minor unit; an ipCountry that is none is ignored; rates are
// the operator's own, as [tax.Table.Text] writes them. The errors are one about what the merchant or the operator has set,
// or all of the billing detail's.
func Quote(input string) []byte {
	var in quoteInput
	if !read(input, in.member) {
		return refusal(invalidJSON)
	}
	on, p := in.parse()
	if p != nil {
		return refusal(problem.List{p})
	}
	detail, problems := billing.Check(in.billing)
	if problems != nil {
		return refusal(problems)
	}
	ip, _ := country.Parse(in.ipCountry)
	own, ok := tax.TableOf(in.rates)
	if !ok {
		return refusal(problem.List{invalidRates})
	}
	quote, p := in.terms.Quote(&detail, ip, on, &own)
	if p != nil {
		return refusal(problem.List{p})
	}
	return quoted(&quote)
}

var (
	invalidPrice  = unset("price-invalid", "Invalid price")
	invalidStep   = unset("step-invalid", "Invalid step")
	invalidSeller = unset("seller-invalid", "Invalid seller")
	invalidDate   = unset("date-invalid", "Invalid date")
	invalidRates  = unset("rates-invalid", "Invalid rates")
)

func unset(code, message string) *problem.Problem {
	return &problem.Problem{Kind: problem.Invalid, Code: code, Message: message}
}

// quoteInput is the input as it is read; parse makes terms of the strings once all are known, because an amount means
// nothing without its currency.
type quoteInput struct {
	amount, currency, category string
	step                       string
	sellerCountry              string
	from                       []string // of terms.Seller.Registrations, one for one
	ipCountry, on, rates       string
	billing                    billing.Input
	terms                      checkout.Terms
}

func (in *quoteInput) member(r *reader, name string) {
	switch name {
	case "price":
		r.object(in.priceMember)
	case "step":
		in.step = r.string()
	case "seller":
		r.object(in.sellerMember)
	case "billingDetail":
		r.object(billingMember(&in.billing))
	case "ipCountry":
		in.ipCountry = r.string()
	case "on":
		in.on = r.string()
	case "rates":
		in.rates = r.string()
	default:
		r.skip()
	}
}

func (in *quoteInput) priceMember(r *reader, name string) {
	switch name {
	case "amount":
		in.amount = r.string()
	case "currency":
		in.currency = r.string()
	case "taxCategory":
		in.category = r.string()
	case "taxIncluded":
		in.terms.Inclusive, _ = r.boolean()
	default:
		r.skip()
	}
}

func (in *quoteInput) sellerMember(r *reader, name string) {
	switch name {
	case "country":
		in.sellerCountry = r.string()
	case "everywhere":
		in.terms.Seller.Everywhere, _ = r.boolean()
	case "registrations":
		r.array(in.registration)
	default:
		r.skip()
	}
}

// maxRegistrations is more than there are jurisdictions. A longer list is refused like a country that is none.
const maxRegistrations = 500

func (in *quoteInput) registration(r *reader) {
	if len(in.from) > maxRegistrations {
		r.skip()
		return
	}
	in.from = append(in.from, "")
	in.terms.Seller.Registrations = append(in.terms.Seller.Registrations, tax.Registration{})
	r.object(in.registrationMember)
}

func (in *quoteInput) registrationMember(r *reader, name string) {
	last := len(in.from) - 1
	switch name {
	case "jurisdiction":
		in.terms.Seller.Registrations[last].Jurisdiction = r.string()
	case "from":
		in.from[last] = r.string()
	default:
		r.skip()
	}
}

func (in *quoteInput) parse() (on tax.Date, p *problem.Problem) {
	t := &in.terms
	currency, _ := money.ParseCurrency(in.currency)
	var ok bool
	if t.Price, ok = money.ParseAmount(in.amount, currency); !ok {
		return 0, invalidPrice
	}
	t.Category, _ = tax.ParseCategory(in.category)
	t.Step = 1
	if in.step != "" {
		step, ok := money.ParseAmount(in.step, currency)
		if !ok {
			return 0, invalidStep
		}
		t.Step = step.Minor
	}
	if t.Seller.Country, ok = country.Parse(in.sellerCountry); !ok || len(in.from) > maxRegistrations {
		return 0, invalidSeller
	}
	for i, from := range in.from {
		if t.Seller.Registrations[i].From, ok = tax.ParseDate(from); !ok {
			return 0, invalidSeller
		}
	}
	if on, ok = tax.ParseDate(in.on); !ok {
		return 0, invalidDate
	}
	return on, nil
}

// quoted is the answer that tells of a quote. The percentages of a component are those of its law; its amounts are of the
// currency, like all others.
func quoted(q *checkout.Quote) []byte {
	a := &q.Assessment
	amount := func(minor int64) string { return money.Amount{Minor: minor, Currency: q.Currency}.String() }
	var w writer
	w.open('{')
	w.name("data")
	w.open('{')
	w.member("currency", string(q.Currency))
	w.member("subtotal", amount(a.Subtotal))
	w.member("tax", amount(a.Tax))
	w.member("total", amount(a.Total))
	w.member("taxRate", a.Rate().Percent())
	w.optional("taxName", a.Name())
	w.name("components")
	w.open('[')
	for i := range a.Components {
		c := &a.Components[i]
		w.open('{')
		w.member("jurisdiction", c.Jurisdiction)
		w.member("tax", c.Tax)
		w.member("name", c.Name())
		w.member("rate", c.Rate.Percent())
		w.member("base", strconv.FormatUint(uint64(c.Base), 10))
		w.member("taxable", amount(c.Taxable))
		w.member("amount", amount(c.Amount))
		w.close("}")
	}
	w.close("]")
	w.member("reason", a.Reason.String())
	w.member("precision", a.Precision)
	if a.Confidence != 0 {
		w.member("confidence", string(rune(a.Confidence)))
	}
	w.name("rules")
	w.open('[')
	for _, id := range a.Rules {
		w.string(id)
	}
	w.close("]")
	w.member("evidence", a.Evidence.String())
	w.member("on", q.On.String())
	w.member("dataVersion", q.DataVersion)
	w.close("}}")
	return w.text
}
