package catalog

import (
	"errors"
	"io"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// Demo is a merchant with a store, two products and the private keys that sign for it.
type Demo struct {
	Merchant *Merchant
	Store    *Store
	Products []*Product // the first is sold once, the second by subscription

	PrivateKeys map[checkout.Environment]string // PKCS #8 in PEM
}

// Change is what puts the demo into the catalogue.
func (d *Demo) Change() Change {
	return Change{Merchant: d.Merchant, Store: d.Store, Products: d.Products}
}

// NewDemo makes the demo merchant.
func NewDemo(now time.Time, random io.Reader) (*Demo, error) { return nil, errors.New("demo") }
