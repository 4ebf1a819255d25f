package record

import (
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/invoices"
)

const documentVersion = 4

// document is a receipt or a credit note. It is written once.
type document struct {
	header
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	Kind        invoices.Kind        `json:"kind"`
	Year        int                  `json:"year"`
	Number      int                  `json:"number"`
	Prefix      string               `json:"prefix"`
	Token       string               `json:"token"`
	MerchantID  string               `json:"merchantId"`
	OrderID     string               `json:"orderId"`
	EventID     string               `json:"eventId"`
	IssuedAt    int64                `json:"issuedAt"`
	SuppliedAt  int64                `json:"suppliedAt"`
	Preceding   *reference           `json:"preceding,omitempty"`
	Seller      party                `json:"seller"`
	Buyer       party                `json:"buyer"`
	Line        line                 `json:"line"`
	Currency    money.Currency       `json:"currency"`
	Discount    *discount            `json:"discount,omitempty"` // since version 4
	Subtotal    int64                `json:"subtotal"`
	Tax         int64                `json:"tax"`
	Total       int64                `json:"total"`
	Components  []component          `json:"components,omitempty"`
	Reason      reason               `json:"reason"`
	DataVersion string               `json:"dataVersion,omitempty"`
	Payment     paid                 `json:"payment"`
	Language    string               `json:"language,omitempty"`
	Store       storeRef             `json:"store"`
	Consents    []consent            `json:"consents,omitempty"` // since version 2
	Exchange    *exchange            `json:"exchange,omitempty"` // since version 3
}

type reference struct {
	Code     string `json:"code"`
	Token    string `json:"token"`
	IssuedAt int64  `json:"issuedAt"`
}

type party struct {
	Name       string       `json:"name,omitempty"`
	TaxID      string       `json:"taxId,omitempty"`
	Email      string       `json:"email,omitempty"`
	Street     string       `json:"street,omitempty"`
	Postcode   string       `json:"postcode,omitempty"`
	City       string       `json:"city,omitempty"`
	State      string       `json:"state,omitempty"`
	Country    country.Code `json:"country"`
	IsBusiness bool         `json:"isBusiness,omitempty"`
}

type line struct {
	ProductID string   `json:"productId"`
	Name      string   `json:"name"`
	Category  category `json:"category"`
	Inclusive bool     `json:"inclusive,omitempty"`
}

type paid struct {
	ID     string `json:"id"`
	Method string `json:"method,omitempty"`
	Last4  string `json:"last4,omitempty"`
}

type storeRef struct {
	Name         string `json:"name"`
	SupportEmail string `json:"supportEmail,omitempty"`
}

// exchange has rates in millionths.
type exchange struct {
	Currency money.Currency        `json:"currency"`
	Base     money.Currency        `json:"base"`
	Sold     invoices.ExchangeRate `json:"sold"`
	Own      invoices.ExchangeRate `json:"own"`
	On       day                   `json:"on"`
	Source   string                `json:"source"`
	Amounts  []int64               `json:"amounts"`
}

func exchangeOf(e *invoices.Exchange) *exchange {
	if e == nil {
		return nil
	}
	return &exchange{e.Currency, e.Base, e.Sold, e.Own, day(e.On.String()), e.Source, e.Amounts}
}

func (e *exchange) domain() *invoices.Exchange {
	if e == nil {
		return nil
	}
	return &invoices.Exchange{Currency: e.Currency, Base: e.Base, Sold: e.Sold, Own: e.Own, On: e.On.date(), Source: e.Source, Amounts: e.Amounts}
}

func encodeDocument(d *invoices.Document) ([]byte, error) {
	s, l := &d.Series, &d.Line
	return encode(&document{
		header: header{documentVersion}, Environment: s.Environment, StoreID: s.StoreID, Kind: s.Kind, Year: s.Year, Number: d.Number,
		Prefix: d.Prefix, Token: d.Token, MerchantID: d.MerchantID, OrderID: d.OrderID, EventID: d.EventID, IssuedAt: d.IssuedAt,
		SuppliedAt: d.SuppliedAt, Preceding: (*reference)(d.Preceding), Seller: party(d.Seller), Buyer: party(d.Buyer),
		Line:     line{l.ProductID, l.Name, category(l.Category.String()), l.Inclusive},
		Currency: d.Currency, Discount: discountOf(d.Discount, d.ListPrice), Subtotal: d.Subtotal, Tax: d.Tax, Total: d.Total,
		Components: mapped(d.Components, func(c tax.Component) component { return component(c) }),
		Reason:     reason(d.Reason.String()), DataVersion: d.DataVersion, Payment: paid(d.Payment), Language: d.Language,
		Store: storeRef(d.StoreRef), Consents: consentsOf(d.Consents), Exchange: exchangeOf(d.Exchange),
	})
}

func decodeDocument(text []byte) (*invoices.Document, error) {
	var r document
	if err := decode(text, &r, documentVersion); err != nil {
		return nil, err
	}
	l := &r.Line
	off, listPrice := r.Discount.domain()
	return &invoices.Document{
		Series: invoices.Series{Environment: r.Environment, StoreID: r.StoreID, Kind: r.Kind, Year: r.Year}, Number: r.Number,
		Prefix: r.Prefix, Token: r.Token, MerchantID: r.MerchantID, OrderID: r.OrderID, EventID: r.EventID, IssuedAt: r.IssuedAt,
		SuppliedAt: r.SuppliedAt, Preceding: (*invoices.Reference)(r.Preceding), Seller: invoices.Party(r.Seller), Buyer: invoices.Party(r.Buyer),
		Line:     invoices.Line{ProductID: l.ProductID, Name: l.Name, Category: value[tax.Category](string(l.Category)), Inclusive: l.Inclusive},
		Currency: r.Currency, Discount: off, ListPrice: listPrice, Subtotal: r.Subtotal, Tax: r.Tax, Total: r.Total,
		Components: mapped(r.Components, func(c component) tax.Component { return tax.Component(c) }),
		Reason:     value[tax.Reason](string(r.Reason)), DataVersion: r.DataVersion, Payment: invoices.Payment(r.Payment), Language: r.Language,
		StoreRef: invoices.StoreRef(r.Store), Consents: consentsFrom(r.Consents), Exchange: r.Exchange.domain(),
	}, nil
}
