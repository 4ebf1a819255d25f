package invoices

import (
	"cmp"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// Config configures a [Service]. Without a Mailer no e-mail is written or sent, without KeepMails it is kept for 30 days, without VATChecks there are no consultation numbers,
// and without Rates no tax in another currency; every other field is needed.
type Config struct {
	Store     Store
	Orders    Orders
	Catalog   Catalog
	VATChecks VATChecks
	PublicURL string // where buyers reach the server, without a trailing slash
	Now       func() time.Time
	Rand      io.Reader // for tokens; crypto/rand in production
	Mailer    Mailer
	MailIn    []checkout.Environment // the environments whose documents are sent by e-mail
	KeepMails time.Duration          // how long a mail is kept after it was sent or given up; 0 is 30 days
	Log       *slog.Logger

	// Rates returns the exchange rates at hand, for the tax in the seller's currency; nil for none.
	Rates func() *Rates
}

// Orders reads what a document is about.
type Orders interface {
	Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error)
	Session(ctx context.Context, id string) (*sessions.Session, error)
}

// Catalog reads who sells.
type Catalog interface {
	Store(ctx context.Context, id string) (*catalog.Store, error)
}

// VATChecks reads what VIES has answered about orders.
type VATChecks interface {
	// VATCheck returns the check of an order of a store, or [vies.ErrNotFound].
	VATCheck(ctx context.Context, env checkout.Environment, storeID, orderID string) (*vies.Check, error)
}

// consultation returns the check that proves why a document charges no tax: VIES has confirmed the buyer's number. It is nil if there is
// none, or not yet.
func (s *Service) consultation(ctx context.Context, d *Document) (*vies.Check, error) {
	if s.config.VATChecks == nil || d.Reason != tax.ReverseCharge {
		return nil, nil
	}
	c, err := s.config.VATChecks.VATCheck(ctx, d.Series.Environment, d.Series.StoreID, d.OrderID)
	if errors.Is(err, vies.ErrNotFound) || err == nil && c.State != vies.Valid {
		return nil, nil
	}
	return c, err
}

// Service makes documents and finds them. It is safe for concurrent use, but only one caller may issue documents at a time: of
// two that issue in one series, the store refuses one.
type Service struct{ config Config }

// New returns a service.
func New(c Config) *Service { return &Service{c} }

// Document returns a document by its token; [ErrNotFound] when there is none.
func (s *Service) Document(ctx context.Context, token string) (*Document, error) {
	if !validToken(token) {
		return nil, ErrNotFound
	}
	return s.config.Store.Document(ctx, token)
}

// ReceiptOf returns the receipt of an order; [ErrNotFound] while it has none.
func (s *Service) ReceiptOf(ctx context.Context, o *orders.Order) (*Document, error) {
	paid := o.CompletedBy()
	if paid == nil {
		return nil, ErrNotFound
	}
	return s.config.Store.DocumentOf(ctx, o.Environment, o.ID, paid.ID)
}

// URL returns where a document can be read.
func (s *Service) URL(d *Document) string { return s.config.PublicURL + d.Path() }

// Issued is what follows from a fact: the document, and the e-mail about it. Each may be nil.
type Issued struct {
	Document *Document
	Mail     *Mail
}

// Issue returns the document of a fact with the next number of its series, and writes nothing. A repeated call returns another
// token; a document exists when its commit has succeeded.
func (s *Service) Issue(ctx context.Context, f *orders.Fact) (Issued, error) {
	d, err := s.issue(ctx, f)
	if d == nil || err != nil {
		return Issued{}, err
	}
	if f.Kind == orders.ReceiptMissing {
		return Issued{Document: d}, nil // the buyer does not expect an e-mail about an old order
	}
	return Issued{d, s.mail(d)}, nil
}

// issue returns the document of a fact, nil for a fact that has none.
func (s *Service) issue(ctx context.Context, f *orders.Fact) (*Document, error) {
	kind, make := Receipt, s.receipt
	switch f.Kind {
	case orders.OrderCompleted:
	case orders.ReceiptMissing:
		make = s.missingReceipt
	case orders.RefundHasSucceeded:
		kind, make = CreditNote, s.creditNote
	case orders.RefundHasFailed:
		make = s.reversal
	default:
		return nil, nil
	}
	order, err := s.config.Orders.Order(ctx, f.Environment, f.OrderID)
	if err != nil {
		return nil, fmt.Errorf("order %s: %w", f.OrderID, err)
	}
	d, err := make(ctx, f, order)
	if d == nil || err != nil {
		return nil, err
	}
	return d, s.number(ctx, d, kind, f)
}

