// Package auth turns the credential of a request into a [Caller], or refuses.
//
// A [Service] knows three credentials: the signature of a merchant's API key ([Service.APIKey]), a buyer's session token
// ([Service.Session]) and a store's slug ([Service.Storefront]). It issues session tokens and rotates the keys that sign
// them. [Keys] and [Tokens] are its ports to a database.
//
// A refusal is a [Refusal]: one documented problem for the caller, and the reason for the log. Any other error is an internal
// failure. Nothing before the check of a signature depends on a secret, so the duration of a refusal reveals no more than its text.
//
// A merchant's signature does not cover the query and the other headers, such as X-Idempotency-Key. The caller of this package must not let
// them decide whose money or data is used, and must refuse duplicate headers.
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

// Role is the kind of a caller.
type Role string

const (
	Merchant Role = "merchant" // signs with an API key
	Customer Role = "customer" // a buyer whom the merchant identified
	Shopper  Role = "shopper"  // a buyer without an account, for one checkout session
	Visitor  Role = "visitor"  // anyone on a store's public page
)

// Caller is the holder of a verified credential.
type Caller struct {
	Role        Role
	Environment checkout.Environment
	MerchantID  string // of a merchant
	StoreID     string // of every other role
	Identity    string // of a customer: the merchant's name for the buyer
	SessionID   string // of a shopper: the one checkout session
	Token       Token  // of a customer or shopper
	Spent       bool   // the shopper's token has had its order, so it can only get that order's answer again
}

// Checkout converts the caller for the rules.
func (c *Caller) Checkout() checkout.Caller {
	return checkout.Caller{Environment: c.Environment, StoreID: c.StoreID, Identity: c.Identity, SessionID: c.SessionID}
}

// Config configures a [Service]. Every field is required.
type Config struct {
	// Deployment is this installation's name, its public base URL: the issuer and the audience of every token.
	Deployment string

	Catalog catalog.Records
	Keys    Keys
	Tokens  Tokens

	Now  func() time.Time
	Rand io.Reader // safe for use by many goroutines
}

// Service verifies and issues credentials. It is safe for use by many goroutines.
type Service struct {
	config    Config
	merchants publicKeys
	rings     map[checkout.Environment]*keyring // one for each environment, fixed
}

// New returns a service. [Service.Rotate] must run once on its store before it can issue or verify session tokens.
func New(c Config) *Service {
	return &Service{
		config: c,
		rings:  map[checkout.Environment]*keyring{checkout.Test: {}, checkout.Prod: {}},
	}
}

// Refusal is an error of which a caller may see only the [problem.Problem] that it unwraps to. Its own text adds the reason,
// for the log; it holds no credential.
type Refusal struct {
	Problem *problem.Problem
	Reason  string
}

func (r *Refusal) Error() string { return r.Problem.Message + ": " + r.Reason }

// Unwrap is the problem.
func (r *Refusal) Unwrap() error { return r.Problem }

// ErrNoCredential refuses a request without a credential.
var ErrNoCredential = problem.New(problem.Unauthenticated, "authentication-missing", "", "Missing authentication")

var (
	badAPIKey         = problem.New(problem.Unauthenticated, "api-key-invalid", "", "Invalid API key")
	incompleteHeaders = incomplete("JWT")
	incompleteSlug    = incomplete("store slug")
	unknownStore      = catalog.StoreNotFound("")
)

func incomplete(credential string) *problem.Problem {
	return problem.New(problem.Invalid, "environment-header-invalid", "", "Incomplete "+credential+" authentication headers")
}

func refuse(p *problem.Problem, reason string) error { return &Refusal{p, reason} }

// ErrNotCustomer refuses a token that names no buyer.
var ErrNotCustomer = refuse(checkout.AuthenticationFailed, "not a customer's token")

// ErrSpent refuses a token that has had its order.
var ErrSpent = refuse(checkout.AuthenticationFailed, "token has had its order")

// Storefront returns the visitor of the store that X-Store-Slug names.
func (s *Service) Storefront(ctx context.Context, slug, environment string) (Caller, error) {
	env, ok := checkout.ParseEnvironment(environment)
	if !ok {
		return Caller{}, refuse(incompleteSlug, "no such environment")
	}
	store, err := s.config.Catalog.StoreBySlug(ctx, slug)
	if errors.Is(err, catalog.ErrNotFound) {
		return Caller{}, refuse(unknownStore, "no such slug")
	}
	if err != nil {
		return Caller{}, err
	}
	return Caller{Role: Visitor, Environment: env, StoreID: store.ID}, nil
}
