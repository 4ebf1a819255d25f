// Package checkout validates create-order requests: [Place] takes a checkout session and a request and returns either the
// order, with its price frozen and its tax computed, or the first applicable refusal in the documented order.
//
// Place is two steps: [Prepare] makes all checks and returns a draft, which a store's own rules can see, and [Order.Freeze] computes
// the quote with the [Discount] that they give.
//
// [Terms] are the locked terms on which a quote depends; [Session] is a checkout session as far as the rules need it;
// [Request] is the request; [Quote] and [Order] are the results. The strings of an Order may share memory with the Session
// and the Request.
//
// Instants are Unix milliseconds and come from the caller.
package checkout

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
)

// Environment separates test data from real money: every record, credential and PSP account belongs to exactly one.
type Environment string

const (
	Test Environment = "test"
	Prod Environment = "prod"
)

// ParseEnvironment reads the X-Environment header's value.
func ParseEnvironment(s string) (Environment, bool) {
	e := Environment(s)
	return e, e == Test || e == Prod
}

// ProductType is how a product is sold. Only one-time products can be ordered; sessions of the others exist so that they can
// be refused.
type ProductType string

const (
	OneTime      ProductType = "onetime"
	Subscription ProductType = "subscription"
)

// Product is the version of a product that a session has locked.
type Product struct {
	ID          string
	VersionID   string
	Type        ProductType
	Name        string
	Description string
}

// Terms are everything but the buyer on which a quote depends. They are locked when the session is created, so that a later
// change of the price or of the seller's registrations does not change a total that a buyer has seen.
type Terms struct {
	Price     money.Amount
	Inclusive bool // the price contains the tax
	Category  tax.Category
	Seller    tax.Seller
	Step      int64 // smallest amount the PSP can charge in the currency, in minor units, at least 1
}

// Quote is a total and how it was computed. Amounts are minor units of Currency. Subtotal + Tax = Total. With a discount,
// ListPrice - Discount is the Subtotal, or the Total if the price contains the tax.
type Quote struct {
	Currency    money.Currency
	ListPrice   int64    // the price before the discount; 0 if there is none
	Discount    Discount // the zero value is none
	Assessment  tax.Assessment
	On          civil.Date // the day whose rules applied, UTC
	DataVersion string     // of the rules, table.DataVersion, and with the operator's own rates "+" and their version
}

// Quote computes the tax for a buyer on a day. ipCountry is evidence only and may be empty; rates are the operator's own,
// nil for none.
func (t *Terms) Quote(d *billing.Detail, ipCountry country.Code, on civil.Date, rates *table.Table) (Quote, *problem.Problem) {
	a, p := tax.Assess(&tax.Sale{
		Seller: &t.Seller, Buyer: d, Category: t.Category, Price: t.Price,
		Inclusive: t.Inclusive, Step: t.Step, On: on, IPCountry: ipCountry, Overrides: rates,
	})
	return Quote{Currency: t.Price.Currency, Assessment: a, On: on, DataVersion: rates.DataVersion()}, p
}

// Session is a checkout session as far as the rules need it.
type Session struct {
	ID          string
	Environment Environment
	StoreID     string
	Product     Product
	Terms       Terms
	ExpiresAt   int64 // Unix milliseconds; the session is usable before it
	Closed      bool  // paid or canceled: no further order can be placed

	// Values that the merchant pre-filled or the last successful order wrote back; each may be empty.
	Billing    *billing.Input
	BuyerEmail string
	SuccessURL string
}

// Caller is the holder of the credential, verified by the API.
type Caller struct {
	Environment Environment
	StoreID     string
	Identity    string // the merchant's name for the buyer; empty for a shopper
	SessionID   string // the one session that a shopper's token is bound to; empty for a customer
}

// Email returns the merchant's name for the buyer, normalised, if it is an e-mail address, otherwise an empty string. It
// takes precedence over the addresses of the request and of the session.
func (c *Caller) Email() string {
	if id := email.Normalize(c.Identity); email.Valid(id) {
		return id
	}
	return ""
}

// Request is a decoded create-order request. An empty string is a field that was not given.
type Request struct {
	Caller     Caller
	SessionID  string
	Billing    *billing.Input
	BuyerEmail string
	BuyerIP    string
	IPCountry  country.Code // of BuyerIP; empty if unknown
	SuccessURL string
	Rates      *table.Table // the operator's own rates, nil for none
	Consents   Consents     // not checked by Place: the caller checks them with In, for the country of the order
}

// Order is what the buyer agreed to. All of it is frozen.
type Order struct {
	SessionID     string
	Environment   Environment
	StoreID       string
	Product       Product
	Terms         Terms
	Quote         Quote
	Billing       billing.Detail
	BuyerEmail    string // normalised
	BuyerIdentity string // the merchant's name for the buyer, "" for a shopper
	BuyerIP       string
	SuccessURL    string    // "" if neither request nor session has one
	PlacedAt      int64     // Unix milliseconds
	Consents      []Consent // set by the caller of Place
}
