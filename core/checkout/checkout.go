// Package checkout decides what a create-order request means: [Place] takes a checkout session and a request and answers
// either the order, with its price frozen and its tax computed, or the documented refusal that comes first in the
// documented order.
//
// The types: [Terms] is what a session has locked and a quote depends on; [Session] is a checkout session as far as the
// rules need it; [Request] is what the caller says; [Quote] and [Order] are the results. Everything here is a value: a
// caller may keep what it is given, and the strings of an Order may share memory with the Session and the Request.
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

// Environment keeps test data and real money apart: every record, credential and PSP account belongs to exactly one.
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

// ProductType is how a product is sold. Only one-time products can be ordered here; sessions of the others exist so that
// they can be refused.
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

// Terms is everything that a quote depends on besides the buyer: locked when the session is created, so that a later
// change of the price or of the seller's registrations does not reach a buyer who has already seen a total.
type Terms struct {
	Price     money.Amount
	Inclusive bool // the price contains the tax
	Category  tax.Category
	Seller    tax.Seller
	Step      int64 // smallest amount the PSP can charge in the currency, in minor units, at least 1
}

// Quote is a total with how it came about. Subtotal + Tax = Total, in minor units of Currency.
type Quote struct {
	Currency    money.Currency
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

// Session is a checkout session as the rules see it.
type Session struct {
	ID          string
	Environment Environment
	StoreID     string
	Product     Product
	Terms       Terms
	ExpiresAt   int64 // Unix milliseconds; the session is usable before it
	Closed      bool  // paid or canceled: no order can be placed any more

	// What the merchant pre-filled or the last successful order wrote back; each may be empty.
	Billing    *billing.Input
	BuyerEmail string
	SuccessURL string
}

// Caller is whom the session token speaks for. The edge has verified it.
type Caller struct {
	Environment Environment
	StoreID     string
	Identity    string // the merchant's name for the buyer; empty for a shopper
	SessionID   string // the one session that a shopper's token is bound to; empty for a customer
}

// Email is the buyer's address if the merchant's name for the buyer is one, normalised, and empty otherwise. It stands above
// whatever a request or a session says.
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
	IPCountry  country.Code // where BuyerIP is, as far as the edge can tell
	SuccessURL string
	Rates      *table.Table // the operator's own rates, nil for none
}

// Order is what a buyer has agreed to: all of it is frozen.
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
	SuccessURL    string // "" when neither request nor session has one
	PlacedAt      int64  // Unix milliseconds
}
