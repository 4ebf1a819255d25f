package auth

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

// How long session tokens live. A customer's ends five minutes after the last call, and with its exp in any case.
const (
	customerIdle = 5 * time.Minute
	customerLife = time.Hour
	shopperLife  = time.Minute

	// touchEvery is the minimum time between two persisted uses of a token. A token may live that much longer after its last
	// call; it never expires early.
	touchEvery = 10 * time.Second

	// clockSkew is how far the clocks of two of our processes may be apart.
	clockSkew = 30 * time.Second
)

// life is how long a token of the role lives at most, and how long if it is not used.
func (r Role) life() (most, unused time.Duration) {
	if r == Customer {
		return customerLife, customerIdle
	}
	return shopperLife, shopperLife
}

// seconds counts as tokens do.
func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// maxToken is the longest token read, in bytes. The longest that we issue is shorter by half.
const maxToken = 4096

// Tokens stores the state of session tokens until they expire.
type Tokens interface {
	// Token reads the state of a token, the zero state if there is none.
	Token(ctx context.Context, env checkout.Environment, id string) (TokenState, error)

	// Touch remembers that a token was used. It does not make the caller wait for the write and does not tell how it
	// ended: a lost one only brings the token's end forward. It never moves LastUsed back and leaves Spent alone.
	Touch(env checkout.Environment, t Token, at int64)
}

// Token names a session token without being it.
type Token struct {
	ID        string
	ExpiresAt int64 // Unix milliseconds; nothing about the token need be remembered longer
}

// TokenState is the state of a session token.
type TokenState struct {
	LastUsed int64 // Unix milliseconds, 0: never
	Spent    bool  // it has had its one order; written with that order, see orders.Change
}

// claims are the claims of a session token. Another JSON encoding of the same claims is not accepted.
type claims struct {
	Issuer      string               `json:"iss"`
	Audience    string               `json:"aud"`
	ID          string               `json:"jti"`
	IssuedAt    int64                `json:"iat"` // Unix seconds
	ExpiresAt   int64                `json:"exp"` // Unix seconds
	Environment checkout.Environment `json:"env"`
	Role        Role                 `json:"role"`
	StoreID     string               `json:"store"`
	Identity    string               `json:"identity,omitempty"`
	SessionID   string               `json:"session,omitempty"`
}

// Session verifies a session token, given the values of Authorization and X-Environment, and renews a customer's.
//
// A shopper's token that has had its order is verified like any other and marked [Caller.Spent]; refusing it, with [ErrSpent],
// is for the caller, who may have the answer of that order to repeat.
//
// A token without an environment is an incomplete credential and not a false one, as published: the token does not choose
// the keys that it is verified with.
func (s *Service) Session(ctx context.Context, authorization, environment string) (Caller, error) {
	token, ok := bearer(authorization)
	if !ok {
		return Caller{}, refuse(checkout.AuthenticationFailed, "no bearer token")
	}
	env, ok := checkout.ParseEnvironment(environment)
	if !ok {
		return Caller{}, refuse(incompleteHeaders, "no such environment")
	}
	now := s.config.Now()
	ring, err := s.ring(ctx, env)
	if err != nil {
		return Caller{}, err
	}
	c, err := s.verify(ring, token, now)
	if errors.Is(err, errUnknownKey) { // another server may have made the key since
		if ring, err = s.ringSince(ctx, env, now); err != nil {
			return Caller{}, err
		}
		c, err = s.verify(ring, token, now)
	}
	if err != nil {
		return Caller{}, refuse(checkout.AuthenticationFailed, err.Error())
	}
	if c.Environment != env {
		return Caller{}, refuse(checkout.AuthenticationFailed, "token of the other environment")
	}
	state, err := s.config.Tokens.Token(ctx, c.Environment, c.ID)
	if err != nil {
		return Caller{}, err
	}
	if err := s.renew(c, state.LastUsed, now); err != nil {
		return Caller{}, err
	}
	caller := c.caller()
	caller.Spent = state.Spent
	return caller, nil
}

