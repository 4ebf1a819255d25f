package orders

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Scope is what a caller may see: with a merchant's key that merchant's orders, with a customer's token those of one buyer in one
// store. Everything outside of it answers as what does not exist.
type Scope struct {
	Environment checkout.Environment
	MerchantID  string // "" for a customer
	StoreID     string // of a customer
	Identity    string // of a customer: the merchant's name for the buyer
}

// Merchant reports whether the scope is a merchant's.
func (s *Scope) Merchant() bool { return s.MerchantID != "" }

// contains reports whether an order is in the scope. An order whose URL no buyer ever had is in none.
func (s *Scope) contains(o *Order) bool {
	if _, visible := o.Published(); !visible || o.Environment != s.Environment {
		return false
	}
	if s.Merchant() {
		return o.MerchantID == s.MerchantID
	}
	return s.Identity != "" && o.StoreID == s.StoreID && sameBuyer(o.Sold().BuyerIdentity, s.Identity)
}

// BuyerKey returns a merchant's name for a buyer in the form in which two of them are compared: an e-mail address is normalised.
func BuyerKey(identity string) string {
	if normalized := email.Normalize(identity); email.Valid(normalized) {
		return normalized
	}
	return identity
}

func sameBuyer(a, b string) bool { return BuyerKey(a) == BuyerKey(b) }

var (
	errOrderIDRequired = problem.New(problem.Invalid, "order-id-required", "/orderId", "Missing required field: orderId")
	errOrderUnknown    = problem.New(problem.NotFound, "order-not-found", "/orderId", "Order not found")
)

// orderIn reads an order of a scope.
func (s *Service) orderIn(ctx context.Context, scope *Scope, id string) (*Order, error) {
	if id == "" {
		return nil, errOrderIDRequired
	}
	if _, ok := shortid.Parse(shortid.Order, id); !ok {
		return nil, errOrderUnknown
	}
	o, err := s.config.Store.Order(ctx, scope.Environment, id)
	if errors.Is(err, ErrNotFound) || err == nil && !scope.contains(o) {
		return nil, errOrderUnknown
	}
	return o, err
}
