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
	MailStore

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

// MailStore keeps the e-mails about documents. They are created by notify.Store, in the commit of their documents.
type MailStore interface {
	// DueMails returns up to limit mails whose DueAt is not after now, the longest due first.
	DueMails(ctx context.Context, now int64, limit int) ([]Mail, error)

	// Mail returns the mail about a document; [ErrNotFound] when there is none, or it is no longer kept.
	Mail(ctx context.Context, token string) (*Mail, error)

	// WriteMail writes a mail if its stored version is still the one it carries; the stored copy then carries the next one.
	// Otherwise the error is [ErrStale].
	WriteMail(ctx context.Context, m *Mail) error
}

// ErrStale: the mail was written since it was read.
var ErrStale = errors.New("invoices: the mail was written since it was read")

// ErrNotFound: there is no such document.
var ErrNotFound = errors.New("invoices: not found")
