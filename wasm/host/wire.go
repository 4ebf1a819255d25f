package host

import (
	"fmt"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/vatid"
)

// The inputs and answers of package ops, for encoding/json.

type problemAnswer struct{ Kind, Code, Path, Message string }

func problemsOf(answers []problemAnswer) (problems problem.List) {
	for _, a := range answers {
		kind, _ := named(problem.Unavailable, a.Kind)
		problems = append(problems, &problem.Problem{Kind: kind, Code: a.Code, Path: a.Path, Message: a.Message})
	}
	return problems
}

// named returns the value of an enumeration with that name, among those up to last, or the zero value if there is none.
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
	Address    string `json:"email"`
	Valid      bool
	Suggestion string
}

type fieldsAnswer struct {
	Fields []billing.Field
	State  country.Subdivision
}

type taxIDAnswer struct {
	TaxID vatid.Number
	Fault string
}

type versionAnswer struct{ Module, DataVersion string }

type placeAnswer struct {
	BuyerEmail, SuccessURL string
	BillingDetail          billingAnswer
	Quote                  quoteAnswer
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

// object is an input of package ops.
type object = map[string]any

func (in *QuoteInput) wire() object {
	o := termsInput(in.Terms)
	o["billingDetail"], o["ipCountry"], o["on"], o["rates"] = billingInput(in.Buyer), in.IPCountry, in.On.String(), in.Rates.Text()
	return o
}

// termsInput returns the terms of a quote or a session.
func termsInput(t *checkout.Terms) object {
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
	}
}

func placeInput(s *checkout.Session, r *checkout.Request, now int64) object {
	in := object{
		"caller": object{
			"environment": r.Caller.Environment, "storeId": r.Caller.StoreID, "identity": r.Caller.Identity,
			"sessionId": r.Caller.SessionID,
		},
		"request": object{
			"checkoutSessionId": r.SessionID, "billingDetail": (*billingInput)(r.Billing), "buyerEmail": r.BuyerEmail,
			"buyerIp": r.BuyerIP, "successUrl": r.SuccessURL,
		},
		"ipCountry": r.IPCountry, "now": now, "rates": r.Rates.Text(),
	}
	if s != nil {
		session := termsInput(&s.Terms)
		session["id"], session["environment"], session["storeId"] = s.ID, s.Environment, s.StoreID
		session["productType"], session["expiresAt"], session["closed"] = s.Product.Type, s.ExpiresAt, s.Closed
		session["billingDetail"], session["buyerEmail"], session["successUrl"] = (*billingInput)(s.Billing), s.BuyerEmail, s.SuccessURL
		in["session"] = session
	}
	return in
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

// quote converts an answer to what core would have returned.
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
	q.On, ok = civil.ParseDate(answer.On)
	p.note(ok, answer.On)
	return q, p.err
}

// parser keeps the first error.
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
