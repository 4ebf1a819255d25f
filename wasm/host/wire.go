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
	"github.com/crepe-checkout/crepe/wasm/ops"
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
	BillingDetail          billing.Detail
	Quote                  ops.Quote
}

type quoteInput struct {
	ops.Sale
	BillingDetail billing.Input `json:"billingDetail"`
}

func (in *QuoteInput) wire() quoteInput {
	sale := ops.Sale{Terms: ops.TermsOf(in.Terms), On: in.On.String(), IPCountry: in.IPCountry, Rates: in.Rates.Text()}
	if d := in.Discount; d != (checkout.Discount{}) {
		sale.Discount = &ops.Discount{Label: d.Label, Amount: money.Amount{Minor: d.Minor, Currency: in.Terms.Price.Currency}.String()}
	}
	return quoteInput{sale, in.Buyer}
}

type placeInput struct {
	Session   *sessionInput `json:"session,omitempty"`
	Caller    callerInput   `json:"caller"`
	Request   requestInput  `json:"request"`
	IPCountry country.Code  `json:"ipCountry"`
	Now       int64         `json:"now"`
	Rates     string        `json:"rates"`
}

type sessionInput struct {
	ops.Terms
	ID            string               `json:"id"`
	Environment   checkout.Environment `json:"environment"`
	StoreID       string               `json:"storeId"`
	ProductType   checkout.ProductType `json:"productType"`
	ExpiresAt     int64                `json:"expiresAt"`
	Closed        bool                 `json:"closed"`
	BillingDetail *billing.Input       `json:"billingDetail"`
	BuyerEmail    string               `json:"buyerEmail"`
	SuccessURL    string               `json:"successUrl"`
}

type callerInput struct {
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	Identity    string               `json:"identity"`
	SessionID   string               `json:"sessionId"`
}

type requestInput struct {
	SessionID     string         `json:"checkoutSessionId"`
	BillingDetail *billing.Input `json:"billingDetail"`
	BuyerEmail    string         `json:"buyerEmail"`
	BuyerIP       string         `json:"buyerIp"`
	SuccessURL    string         `json:"successUrl"`
}

func placeInputOf(s *checkout.Session, r *checkout.Request, now int64) *placeInput {
	in := &placeInput{
		Caller:    callerInput(r.Caller),
		Request:   requestInput{r.SessionID, r.Billing, r.BuyerEmail, r.BuyerIP, r.SuccessURL},
		IPCountry: r.IPCountry, Now: now, Rates: r.Rates.Text(),
	}
	if s != nil {
		in.Session = &sessionInput{
			ops.TermsOf(&s.Terms), s.ID, s.Environment, s.StoreID, s.Product.Type, s.ExpiresAt, s.Closed, s.Billing, s.BuyerEmail, s.SuccessURL,
		}
	}
	return in
}

// quoteOf converts an answer to what core would have returned.
func quoteOf(answer *ops.Quote) (q checkout.Quote, err error) {
	p := parser{currency: money.Currency(answer.Currency)}
	a := tax.Assessment{
		Subtotal: p.amount(answer.Subtotal), Tax: p.amount(answer.TaxAmount), Total: p.amount(answer.Total),
		Precision: answer.Precision,
	}
	if len(answer.Rules) > 0 {
		a.Rules = answer.Rules
	}
	for _, c := range answer.Components {
		a.Components = append(a.Components, tax.Component{
			Jurisdiction: c.Jurisdiction, Tax: c.Tax, Rate: p.rate(c.RatePercent), Base: uint8(p.rate(c.BasePercent) / 1000),
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
	q = checkout.Quote{Currency: p.currency, Assessment: a, DataVersion: answer.DataVersion}
	if d := answer.Discount; d != nil {
		q.ListPrice, q.Discount = p.amount(answer.ListPrice), checkout.Discount{Label: d.Label, Minor: p.amount(d.Amount)}
	}
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

func (p *parser) rate(s ops.Percent) money.Rate {
	r, ok := money.ParseRate(string(s))
	p.note(ok, string(s))
	return r
}
