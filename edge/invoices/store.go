package invoices

import (
	"context"
	"errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/psp"
)

// Store keeps documents. Every method is one atomic step; what it returns belongs to the caller. Documents are written by
// notify.Store, in the commit of a fact.
type Store interface {
	// LastNumber returns the number of the last document of a series, 0 if there is none.
	LastNumber(ctx context.Context, s Series) (int, error)

	// Document returns a document by its token; [ErrNotFound] when there is none.
	Document(ctx context.Context, token string) (*Document, error)

	// DocumentOf returns the document of a payment or refund of an order; [ErrNotFound] when there is none in this environment.
	DocumentOf(ctx context.Context, env checkout.Environment, orderID, eventID string) (*Document, error)

	// Documents lists the documents of a series by their numbers. after is "" for the first page, then Next of the page before;
	// limit is at least 1.
	Documents(ctx context.Context, s Series, after string, limit int) (psp.Page[Document], error)
}

// ErrNotFound: there is no such document.
var ErrNotFound = errors.New("invoices: not found")
