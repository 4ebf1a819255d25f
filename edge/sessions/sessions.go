// Package sessions holds checkout sessions from opening to expiry.
//
// The types: [Session] is the record, [Store] the port to a database, and [Service] opens a session ([Service.Create]), reads it and
// extends it ([Service.Extend]). [Open] is the rule that Create applies: what a create-session request locks. Package orders
// turns a session into an order, and closes it.
package sessions

import (
	"context"
	"errors"
	"io"
	"maps"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// Session is a checkout session as it is stored: what the rules see, and what they need not.
type Session struct {
	checkout.Session

	// Version counts the writes. A [Store] refuses to write a session that was read at another version.
	Version uint64

	MerchantID string
	PageURL    string // the hosted page of this session
	CreatedAt  int64  // Unix milliseconds
	LastsUntil int64  // how far [Service.Extend] may move ExpiresAt, Unix milliseconds; 0 is not at all
	OrderID    string // the one order of this session, "" before the first create-order got past the rules

	// PaidUnmatched: a payment that names this session is in quarantine. Nothing can be ordered from it any more.
	PaidUnmatched bool

	// Public: a visitor of the store opened the session, by a permanent link or by the store's slug. The merchant has set nothing on it,
	// so that a new session of the product's permanent link can replace it.
	Public bool

	// ReturnHosts are the hosts that a buyer whom the merchant does not know may choose to return to; empty is any.
	ReturnHosts []string

	// Address is the buyer's, pre-filled or written back with the billing detail. It belongs to the Billing of the session.
	Address Address

	// Images show the product, on the page and at the payment provider.
	Images []Image

	Metadata   map[string]string
	ExternalID string // orderMerchantExternalId
	Language   string // BCP 47, "" for the buyer's own
	DarkMode   *bool  // nil: the store's choice
}

// Clone returns a copy that shares with the session only what is replaced as a whole and never changed in place.
func (s *Session) Clone() *Session {
	c := *s
	c.Metadata = maps.Clone(s.Metadata)
	return &c
}

// Image is an image of what is sold.
type Image struct {
	URL string // https
	Alt string // what it shows, for those who cannot see it
}

// URI is the URL as a URI (RFC 3986), see [ReturnURL].
func (i Image) URI() string { return uri(i.URL) }

// Store keeps sessions. What it returns belongs to the caller.
type Store interface {
	// Session reads a session by its id alone, whatever its environment and store: the id is a capability, and the
	// published error table tells a foreign session from an unknown one. [ErrNotFound] when there is none.
	Session(ctx context.Context, id string) (*Session, error)

	// WriteSession makes a session durable before it returns, if its stored version is still the one that it carries; the
	// stored copy then carries the next one. A session with version 0 is new. [ErrStale] when the session was written
	// since it was read. Any other error leaves open whether it was written.
	WriteSession(ctx context.Context, session *Session) error
}

// Reader lists sessions.
type Reader interface {
	// Sessions returns a page of the sessions of some stores in one environment, the newest first. after is "" for the first page,
	// then Next of the page before; limit is at least 1. A session is listed as long as it is stored.
	Sessions(ctx context.Context, env checkout.Environment, stores []string, after string, limit int) (psp.Page[Session], error)
}

var (
	// ErrNotFound: there is no such session.
	ErrNotFound = errors.New("not found")
	// ErrStale: the record has been written since it was read.
	ErrStale = errors.New("the record was written since it was read")
)

// Config is what a [Service] is built from. Every field is needed.
type Config struct {
	Store     Store
	Catalog   catalog.Records
	Providers map[checkout.Environment]psp.Provider // an environment without one opens no sessions
	PublicURL string                                // where buyers reach us, without a trailing slash
	Now       func() time.Time
	Rand      io.Reader // for ids; crypto/rand in production
}

// Service opens, reads and extends checkout sessions. It is safe for concurrent use.
type Service struct{ config Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// Session reads a session; [ErrNotFound] when there is none.
func (s *Service) Session(ctx context.Context, id string) (*Session, error) {
	return s.config.Store.Session(ctx, id)
}

// Seller is who opens a session.
type Seller struct {
	Environment checkout.Environment
	MerchantID  string // whose API key signed, empty under a store slug
	StoreID     string // whose slug was shown, empty under an API key
}

// Create opens a session and stores it. Refusals are a [*problem.Problem].
func (s *Service) Create(ctx context.Context, seller Seller, r *Request) (*Session, error) {
	session, err := s.open(ctx, seller, r)
	if err != nil {
		return nil, err
	}
	return session, s.config.Store.WriteSession(ctx, session)
}

// open makes a session and stores nothing.
func (s *Service) open(ctx context.Context, seller Seller, r *Request) (*Session, error) {
	o := &Opening{Seller: seller, Amounts: s.amounts(seller.Environment), SessionID: shortid.FormatSession(shortid.NewV4(s.config.Rand)),
		Now: s.config.Now().UnixMilli()}
	if err := s.lookUp(ctx, o, r.ProductID); err != nil {
		return nil, err
	}
	session, refused := Open(o, r)
	if refused != nil {
		return nil, refused
	}
	session.PageURL = s.config.PublicURL + "/store/" + o.Store.Slug + "/checkout/" + session.ID
	return session, nil
}

// lookUp fills in the product and its store, if there are any.
func (s *Service) lookUp(ctx context.Context, o *Opening, productID string) error {
	product, err := s.config.Catalog.Product(ctx, productID)
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	o.Product = product
	o.Store, err = s.config.Catalog.Store(ctx, product.StoreID)
	return err
}

// amounts returns what the environment's provider can charge, nil without a provider.
func (s *Service) amounts(env checkout.Environment) func(money.Currency) (psp.Amounts, bool) {
	if provider := s.config.Providers[env]; provider != nil {
		return provider.Amounts
	}
	return nil
}
