package auth

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// maxIdentity is the longest name that a merchant may give a buyer, in characters.
const maxIdentity = 256

var (
	missingIdentity = problem.New(problem.Invalid, "buyer-identity-required", "/buyerIdentity", "Missing required field: buyerIdentity")
	longIdentity    = problem.New(problem.Invalid, "buyer-identity-too-long", "/buyerIdentity", "buyerIdentity must be at most 256 characters")
	badIdentity     = problem.New(problem.Invalid, "buyer-identity-invalid", "/buyerIdentity", "Invalid buyerIdentity")
	missingPlace    = problem.New(problem.Invalid, "store-or-product-required", "", "Missing required field: provide storeId or productId")
	foreignStore    = catalog.StoreNotFound("/storeId")
)

// TokenRequest is a decoded issue-session-token request. An empty string is a field that was not given.
type TokenRequest struct {
	BuyerIdentity string
	StoreID       string
	ProductID     string // names its store, if StoreID does not
}

// Issued is a new session token.
type Issued struct {
	Token     string
	ExpiresAt int64 // Unix milliseconds; when the token ends if it is not used
}

// IssueCustomer issues a token to a merchant, for a buyer whom the merchant names, in one of the merchant's stores.
func (s *Service) IssueCustomer(ctx context.Context, merchant Caller, r TokenRequest) (Issued, error) {
	if p := checkIdentity(r.BuyerIdentity); p != nil {
		return Issued{}, p
	}
	store, err := s.storeOf(ctx, merchant, r)
	if err != nil {
		return Issued{}, err
	}
	return s.issue(ctx, claims{
		Environment: merchant.Environment, Role: Customer, StoreID: store.ID, Identity: r.BuyerIdentity,
	})
}

// IssueShopper issues a token for one checkout session to a visitor of its store. session is nil if there is none; a session
// of another store or environment is none to this visitor.
func (s *Service) IssueShopper(ctx context.Context, visitor Caller, session *checkout.Session) (Issued, error) {
	if session == nil || session.Closed || s.config.Now().UnixMilli() >= session.ExpiresAt ||
		session.StoreID != visitor.StoreID || session.Environment != visitor.Environment {
		return Issued{}, checkout.InvalidSession()
	}
	return s.issue(ctx, claims{
		Environment: visitor.Environment, Role: Shopper, StoreID: visitor.StoreID, SessionID: session.ID,
	})
}

// issue signs c, completed with what every token says.
func (s *Service) issue(ctx context.Context, c claims) (Issued, error) {
	ring, err := s.ring(ctx, c.Environment)
	if err != nil {
		return Issued{}, err
	}
	now := s.config.Now()
	most, unused := c.Role.life()
	c.Issuer, c.Audience = s.config.Deployment, s.config.Deployment
	c.ID = shortid.NewV7(now, s.config.Rand).String()
	c.IssuedAt = now.Unix()
	c.ExpiresAt = c.IssuedAt + seconds(most)
	token, err := ring.signer.sign(&c)
	return Issued{Token: token, ExpiresAt: (c.IssuedAt + seconds(unused)) * 1000}, err
}

// storeOf finds the merchant's store that a request names, directly or by a product. Another merchant's store or product is not found.
func (s *Service) storeOf(ctx context.Context, merchant Caller, r TokenRequest) (*catalog.Store, error) {
	id, unknown := r.StoreID, foreignStore
	if id == "" {
		var err error
		if id, err = s.storeOfProduct(ctx, r.ProductID); err != nil {
			return nil, err
		}
		unknown = catalog.ErrProductNotFound
	} else if _, ok := shortid.Parse(shortid.Store, id); !ok {
		return nil, catalog.ErrStoreID
	}
	store, err := s.config.Catalog.Store(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && (store.MerchantID != merchant.MerchantID || store.DeletedAt != 0) {
		return nil, unknown
	}
	return store, err
}

func (s *Service) storeOfProduct(ctx context.Context, id string) (string, error) {
	if id == "" {
		return "", missingPlace
	}
	if _, ok := shortid.Parse(shortid.Product, id); !ok {
		return "", catalog.ErrProductID
	}
	product, err := s.config.Catalog.Product(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return "", catalog.ErrProductNotFound
	}
	if err != nil {
		return "", err
	}
	return product.StoreID, nil
}

// checkIdentity accepts any text without control and invisible characters, because identities that look the same could be confused. It is
// stored as received.
func checkIdentity(identity string) *problem.Problem {
	switch {
	case strings.TrimSpace(identity) == "":
		return missingIdentity
	case utf8.RuneCountInString(identity) > maxIdentity:
		return longIdentity
	case !utf8.ValidString(identity) || strings.ContainsFunc(identity, unseen):
		return badIdentity
	}
	return nil
}

// unseen reports control characters and Unicode's default-ignorable ones, among them the bidirectional controls. Spaces and the joiners of
// some scripts are allowed.
func unseen(r rune) bool {
	return unicode.IsControl(r) || r > unicode.MaxASCII && r != utf8.RuneError && !unicode.IsSpace(r) && !email.Visible(r)
}
