package host

import (
	"fmt"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
)

// The inputs and answers of package call, for encoding/json.

type problemAnswer struct{ Kind, Code, Path, Message string }

func problemsOf(answers []problemAnswer) (problems problem.List) {
	for _, a := range answers {
		kind, _ := named(problem.Unavailable, a.Kind)
		problems = append(problems, &problem.Problem{Kind: kind, Code: a.Code, Path: a.Path, Message: a.Message})
	}
	return problems
}

// named finds the value of an enumeration by its name, among those up to last. It is the zero value if there is none.
func named[Enum interface {
	~uint8
	String() string
}](last Enum, name string) (value Enum, ok bool) {
	for value = 0; value <= last; value++ {
		if value.String() == name {
			return value, true
		}
	}
	return 0, false
}

type emailAnswer struct {
	Email string
	Valid bool
}

type billingInput struct {
	Country      string `json:"country,omitempty"`
	IsBusiness   *bool  `json:"isBusiness,omitempty"`
	Postcode     string `json:"postcode,omitempty"`
	State        string `json:"state,omitempty"`
	BusinessName string `json:"businessName,omitempty"`
	TaxID        string `json:"taxId,omitempty"`
}

type billingAnswer struct {
	Country      country.Code
	IsBusiness   bool
	Postcode     string
	State        string
	BusinessName string
	TaxID        string
	TaxIDChecked bool
}

// wire is the input of package call, an untyped object because its names are only here.
func (in *QuoteInput) wire() any {
	type object = map[string]any
	t := in.Terms
	registrations := make([]object, 0, len(t.Seller.Registrations))
	for _, r := range t.Seller.Registrations {
		registrations = append(registrations, object{"jurisdiction": r.Jurisdiction, "from": r.From.String()})
	}
	return object{
		"price": object{
			"amount": t.Price.String(), "currency": t.Price.Currency,
			"taxCategory": t.Category.String(), "taxIncluded": t.Inclusive,
		},
		"step": money.Amount{Minor: t.Step, Currency: t.Price.Currency}.String(),
		"seller": object{
			"country": t.Seller.Country, "everywhere": t.Seller.Everywhere, "registrations": registrations,
		},
		"billingDetail": billingInput(in.Buyer),
		"ipCountry":     in.IPCountry,
		"on":            in.On.String(),
		"rates":         in.Rates.Text(),
	}
}

type quoteAnswer struct {
	Currency             money.Currency
	Subtotal, Tax, Total string
	Components           []componentAnswer
	Reason               string
	Precision            string
	Confidence           string
	Rules                []string
	Evidence             string
	On, DataVersion      string
}

type componentAnswer struct {
	Jurisdiction, Tax, Rate string
	Base                    uint8 `json:",string"`
	Taxable, Amount         string
}

// quote reads an answer back into what core would have returned.
func (answer *quoteAnswer) quote() (q checkout.Quote, err error) {
	p := parser{currency: answer.Currency}
	a := tax.Assessment{
		Subtotal: p.amount(answer.Subtotal), Tax: p.amount(answer.Tax), Total: p.amount(answer.Total),
		Precision: answer.Precision,
	}
	if len(answer.Rules) > 0 {
		a.Rules = answer.Rules
	}
	for _, c := range answer.Components {
		a.Components = append(a.Components, tax.Component{
			Jurisdiction: c.Jurisdiction, Tax: c.Tax, Rate: p.rate(c.Rate), Base: c.Base,
			Taxable: p.amount(c.Taxable), Amount: p.amount(c.Amount),
		})
	}
	if answer.Confidence != "" {
		a.Confidence = answer.Confidence[0]
	}
	var ok bool
	a.Reason, ok = named(tax.NotCollecting, answer.Reason)
	p.note(ok, answer.Reason)
	a.Evidence, ok = named(tax.Conflict, answer.Evidence)
	p.note(ok, answer.Evidence)
	q = checkout.Quote{Currency: answer.Currency, Assessment: a, DataVersion: answer.DataVersion}
	q.On, ok = tax.ParseDate(answer.On)
	p.note(ok, answer.On)
	return q, p.err
}

// parser keeps the first thing that could not be read.
type parser struct {
	currency money.Currency
	err      error
}

func (p *parser) note(ok bool, what string) {
	if !ok && p.err == nil {
		p.err = fmt.Errorf("host: the module has answered %q", what)
	}
}

func (p *parser) amount(s string) int64 {
	a, ok := money.ParseAmount(s, p.currency)
	p.note(ok, s)
	return a.Minor
}

func (p *parser) rate(s string) money.Rate {
	r, ok := money.ParseRate(s)
	p.note(ok, s)
	return r
}
