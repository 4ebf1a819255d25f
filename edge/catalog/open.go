package catalog

import (
	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// Opening is one create-session call: who asks, and what was looked up for it.
type Opening struct {
	Environment checkout.Environment
	MerchantID  string // whose API key signed, empty under a store slug
	StoreID     string // whose slug was shown, empty under an API key

	Product *Product // the one that the request names, nil if there is none
	Store   *Store   // the product's, nil with it

	// Step is the PSP's smallest chargeable amount in a currency, in minor units, and whether it takes the currency.
	Step func(money.Currency) (int64, bool)

	SessionID string // of the new session
	Now       int64  // Unix milliseconds
}

// Request is a decoded create-session request. A nil pointer or an empty string is a field that was not given.
type Request struct {
	ProductID        string
	Currency         string
	PriceSnapshot    *Snapshot
	ExpiresInSeconds *int64
	Metadata         map[string]string
	ExternalID       string // orderMerchantExternalId
	BuyerEmail       string
	Billing          *billing.Input
	SuccessURL       string
	DarkMode         *bool
	Language         string
}

// Snapshot is a price that replaces the catalogue's.
type Snapshot struct {
	Amount      string // as on the wire, "29.00"
	TaxCategory string
	TaxIncluded bool
}

// Open turns a create-session request into a checkout session, or refuses. It reads no clock and keeps nothing.
func Open(o *Opening, r *Request) (*orders.Session, *problem.Problem) { return nil, nil }
