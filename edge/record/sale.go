package record

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/sessions"
)

// The parts that sessions and orders have in common.

type product struct {
	ID          string               `json:"id"`
	VersionID   string               `json:"versionId"`
	Type        checkout.ProductType `json:"type"`
	Name        string               `json:"name"`
	Description string               `json:"description,omitempty"`
}

type amount struct {
	Minor    int64          `json:"minor"`
	Currency money.Currency `json:"currency"`
}

type terms struct {
	Price     amount   `json:"price"`
	Inclusive bool     `json:"inclusive,omitempty"`
	Category  category `json:"category"`
	Seller    seller   `json:"seller"`
	Step      int64    `json:"step"`
}

type seller struct {
	Country       country.Code   `json:"country"`
	Everywhere    bool           `json:"everywhere,omitempty"`
	Registrations []registration `json:"registrations,omitempty"`
}

type registration struct {
	Jurisdiction string `json:"jurisdiction"`
	From         day    `json:"from"`
}

// detail is a billing detail, as typed or as checked.
type detail struct {
	Country      string `json:"country,omitempty"`
	IsBusiness   *bool  `json:"isBusiness,omitempty"`
	Postcode     string `json:"postcode,omitempty"`
	State        string `json:"state,omitempty"`
	BusinessName string `json:"businessName,omitempty"`
	TaxID        string `json:"taxId,omitempty"`
	TaxIDChecked bool   `json:"taxIdChecked,omitempty"`
}

// address is what a buyer has given of their address beside the billing detail; nil for nothing.
type address struct {
	Name   string `json:"name,omitempty"`
	Street string `json:"street,omitempty"`
	City   string `json:"city,omitempty"`
}

func addressOf(a sessions.Address) *address {
	if a == (sessions.Address{}) {
		return nil
	}
	stored := address(a)
	return &stored
}

func (a *address) domain() sessions.Address {
	if a == nil {
		return sessions.Address{}
	}
	return sessions.Address(*a)
}

type quote struct {
	Currency    money.Currency `json:"currency"`
	Discount    *discount      `json:"discount,omitempty"` // from version 4 of an order
	Assessment  assessment     `json:"assessment"`
	On          day            `json:"on"`
	DataVersion string         `json:"dataVersion"`
}

// discount is what was taken off the list price; nil for none.
type discount struct {
	Label     string `json:"label"`
	Minor     int64  `json:"minor"`
	ListPrice int64  `json:"listPrice"`
}

func discountOf(d checkout.Discount, listPrice int64) *discount {
	if d.Minor == 0 {
		return nil
	}
	return &discount{d.Label, d.Minor, listPrice}
}

func (d *discount) domain() (_ checkout.Discount, listPrice int64) {
	if d == nil {
		return checkout.Discount{}, 0
	}
	return checkout.Discount{Label: d.Label, Minor: d.Minor}, d.ListPrice
}

type assessment struct {
	Subtotal   int64       `json:"subtotal"`
	Tax        int64       `json:"tax"`
	Total      int64       `json:"total"`
	Components []component `json:"components,omitempty"`
	Reason     reason      `json:"reason"`
	Precision  string      `json:"precision,omitempty"`
	Confidence confidence  `json:"confidence,omitempty"`
	Rules      []string    `json:"rules,omitempty"`
	Evidence   evidence    `json:"evidence"`
}

type component struct {
	Jurisdiction string     `json:"jurisdiction"`
	Tax          string     `json:"tax"`
	Rate         money.Rate `json:"rate"`
	Base         uint8      `json:"base"`
	Taxable      int64      `json:"taxable"`
	Amount       int64      `json:"amount"`
}

func termsOf(t *checkout.Terms) terms {
	return terms{Price: amount(t.Price), Inclusive: t.Inclusive, Category: category(t.Category.String()), Seller: sellerOf(&t.Seller), Step: t.Step}
}

func (t *terms) domain() checkout.Terms {
	return checkout.Terms{Price: money.Amount(t.Price), Inclusive: t.Inclusive, Category: value[tax.Category](string(t.Category)),
		Seller: t.Seller.domain(), Step: t.Step}
}

func sellerOf(s *tax.Seller) seller {
	return seller{s.Country, s.Everywhere, mapped(s.Registrations, func(r tax.Registration) registration {
		return registration{r.Jurisdiction, day(r.From.String())}
	})}
}

func (s *seller) domain() tax.Seller {
	return tax.Seller{Country: s.Country, Everywhere: s.Everywhere, Registrations: mapped(s.Registrations, func(r registration) tax.Registration {
		return tax.Registration{Jurisdiction: r.Jurisdiction, From: r.From.date()}
	})}
}

func inputOf(in *billing.Input) *detail {
	if in == nil {
		return nil
	}
	return &detail{Country: in.Country, IsBusiness: in.IsBusiness, Postcode: in.Postcode, State: in.State,
		BusinessName: in.BusinessName, TaxID: in.TaxID}
}

func (d *detail) input() *billing.Input {
	if d == nil {
		return nil
	}
	return &billing.Input{Country: d.Country, IsBusiness: d.IsBusiness, Postcode: d.Postcode, State: d.State,
		BusinessName: d.BusinessName, TaxID: d.TaxID}
}

func detailOf(d *billing.Detail) detail {
	return detail{Country: string(d.Country), IsBusiness: &d.IsBusiness, Postcode: d.Postcode, State: d.State,
		BusinessName: d.BusinessName, TaxID: d.TaxID, TaxIDChecked: d.TaxIDChecked}
}

func (d *detail) checked() billing.Detail {
	return billing.Detail{Country: country.Code(d.Country), IsBusiness: d.IsBusiness != nil && *d.IsBusiness, Postcode: d.Postcode,
		State: d.State, BusinessName: d.BusinessName, TaxID: d.TaxID, TaxIDChecked: d.TaxIDChecked}
}

func quoteOf(q *checkout.Quote) quote {
	a := &q.Assessment
	return quote{Currency: q.Currency, Discount: discountOf(q.Discount, q.ListPrice), On: day(q.On.String()), DataVersion: q.DataVersion, Assessment: assessment{
		Subtotal: a.Subtotal, Tax: a.Tax, Total: a.Total,
		Components: mapped(a.Components, func(c tax.Component) component { return component(c) }),
		Reason:     reason(a.Reason.String()), Precision: a.Precision, Confidence: confidenceOf(a.Confidence),
		Rules: a.Rules, Evidence: evidence(a.Evidence.String())}}
}

func (q *quote) domain() checkout.Quote {
	a := &q.Assessment
	off, listPrice := q.Discount.domain()
	return checkout.Quote{Currency: q.Currency, Discount: off, ListPrice: listPrice, On: q.On.date(), DataVersion: q.DataVersion, Assessment: tax.Assessment{
		Subtotal: a.Subtotal, Tax: a.Tax, Total: a.Total,
		Components: mapped(a.Components, func(c component) tax.Component { return tax.Component(c) }),
		Reason:     value[tax.Reason](string(a.Reason)), Precision: a.Precision, Confidence: a.Confidence.byte(),
		Rules: a.Rules, Evidence: value[tax.Evidence](string(a.Evidence))}}
}
