// Package auth turns the credential of a request into a [Caller], or refuses.
//
// A [Service] knows three credentials: the signature of a merchant's API key ([Service.APIKey]), a buyer's session token
// ([Service.Session]) and a store's slug ([Service.Storefront]). It issues session tokens and rotates the keys that sign
// them.
package auth

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Role is what a caller is to the store.
type Role string

const (
	Merchant Role = "merchant" // signs with an API key
	Customer Role = "customer" // a buyer whom the merchant has named
	Shopper  Role = "shopper"  // a buyer without an account, for one checkout session
	Visitor  Role = "visitor"  // anyone on a store's public page
)

// Caller is whom a credential speaks for.
type Caller struct {
	Role        Role
	Environment checkout.Environment
	MerchantID  string // of a merchant
	StoreID     string // of everybody else
	Identity    string // of a customer: the merchant's name for the buyer
	SessionID   string // of a shopper: the one checkout session
	Token       Token  // of a customer or shopper
}

// Token names a session token without being it.
type Token struct {
	ID        string
	ExpiresAt int64 // Unix milliseconds; nothing about the token need be remembered longer
}

// Checkout is the caller as create-order knows it.
func (c *Caller) Checkout() checkout.Caller {
	return checkout.Caller{Environment: c.Environment, StoreID: c.StoreID, Identity: c.Identity, SessionID: c.SessionID}
}

// Config is what a [Service] is made of. Every field is needed.
type Config struct {
	// Deployment is this installation's name, its public base URL: the issuer and the audience of every token.
	Deployment string

	Catalog catalog.Records
	Keys    Keys
	Tokens  Tokens

	Now  func() time.Time
	Rand io.Reader
}

// Service verifies and issues credentials. It is safe for use by many goroutines.
type Service struct{ config Config }

// New makes a service. Before it can issue or verify session tokens, [Service.Rotate] must have run once.
func New(c Config) *Service { return &Service{c} }

// Refusal is an error that a caller may see only half of: the [problem.Problem] that it unwraps to. Its own text adds the
// reason, for the log.
type Refusal struct {
	Problem *problem.Problem
	Reason  string
}

func (r *Refusal) Error() string { return r.Problem.Message + ": " + r.Reason }

// Unwrap is the problem.
func (r *Refusal) Unwrap() error { return r.Problem }

// Signed is what a merchant's request shows, as it came: the values of X-Merchant-Id, X-Timestamp and X-Signature, the path of the
// request line byte for byte, and the body.
type Signed struct {
	MerchantID string
	Timestamp  string
	Signature  string
	Path       string
	Body       []byte
}

// APIKey verifies a merchant's signature.
func (s *Service) APIKey(ctx context.Context, r Signed) (Caller, error) {
	return Caller{}, errors.ErrUnsupported
}

// Session verifies a session token, given the values of Authorization and X-Environment.
func (s *Service) Session(ctx context.Context, authorization, environment string) (Caller, error) {
	return Caller{}, errors.ErrUnsupported
}

// Storefront makes a visitor of whoever names a store, given the values of X-Store-Slug and X-Environment.
func (s *Service) Storefront(ctx context.Context, slug, environment string) (Caller, error) {
	return Caller{}, errors.ErrUnsupported
}

// TokenRequest is a decoded issue-session-token request.
type TokenRequest struct {
	BuyerIdentity string
	StoreID       string
	ProductID     string
}

// Issued is a new session token.
type Issued struct {
	Token     string
	ExpiresAt int64 // Unix milliseconds; when the token ends if it is not used
}

// IssueCustomer issues a token for a buyer whom a merchant names.
func (s *Service) IssueCustomer(ctx context.Context, merchant Caller, r TokenRequest) (Issued, error) {
	return Issued{}, errors.ErrUnsupported
}

// IssueShopper issues a token for one checkout session to a visitor of its store. session is nil if there is none.
func (s *Service) IssueShopper(ctx context.Context, visitor Caller, session *checkout.Session) (Issued, error) {
	return Issued{}, errors.ErrUnsupported
}

// Rotate makes the first signing keys, a new one where the newest is a month old, and removes those that no living token
// was signed with. It is called at start and then hourly.
func (s *Service) Rotate(ctx context.Context) error { return errors.ErrUnsupported }

// Keys keeps the keys that sign session tokens. Each method is one atomic step.
type Keys interface {
	// SigningKeys reads an environment's keys, in any order.
	SigningKeys(ctx context.Context, env checkout.Environment) ([]SigningKey, error)
	// AddSigningKey makes a key durable before it returns.
	AddSigningKey(ctx context.Context, k SigningKey) error
	// RemoveSigningKey forgets a key. That there is none is no error.
	RemoveSigningKey(ctx context.Context, env checkout.Environment, id string) error
}

// SigningKey is an Ed25519 key that signs session tokens of one environment.
type SigningKey struct {
	ID          string // "KEY_…"; the kid of the tokens
	Environment checkout.Environment
	Seed        []byte // 32 bytes, secret (RFC 8032 §5.1.5)
	CreatedAt   int64  // Unix milliseconds
}

// Tokens remembers what has become of session tokens, each until it expires.
type Tokens interface {
	// Token reads what is known of a token; of one that was never heard of, the zero state.
	Token(ctx context.Context, env checkout.Environment, id string) (TokenState, error)

	// Touch remembers that a token was used. It does not make the caller wait for the write and does not tell how it
	// ended: a lost one only brings the token's end forward. It never moves LastUsed back and leaves Spent alone.
	Touch(env checkout.Environment, t Token, at int64)
}

// TokenState is what has become of a token.
type TokenState struct {
	LastUsed int64 // Unix milliseconds, 0: never
	Spent    bool  // it has had its one order; written with that order, see orders.Change
}