// number gives a document the next number of its series, and a token.
func (s *Service) number(ctx context.Context, d *Document, kind Kind, f *orders.Fact) (err error) {
	// Clocks differ, so the supply can lie ahead of ours. A document is not issued before it: a report of the new year would not
	// look for it in the old one.
	d.IssuedAt = max(s.config.Now().UnixMilli(), d.SuppliedAt)
	d.Series = Series{f.Environment, f.StoreID, kind, time.UnixMilli(d.IssuedAt).UTC().Year()}
	last, err := s.config.Store.LastNumber(ctx, d.Series)
	if err != nil {
		return err
	}
	d.Number = last + 1
	d.Token, err = newToken(s.config.Rand)
	return err
}

// receipt makes the receipt of a payment, without its number.
func (s *Service) receipt(ctx context.Context, f *orders.Fact, o *orders.Order) (*Document, error) {
	paid := o.Payment(f.EventID)
	if paid == nil || o.Attempt(paid.Attempt) == nil {
		return nil, fmt.Errorf("%s has no payment %s", o.ID, f.EventID)
	}
	session, err := s.config.Orders.Session(ctx, o.SessionID)
	if err != nil {
		return nil, fmt.Errorf("session of %s: %w", o.ID, err)
	}
	store, err := s.config.Catalog.Store(ctx, o.StoreID)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", o.StoreID, err)
	}
	attempt := o.Attempt(paid.Attempt)
	sold := &attempt.Placed
	assessed := &sold.Quote.Assessment
	d := &Document{
		Prefix: prefixOf(store.Slug), MerchantID: o.MerchantID, OrderID: o.ID, EventID: f.EventID, SuppliedAt: paid.At,
		Seller: sellerOf(store, sold), Buyer: buyerOf(attempt),
		Line:     Line{ProductID: sold.Product.ID, Name: sold.Product.Name, Category: sold.Terms.Category, Inclusive: sold.Terms.Inclusive},
		Currency: sold.Quote.Currency, Subtotal: assessed.Subtotal, Tax: assessed.Tax, Total: assessed.Total,
		ListPrice: sold.Quote.ListPrice, Discount: sold.Quote.Discount,
		Components: assessed.Components, Reason: assessed.Reason, DataVersion: sold.Quote.DataVersion,
		Payment: Payment{paid.ID, paid.Method, paid.Last4}, Language: session.Language,
		StoreRef: StoreRef{store.Name, store.Links.SupportEmail}, Consents: sold.Consents,
	}
	d.Exchange = s.exchange(d)
	return d, nil
}

// missingReceipt makes the receipt of an old payment, nil if it has one: a start that was interrupted reports it again.
func (s *Service) missingReceipt(ctx context.Context, f *orders.Fact, o *orders.Order) (*Document, error) {
	_, err := s.config.Store.DocumentOf(ctx, f.Environment, o.ID, f.EventID)
	if errors.Is(err, ErrNotFound) {
		return s.receipt(ctx, f, o)
	}
	return nil, err
}

// sellerOf returns the seller: the store as it is now, in the country from which the order was taxed.
func sellerOf(store *catalog.Store, sold *checkout.Order) Party {
	l := &store.Legal
	return Party{Name: cmp.Or(l.Name, store.Name), TaxID: l.VATID, Email: store.Links.SupportEmail, Street: l.Address.Street,
		Postcode: l.Address.Postcode, City: l.Address.City, State: l.Address.Region, Country: sold.Terms.Seller.Country, IsBusiness: true}
}

func buyerOf(a *orders.Attempt) Party {
	b := &a.Placed.Billing
	return Party{Name: cmp.Or(b.BusinessName, a.Address.Name), TaxID: b.TaxID, Email: a.Placed.BuyerEmail, Street: a.Address.Street, Postcode: b.Postcode,
		City: a.Address.City, State: b.State, Country: b.Country, IsBusiness: b.IsBusiness}
}

// A token is 160 random bits in lower-case base32.
const (
	tokenBytes    = 20
	tokenLength   = 32
	tokenAlphabet = "abcdefghijklmnopqrstuvwxyz234567"
)

var tokenEncoding = base32.NewEncoding(tokenAlphabet).WithPadding(base32.NoPadding)

func newToken(random io.Reader) (string, error) {
	var b [tokenBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", errors.Join(errors.New("no random bytes for a token"), err)
	}
	return tokenEncoding.EncodeToString(b[:]), nil
}

// validToken keeps texts of any other form away from the database.
func validToken(s string) bool {
	return len(s) == tokenLength && strings.Trim(s, tokenAlphabet) == ""
}
