// Package stripe implements [psp.Provider] on Stripe Checkout, API v1 (https://docs.stripe.com/api/checkout/sessions): a payment
// of a known total, on Stripe's page.
//
// [Provider] translates and classifies, with one try a call. Prices and taxes arrive as exact line items, so that every feature of
// Stripe that could change a total is left out or switched off.
//
// Caveats: Stripe counts some currencies in other units than ISO 4217 does (amount.go has the table); the charge limits of
// an account are unknown here, so that only its refusal tells them; an invalid amount or currency becomes the zero
// money.Amount, which equals no order's total. The API key leaves this package in one request header only; no error, log line
// or stored request contains it.
//
// The module in oracle tests what the package sends and accepts against stripe-go and Stripe's OpenAPI description.
package stripe

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/psp"
)

const (
	// Rate is how many calls a second Stripe allows for one endpoint, until asked for more.
	Rate = 25
	// DefaultURL is where Stripe's API is.
	DefaultURL = "https://api.stripe.com"
	// DisplayName is the provider's name as buyers know it.
	DisplayName = "Stripe"
	// PayOrigin is the origin of the pages where buyers pay.
	PayOrigin = "https://checkout.stripe.com"
)

// apiVersion is the version of Stripe's API that this package was written against.
const apiVersion = "2026-08-26.dahlia"

// Config says which account to use. Only Key and WebhookSecret have no default.
type Config struct {
	Name          string            // of the provider; "" for "stripe"
	Account       string            // id of the account, where another provider speaks Stripe's API; "" for one made of Key
	Key           string            // a secret or restricted API key, "sk_test_…", "rk_live_…"
	WebhookSecret string            // of the endpoint that receives the events, "whsec_…"; without one every event is refused
	BaseURL       string            // "" for DefaultURL
	Version       string            // of the API; "" for the one that this package was written against
	Dial          fasthttp.DialFunc // nil for TCP; an https BaseURL speaks TLS over it
}

// Provider is a Stripe account. It is safe for concurrent use.
type Provider struct {
	name    string
	account psp.Account
	secret  string
	base    string
	version string
	bearer  string
	client  *fasthttp.HostClient
}

var _ psp.Provider = (*Provider)(nil)

// New returns a provider. It sends nothing.
func New(c Config) *Provider {
	if c.BaseURL == "" {
		c.BaseURL = DefaultURL
	}
	if c.Version == "" {
		c.Version = apiVersion
	}
	live, err := Live(c.Key)
	return &Provider{
		name:    cmp.Or(c.Name, "stripe"),
		account: psp.Account{ID: cmp.Or(c.Account, fingerprint(c.Key)), TestMode: err == nil && !live},
		secret:  c.WebhookSecret,
		base:    strings.TrimSuffix(c.BaseURL, "/"),
		version: c.Version,
		bearer:  "Bearer " + c.Key,
		client:  newClient(c.BaseURL, c.Dial),
	}
}

// Name is "stripe", unless another provider is behind the API.
func (g *Provider) Name() string { return g.name }

// Account is a fingerprint of the key, because reading the key's account from Stripe needs a further permission. A new key of the
// same account counts as another account until reconciliation has found the account's checkouts.
func (g *Provider) Account() psp.Account { return g.account }

// fingerprint identifies a key. Keys are long and random, so they cannot be found from it.
func fingerprint(key string) string {
	sum := sha256.Sum256([]byte("account of " + key))
	return "key_" + hex.EncodeToString(sum[:8])
}

// Live reports whether an API key moves real money. It knows secret and restricted keys and refuses all others; its error
// does not repeat the key.
func Live(key string) (bool, error) {
	for _, kind := range [...]string{"sk_", "rk_"} {
		rest, ok := strings.CutPrefix(key, kind)
		switch {
		case ok && strings.HasPrefix(rest, "live_"):
			return true, nil
		case ok && strings.HasPrefix(rest, "test_"):
			return false, nil
		}
	}
	return false, errors.New("stripe: not an API key: it begins with none of sk_live_, rk_live_, sk_test_, rk_test_")
}
