package plugins

import (
	"bytes"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
)

// draft is the input of a rule.
type draft struct {
	Terms
	BuyerEmail string          `json:"buyerEmail"`
	Billing    *billing.Detail `json:"billingDetail"`
	On         string          `json:"on"`
	Config     json.RawMessage `json:"config"`
}

// Terms are what a draft has of the product and its price. The hosted page adds the buyer to them.
type Terms struct {
	Environment checkout.Environment `json:"environment"`
	StoreID     string               `json:"storeId"`
	Product     Product              `json:"product"`
	Price       Price                `json:"price"`
}

// Product is what is sold.
type Product struct {
	ID          string `json:"id"`
	TaxCategory string `json:"taxCategory"`
}

// Price is what it costs.
type Price struct {
	Amount   string         `json:"amount"`
	Currency money.Currency `json:"currency"`
}

// TermsOf returns the terms of a draft.
func TermsOf(env checkout.Environment, storeID, productID string, t *checkout.Terms) Terms {
	return Terms{env, storeID, Product{productID, t.Category.String()}, Price{t.Price.String(), t.Price.Currency}}
}

// encodeDraft returns the input of a rule with a config, for an order that is not frozen yet.
func encodeDraft(o *checkout.Order, config []byte) ([]byte, error) {
	return json.Marshal(&draft{Terms: TermsOf(o.Environment, o.StoreID, o.Product.ID, &o.Terms), BuyerEmail: o.BuyerEmail,
		Billing: &o.Billing, On: civil.DateOf(o.PlacedAt).String(), Config: config})
}

// readDraft reads a draft that a person has written, and returns it as a rule gets it, with a config in place of its own unless
// that is nil.
func readDraft(text, config []byte) (input []byte, price money.Amount, err error) {
	d := draft{Config: []byte("{}")}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, price, refusef("the draft is not JSON of the form that crepe plugin run --help shows: %v", err)
	}
	price, ok := money.ParseAmount(d.Price.Amount, d.Price.Currency)
	if !ok || d.Billing == nil {
		return nil, price, refusef("the draft has no valid price, or no billingDetail; crepe plugin run --help shows one")
	}
	if config != nil {
		d.Config = config
	}
	input, err = json.Marshal(&d)
	return input, price, err
}