// bearer takes the token out of an Authorization value (RFC 6750 §2.1).
func bearer(authorization string) (string, bool) {
	const scheme = "Bearer "
	if len(authorization) <= len(scheme) || !strings.EqualFold(authorization[:len(scheme)], scheme) {
		return "", false
	}
	return authorization[len(scheme):], true
}

// errUnknownKey refuses a token whose header names none of the keys that this process knows.
var errUnknownKey = errors.New("no header of our keys")

// verify parses a token of this deployment that one of the live keys has signed and that has not expired. Its errors are reasons for the log.
func (s *Service) verify(r *ring, token string, now time.Time) (*claims, error) {
	if c := r.verified.claims(token); c != nil {
		return c, c.sound(now)
	}
	c, err := s.parse(r, token)
	if err != nil {
		return nil, err
	}
	r.verified.add(token, c)
	return c, c.sound(now)
}

// parse verifies the signature of a token and parses its claims.
func (s *Service) parse(r *ring, token string) (*claims, error) {
	if len(token) > maxToken {
		return nil, errors.New("token too long")
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, mac, three := strings.Cut(rest, ".")
	key, known := r.known[header]
	if !three || !known {
		return nil, errUnknownKey
	}
	// Compared as text, because base64 with a line break decodes to the same bytes.
	if !hmac.Equal([]byte(hs256(token[:len(header)+1+len(payload)], key)), []byte(mac)) {
		return nil, errors.New("signature is not ours")
	}
	c, err := parseClaims(payload)
	if err != nil {
		return nil, err
	}
	if c.Issuer != s.config.Deployment || c.Audience != s.config.Deployment {
		return nil, errors.New("token of another deployment")
	}
	return c, nil
}

// parseClaims parses a payload and refuses every encoding but our own.
func parseClaims(payload string) (*claims, error) {
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil, err
	}
	c := new(claims)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, err
	}
	if own, err := json.Marshal(c); err != nil || base64.RawURLEncoding.EncodeToString(own) != payload {
		return nil, errors.New("claims are not written as we write them")
	}
	return c, nil
}

// sound checks the claims: expiry, and that they are of a kind that this package issues.
func (c *claims) sound(now time.Time) error {
	customer := c.Role == Customer && c.Identity != "" && c.SessionID == ""
	shopper := c.Role == Shopper && c.SessionID != "" && c.Identity == ""
	if !customer && !shopper {
		return errors.New("neither a customer nor a shopper")
	}
	if _, ok := shortid.Parse(shortid.Store, c.StoreID); !ok {
		return errors.New("token of no store")
	}
	if _, ok := shortid.ParseUUID(c.ID); !ok {
		return errors.New("token without an id")
	}
	if !now.Before(time.Unix(c.ExpiresAt, 0)) {
		return errors.New("token has expired")
	}
	if c.IssuedAt > now.Add(clockSkew).Unix() {
		return errors.New("token of the future")
	}
	if most, _ := c.Role.life(); c.ExpiresAt > c.IssuedAt+seconds(most) {
		return errors.New("token with too long a life")
	}
	return nil
}

// renew gives a customer's token more time, unless it was last used too long ago.
func (s *Service) renew(c *claims, lastUsed int64, now time.Time) error {
	if c.Role != Customer {
		return nil
	}
	idle := time.Unix(c.IssuedAt, 0).Add(customerIdle)
	if lastUsed != 0 {
		idle = time.UnixMilli(lastUsed).Add(customerIdle + touchEvery)
	}
	if !now.Before(idle) {
		return refuse(checkout.AuthenticationFailed, "token has not been used for too long")
	}
	if now.UnixMilli()-lastUsed >= touchEvery.Milliseconds() {
		s.config.Tokens.Touch(c.Environment, c.token(), now.UnixMilli())
	}
	return nil
}

func (c *claims) token() Token { return Token{ID: c.ID, ExpiresAt: c.ExpiresAt * 1000} }

func (c *claims) caller() Caller {
	return Caller{
		Role: c.Role, Environment: c.Environment, StoreID: c.StoreID,
		Identity: c.Identity, SessionID: c.SessionID, Token: c.token(),
	}
}
